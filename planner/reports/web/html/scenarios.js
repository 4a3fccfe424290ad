// Scenarios: each posterior sample of a law as functions of scale. The arithmetic is that of laws/paths.py,
// laws/catalog/published.py and planner/lawmodel/ (scenario, surface, root_finding), step by step.

function valueAt(grid, path, logX) {
  let [i, end] = [0, grid.length - 1]; // the interval that holds logX; the first and the last one continue outside
  while (end - i > 1) {
    const middle = (i + end) >> 1;
    [i, end] = logX < grid[middle] ? [i, middle] : [middle, end];
  }
  return path[i] + ((path[i + 1] - path[i]) / (grid[i + 1] - grid[i])) * (logX - grid[i]);
}

// The smallest log x from which a path stays at or below logY, or where it first comes down if it ends above.
function inverse(grid, path, logY) {
  const last = path.length - 1;
  let above = path.findLastIndex((y) => y > logY);
  if (above === last) {
    above = path.findIndex((y, i) => y > logY && logY >= path[i + 1]);
    if (above === -1) return path[0] > logY ? Infinity : grid[0];
  }
  if (above < 0) {
    const slope = (path[1] - path[0]) / (grid[1] - grid[0]);
    return slope < 0 ? grid[0] + (logY - path[0]) / slope : -Infinity;
  }
  return grid[above] + ((path[above] - logY) / (path[above] - path[above + 1])) * (grid[above + 1] - grid[above]);
}

function quantile(values, level) {
  const ordered = Float64Array.from(values).sort();
  return ordered[Math.min(Math.max(Math.ceil(level * ordered.length) - 1, 0), ordered.length - 1)];
}

const exp = (log) => (log < 700 ? Math.exp(log) : Infinity);
const onPath = (grid, path) => (x) => exp(valueAt(grid, path, Math.log(x)));

// Find where an increasing function is zero: false position, and a bisection where that is slow.
function root(f, low, high, tolerance = 1e-11) {
  let [atLow, atHigh] = [f(low), f(high)];
  if (atLow >= 0) return low;
  if (atHigh <= 0) return high;
  let [side, halve] = [0, false];
  for (let turn = 0; turn < 400; turn++) {
    let middle = high - (atHigh * (high - low)) / (atHigh - atLow);
    if (halve || !(low < middle && middle < high)) middle = (low + high) / 2;
    const value = f(middle);
    if (value === 0 || high - low < tolerance) return middle;
    const step = value > 0 ? high - middle : middle - low;
    if (value > 0) [high, atHigh, atLow, side] = [middle, value, side === 1 ? atLow / 2 : atLow, 1];
    else [low, atLow, atHigh, side] = [middle, value, side === -1 ? atHigh / 2 : atHigh, -1];
    halve = step < tolerance;
    if (halve && f(middle - (value < 0 ? -tolerance : tolerance)) * value <= 0) return middle;
  }
  return (low + high) / 2;
}

class Scenario {
  constructor(parts) {
    Object.assign(this, { floor: 0, params: null, flopsPerSample: null, loss: null, inverse: null, samplesSeen: (x) => x }, parts);
  }

  flops(x) {
    return this.flopsPerSample(this.params(x)) * this.samplesSeen(x);
  }

  // The scale that reaches a target, Infinity where none does.
  forError(target) {
    const exact = this.inverse ? this.inverse(target) : NaN;
    if (!Number.isNaN(exact)) return exact;
    if (target <= this.floor || this.error(this.high) > target) return Infinity;
    const lowest = Math.log(1e-6 * this.low);
    const gap = (u) => Math.log(target - this.floor) - Math.log(Math.max(this.error(Math.exp(u)) - this.floor, 0));
    return Math.exp(root(gap, lowest, Math.log(this.high)));
  }
}

function flopsPerSample(cost) {
  if (!cost) return null;
  if (cost.kind === "six") return (params) => 6 * params;
  if (cost.kind === "law") return (params) => evaluated(cost.law)(params, 1);
  const [sizes, flops] = [0, 1].map((column) => cost.rungs.map((rung) => rung[column]));
  if (sizes.length === 1) return (params) => (flops[0] * params) / sizes[0];
  return onPath(sizes.map(Math.log), flops.map(Math.log));
}

// ---- a stored curve: paths of the error, and of its companions

