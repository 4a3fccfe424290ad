// Possible worlds: what one draw of a law says of every plan on its line of plans. The arithmetic is that of
// laws/paths.py, laws/catalog/published.py and planner/lawmodel/ (worlds, allocation, roots), step by step.

function valueAt(grid, path, logX) {
  let low = 0;
  let high = grid.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (logX < grid[middle]) high = middle;
    else low = middle + 1;
  }
  const i = Math.min(Math.max(low - 1, 0), grid.length - 2);
  const slope = (path[i + 1] - path[i]) / (grid[i + 1] - grid[i]);
  return path[i] + slope * (logX - grid[i]);
}

// The smallest log x from which on a path stays at or below logY, or where it first comes down if it ends above.
function inverse(grid, path, logY) {
  const last = path.length - 1;
  let above = last;
  while (above >= 0 && path[above] <= logY) above--;
  if (above === last) {
    above = 0;
    while (above < last && !(path[above] > logY && logY >= path[above + 1])) above++;
  }
  if (above === last) return path[0] > logY ? Infinity : grid[0];
  if (above < 0) {
    const slope = (path[1] - path[0]) / (grid[1] - grid[0]);
    return slope < 0 ? grid[0] + (logY - path[0]) / slope : -Infinity;
  }
  const share = (path[above] - logY) / (path[above] - path[above + 1]);
  return grid[above] + share * (grid[above + 1] - grid[above]);
}

function quantile(values, level) {
  const ordered = Float64Array.from(values).sort();
  return ordered[Math.min(Math.max(Math.ceil(level * ordered.length) - 1, 0), ordered.length - 1)];
}

function onPath(grid, path) {
  return (x) => {
    const log = valueAt(grid, path, Math.log(x));
    return log < 700 ? Math.exp(log) : Infinity;
  };
}

function costOfSize(rungs) {
  if (rungs.length === 1) return (params) => (rungs[0][1] * params) / rungs[0][0];
  return onPath(rungs.map((rung) => Math.log(rung[0])), rungs.map((rung) => Math.log(rung[1])));
}

function root(f, low, high, tolerance = 1e-11) {
  let atLow = f(low);
  let atHigh = f(high);
  if (atLow >= 0) return low;
  if (atHigh <= 0) return high;
  let side = 0;
  let halve = false;
  for (let turn = 0; turn < 400; turn++) {
    let middle = high - (atHigh * (high - low)) / (atHigh - atLow);
    if (halve || !(low < middle && middle < high)) middle = (low + high) / 2;
    const value = f(middle);
    if (value === 0 || high - low < tolerance) return middle;
    let step;
    if (value > 0) {
      [step, high, atHigh] = [high - middle, middle, value];
      [atLow, side] = side === 1 ? [atLow / 2, 1] : [atLow, 1];
    } else {
      [step, low, atLow] = [middle - low, middle, value];
      [atHigh, side] = side === -1 ? [atHigh / 2, -1] : [atHigh, -1];
    }
    const near = step < tolerance;
    if (near && f(middle - (value < 0 ? -tolerance : tolerance)) * value <= 0) return middle;
    halve = near;
  }
  return (low + high) / 2;
}

class World {
  constructor(parts) {
    Object.assign(this, { floor: 0, params: null, perUnit: null, loss: null, knownInverse: null }, parts);
  }

  flops(x) {
    return x === Infinity ? Infinity : this.perUnit(this.params(x)) * this.seen(x);
  }

  forError(target) {
    if (this.knownInverse) return this.knownInverse(target);
    if (target <= this.floor || this.error(this.high) > target) return Infinity;
    const above = (value) => (value > 0 ? 1 / value : Infinity);
    return this.where((x) => above(this.error(x) - this.floor), above(target - this.floor));
  }

  where(f, value) {
    if (value <= 0) return 1e-6 * this.low;
    const goal = Math.log(value);
    const away = (u) => {
      const found = f(Math.exp(u));
      return found > 0 ? Math.log(found) - goal : -Infinity;
    };
    return Math.exp(root(away, Math.log(1e-6 * this.low), Math.log(this.high)));
  }
}

// ---- a stored curve: three bundles of paths

function pathWorlds(product, laws) {
  const { grid, paths } = laws[product.paths.error];
  const size = product.paths.params && laws[product.paths.params];
  const samples = product.paths.samples && laws[product.paths.samples];
  const perUnit = unitCost(product.cost);
  const n = paths.length;
  // other laws are read in other orders, as planner/lawmodel/model.py does
  const row = (law, i) => law.paths[((i % law.paths.length) + law.paths.length) % law.paths.length];
  return paths.map((path, i) => new World({
    low: Math.exp(grid[0]),
    high: Math.exp(grid[grid.length - 1]),
    error: onPath(grid, path),
    data: (x) => x,
    seen: samples ? onPath(samples.grid, row(samples, Math.floor(n / 2) - i)) : (x) => x,
    params: size ? onPath(size.grid, row(size, -1 - i)) : null,
    perUnit,
    knownInverse: (target) => {
      const logX = inverse(grid, path, Math.log(target));
      if (logX === -Infinity) return Math.exp(grid[0]);
      return logX < 700 ? Math.exp(logX) : Infinity;
    },
  }));
}

function unitCost(cost) {
  if (!cost) return null;
  if (cost.kind === "six") return (params) => 6 * params;
  if (cost.kind === "ladder") return costOfSize(cost.rungs);
  return (params) => evaluated(cost.law)(params, 1);
}

// ---- a published curve: one formula

const FORMULAS = {
  "power": (p, x) => p.alpha * x ** p.beta,
  "power-of-ratio": (p, x) => (p.floor ?? 0) + (p.x0 / x) ** p.a,
  "saturating": (p, D) => p.B * (1 / D + p.E) ** p.b,
  "flops-of-a-pass": (p, N, D) => p.c * N * D,
  "broken": (p, x) => {
    const beyond = Math.log(x / p.d1) / p.f1;
    const bend = beyond > 0 ? beyond + Math.log1p(Math.exp(-beyond)) : Math.log1p(Math.exp(beyond));
    return p.a + p.b * Math.exp(-p.c0 * Math.log(x) - p.c1 * p.f1 * bend);
  },
};

function evaluated(law) {
  return (...inputs) => FORMULAS[law.formula](law.parameters, ...inputs.map((x, i) => x / law.per[i])) * law.scale;
}

function published(law, target) {
  const f = evaluated(law);
  let [low, high] = [-50, 120];
  const [first, last] = [f(Math.exp(low)), f(Math.exp(high))];
  if (!(Math.min(first, last) < target && target < Math.max(first, last))) {
    throw new Error(`law ${law.id} never has that value: it lies between ${formatNumber(Math.min(first, last))} `
      + `and ${formatNumber(Math.max(first, last))}`);
  }
  for (let turn = 0; turn < 200; turn++) {
    const middle = (low + high) / 2;
    if ((f(Math.exp(middle)) > target) === (first > last)) low = middle;
    else high = middle;
  }
  return Math.exp((low + high) / 2);
}

function curveWorlds(product) {
  return [new World({
    low: 1e-3,
    high: 1e40,
    error: evaluated(product.curve),
    data: (x) => x,
    seen: (x) => x,
    params: product.size ? evaluated(product.size) : null,
    perUnit: unitCost(product.cost),
    knownInverse: (target) => published(product.curve, target),
  })];
}

// ---- a surface E + A/N^alpha + B/D^beta, on which model and data are balanced

function effective(unique, seen, half) {
  const repeats = Math.max(seen / unique - 1, 0);
  return Math.min(seen, unique) - unique * half * Math.expm1(-repeats / half);
}

function surfaceLoss(s, params, data) {
  return s.E + s.A / params ** s.alpha + s.B / data ** s.beta;
}

function bestParamsFor(s, data) {
  return (((s.alpha * s.A) / (s.beta * s.B)) * data ** s.beta) ** (1 / s.alpha);
}

function repeatedLoss(s, params, seen, unique, halves) {
  const fresh = Math.min(unique, seen);
  const useful = Math.min(bestParamsFor(s, fresh), params);
  return surfaceLoss(s, effective(useful, params, halves.params), effective(fresh, seen, halves.data));
}

function splitWorld(s, { have, served, halves }, perUnit) {
  const limited = Number.isFinite(have);
  const params = (seen) => {
    const fresh = Math.min(seen, have);
    const worth = limited ? effective(fresh, seen, halves.data) : seen;
    const fade = limited ? Math.log(seen / worth) - (seen / fresh - 1) / halves.data : 0;
    let gain = Math.log(s.beta * s.B) - s.beta * Math.log(worth) + fade;
    gain += Math.log1p(served / (3 * seen));
    const free = Math.exp((Math.log(s.alpha * s.A) - gain) / s.alpha);
    const useful = bestParamsFor(s, fresh);
    if (!limited || free <= useful) return free;
    const slope = (u) => {
      const n = Math.exp(u);
      const value = effective(useful, n, halves.params);
      const log = Math.log(s.alpha * s.A) - s.alpha * Math.log(value);
      return gain - (log + u - Math.log(value) - (n / useful - 1) / halves.params);
    };
    const most = Math.min(free, useful * (1 + 2 * 50 * halves.params));
    return Math.exp(root(slope, Math.log(useful), Math.log(most)));
  };
  const loss = limited ? (n, seen) => repeatedLoss(s, n, seen, have, halves) : (n, seen) => surfaceLoss(s, n, seen);
  const exact = (target) => {
    const excess = target - s.E;
    return excess <= 0 ? Infinity : ((s.B * (s.alpha + s.beta)) / (s.alpha * excess)) ** (1 / s.beta);
  };
  return new World({
    low: 1,
    high: limited ? have * (1 + 50 * halves.data) : 1e40,
    error: (seen) => loss(params(seen), seen),
    data: (seen) => Math.min(seen, have),
    seen: (seen) => seen,
    params,
    perUnit,
    loss,
    floor: s.E,
    knownInverse: !limited && served === 0 ? exact : null,
  });
}

function smallestWorld(s, { have }, perUnit) {
  return new World({
    low: 1,
    high: 1e40,
    error: (params) => surfaceLoss(s, params, have),
    data: () => have,
    seen: () => have,
    params: (params) => params,
    perUnit,
    floor: surfaceLoss(s, Infinity, have),
  });
}

function surfaceWorlds(product, laws) {
  const columns = product.surface.columns ?? laws[product.surface.law];
  const spending = { ...product.spending, have: product.spending.have ?? Infinity };
  const perUnit = unitCost(product.cost);
  return Array.from(columns.E, (_, i) => {
    const s = { E: columns.E[i], A: columns.A[i], B: columns.B[i], alpha: columns.alpha[i], beta: columns.beta[i] };
    return spending.smallest ? smallestWorld(s, spending, perUnit) : splitWorld(s, spending, perUnit);
  });
}

function worldsOf(product, laws) {
  if (product.paths) return pathWorlds(product, laws);
  return product.curve ? curveWorlds(product) : surfaceWorlds(product, laws);
}