function pathScenarios(product, laws) {
  const { error, params, samples } = Object.fromEntries(Object.entries(product.paths).map(([role, id]) => [role, laws[id]]));
  const n = error.paths.length;
  const perSample = flopsPerSample(product.cost);
  // companions are independent of the error: planner/lawmodel/model.py reads their samples in other orders
  const companion = (law, i) => law && onPath(law.grid, law.paths.at(i % law.paths.length));
  return error.paths.map((path, i) => new Scenario({
    low: Math.exp(error.grid[0]),
    high: Math.exp(error.grid.at(-1)),
    error: onPath(error.grid, path),
    data: (x) => x,
    ...(samples && { samplesSeen: companion(samples, Math.floor(n / 2) - i) }),
    params: product.single_size !== null ? () => product.single_size : companion(params, -1 - i) ?? null,
    flopsPerSample: perSample,
    inverse: (target) => {
      const logX = inverse(error.grid, path, Math.log(target));
      return exp(logX === -Infinity ? error.grid[0] : logX);
    },
  }));
}

// ---- a published curve: one formula, and other studies of its question

const FORMULAS = {
  "power": (p, x) => p.alpha * x ** p.beta,
  "power-of-ratio": (p, x) => (p.floor ?? 0) + (p.x0 / x) ** p.a,
  "saturating": (p, D) => p.B * (1 / D + p.E) ** p.b,
  "flops-of-a-pass": (p, N, D) => p.c * N * D,
  "broken": (p, x) => {
    const beyond = Math.log(x / p.d1) / p.f1;
    const bend = Math.max(beyond, 0) + Math.log1p(Math.exp(-Math.abs(beyond)));
    return p.a + p.b * Math.exp(-p.c0 * Math.log(x) - p.c1 * p.f1 * bend);
  },
};

function evaluated(law) {
  return (...inputs) => FORMULAS[law.formula](law.parameters, ...inputs.map((x, i) => x / law.per[i])) * law.scale;
}

function publishedInverse(law, target) {
  const f = evaluated(law);
  if (target <= f(1e40)) return Infinity;
  if (target >= f(1e-3)) return 1e-3;
  return Math.exp(root((u) => Math.log(target) - Math.log(f(Math.exp(u))), Math.log(1e-3), Math.log(1e40)));
}

// Other studies of a law's question: [error where only levels differ, level, exponent] of each sample
// (planner/lawmodel/published_samples.py).
function studyScenarios(law, studies, [smallest, largest]) {
  return [law, ...studies.slice(1).map(([reference, level, exponent]) => {
    const other = (error) => reference * Math.exp(level + (1 + exponent) * Math.log(error / reference));
    const own = (error) => reference * Math.exp((Math.log(error / reference) - level) / (1 + exponent));
    return new Scenario({
      ...law,
      error: (x) => other(law.error(x)),
      loss: law.loss && ((params, x) => other(law.loss(params, x))),
      floor: other(law.floor),
      inverse: (target) => {
        const scale = law.forError(own(target));
        if (smallest <= scale && scale <= largest) return scale;
        const itself = law.forError(target);
        if (scale < smallest) return Math.max(scale, Math.min(smallest, itself));
        return scale <= itself ? scale : Infinity;
      },
    });
  })];
}

function curveScenario(product) {
  return new Scenario({
    low: 1e-3,
    high: 1e40,
    error: evaluated(product.curve),
    data: (x) => x,
    params: product.size ? evaluated(product.size) : null,
    flopsPerSample: flopsPerSample(product.cost),
    inverse: (target) => publishedInverse(product.curve, target),
  });
}

// ---- a joint law E + A/N^alpha + B/D^beta, on which model size and data are balanced

// The number of fresh samples that are worth as much as repeated ones.
function effective(unique, samplesSeen, half) {
  return Math.min(samplesSeen, unique) - unique * half * Math.expm1(-Math.max(samplesSeen / unique - 1, 0) / half);
}

const MAX_DECADES = 3; // of compute beyond the measurements in which a joint law drifts (laws/forecasting/joint_drift.py)

function drift(s, compute) {
  if (!s.rate || !(compute > s.largest && s.largest > 0)) return 1;
  return Math.exp(s.rate * Math.min(Math.log10(compute / s.largest), MAX_DECADES));
}

function jointLoss(s, params, data) {
  return (s.E + s.A / params ** s.alpha + s.B / data ** s.beta) * drift(s, params * data);
}

function bestParams(s, data) {
  return (((s.alpha * s.A) / (s.beta * s.B)) * data ** s.beta) ** (1 / s.alpha);
}

function balancedScenario(s, { have, served, halves }, perSample) {
  const limited = Number.isFinite(have);
  const loss = !limited ? (n, samplesSeen) => jointLoss(s, n, samplesSeen) : (n, samplesSeen) => {
    const fresh = Math.min(have, samplesSeen);
    return jointLoss(s, effective(Math.min(bestParams(s, fresh), n), n, halves.params), effective(fresh, samplesSeen, halves.data));
  };
  const params = (samplesSeen) => {
    const fresh = Math.min(samplesSeen, have);
    const worth = limited ? effective(fresh, samplesSeen, halves.data) : samplesSeen;
    const fade = limited ? Math.log(samplesSeen / worth) - (samplesSeen / fresh - 1) / halves.data : 0;
    const gain = Math.log(s.beta * s.B) - s.beta * Math.log(worth) + fade + Math.log1p(served / (3 * samplesSeen));
    const free = Math.exp((Math.log(s.alpha * s.A) - gain) / s.alpha);
    const useful = bestParams(s, fresh);
    if (!limited || free <= useful) return free;
    const slope = (u) => {
      const n = Math.exp(u);
      const value = effective(useful, n, halves.params);
      return gain - (Math.log(s.alpha * s.A) - s.alpha * Math.log(value) + u - Math.log(value) - (n / useful - 1) / halves.params);
    };
    return Math.exp(root(slope, Math.log(useful), Math.log(Math.min(free, useful * (1 + 2 * 50 * halves.params)))));
  };
  const exact = (target) => {
    if (target <= s.E) return s.rate ? NaN : Infinity;
    const seen = ((s.B * (s.alpha + s.beta)) / (s.alpha * (target - s.E))) ** (1 / s.beta);
    return s.rate && bestParams(s, seen) * seen > s.largest ? NaN : seen;
  };
  return new Scenario({
    low: 1,
    high: limited ? have * (1 + 50 * halves.data) : 1e40,
    error: (samplesSeen) => loss(params(samplesSeen), samplesSeen),
    data: (samplesSeen) => Math.min(samplesSeen, have),
    params,
    flopsPerSample: perSample,
    loss,
    floor: s.E * drift(s, Infinity),
    inverse: !limited && served === 0 ? exact : null,
  });
}

function smallestScenario(s, { have }, perSample) {
  return new Scenario({
    low: 1,
    high: 1e40,
    error: (params) => jointLoss(s, params, have),
    data: () => have,
    samplesSeen: () => have,
    params: (params) => params,
    flopsPerSample: perSample,
    floor: jointLoss(s, Infinity, have),
  });
}

function jointScenarios(product, laws) {
  const columns = product.surface.columns ?? laws[product.surface.law];
  const constraints = { ...product.constraints, have: product.constraints.have ?? Infinity };
  const make = constraints.smallest ? smallestScenario : balancedScenario;
  const perSample = flopsPerSample(product.cost);
  const sample = (i) => Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[i]]));
  return Array.from(columns.E, (_, i) => make(sample(i), constraints, perSample));
}

// Whether another published law of the question is outside the interval at the median plan (planner/plans/other_laws.py).
function studiesDisagree({ others, surface, constraints }, scenarios, q, samplesSeen) {
  const [data, seen] = [q.data, samplesSeen].map((values) => quantile(values, 0.5));
  const params = q.params.length ? quantile(q.params, 0.5) : Infinity;
  if (!others?.length || seen === Infinity) return false;
  const scale = surface ? params : data;
  const own = scenarios.map((one) => (one.loss ? one.loss(params, seen) : one.error(scale)));
  const [low, high] = [quantile(own, 0.05), quantile(own, 0.95)];
  const worth = data === seen ? data : effective(data, seen, constraints.halves.data);
  return others.some((other) => {
    const error = other.curve ? evaluated(other.curve)(worth) : jointLoss(other.surface, params, worth);
    return !(low <= error && error <= high);
  });
}

function scenariosOf(product, laws) {
  if (product.frontier) {
    throw new Error(`law ${product.law} says how compute is split: ask planner what-if --law ${product.law} for other targets`);
  }
  if (product.paths) return pathScenarios(product, laws);
  const scenarios = product.curve ? [curveScenario(product)] : jointScenarios(product, laws);
  return product.studies ? studyScenarios(scenarios[0], product.studies, product.ends) : scenarios;
}
