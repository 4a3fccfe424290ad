// One question of the panel: what a target needs on `count` devices of a part, at a price. What comes back has
// the names and the meaning of `planner estimate --format json` (planner/plans/plan.py, estimate.py, limits.py).

function ask(product, data, { target, part, count, price }) {
  const worlds = (product.worlds ??= worldsOf(product, data.laws));
  let places = placesFor(product, worlds, target);
  let asked = worlds;
  if (product.confidence !== null) [asked, places] = committed(product, worlds, places, target);

  const finite = (line, x) => (Number.isFinite(x) ? line(x) : Infinity);
  const knowsFlops = worlds[0].params !== null && worlds[0].perUnit !== null;
  const draws = {
    data: asked.map((world, i) => finite(world.data, places[i])),
    seen: asked.map((world, i) => finite(world.seen, places[i])),
    params: worlds[0].params ? asked.map((world, i) => finite(world.params, places[i])) : [],
    flops: knowsFlops ? asked.map((world, i) => world.flops(places[i])) : [],
    error: product.confidence === null ? asked.map(() => target)
      : asked.map((world, i) => world.error(Math.min(places[i], world.high))),
  };
  draws.epochs = draws.seen.map((seen, i) => (Number.isFinite(seen) ? seen / draws.data[i] : Infinity));
  draws.beyond = product.largest === null ? [] : draws.data.map((x) => x / product.largest);
  draws.serving_flops = product.spending.served && knowsFlops
    ? draws.params.map((size, i) => (Number.isFinite(size) ? (asked[i].perUnit(size) / 3) * product.spending.served : Infinity))
    : [];
  const reached = draws.data.map((x, i) => Number.isFinite(x) && draws.error[i] <= target * (1 + 1e-9));
  const sure = draws.data.map((x, i) => Number.isFinite(x) && draws.error[i] <= target);
  const warnings = [...product.warnings, ...doubts(product, draws, data.far)];

  let machines = null;
  if (part !== null) {
    if (!knowsFlops) throw new Error(`law ${product.law} says nothing of FLOP, so neither time nor money follow`);
    const n = draws.flops.length > 1 ? draws.flops.length : data.draws;
    const all = (values) => (values.length === 1 ? Array(n).fill(values[0]) : values);
    const uniform = data.uniform[n];
    const bands = { ...part.assumed, ...product.measured[part.id], ...product.assumed };
    const precision = product.precision ?? part.usual;
    const found = train(all(draws.flops), all(draws.params), part, count, precision, bands, uniform);
    const own = price ?? product.price;
    machines = { n, found, ...bill(found, part, own ?? part.price, uniform) };
    const isDefault = part.utilization_assumed && !("utilization" in { ...product.measured[part.id], ...product.assumed });
    warnings.push(...trainingWarnings(found, part, count, precision, bands, isDefault));
    if (own === null) warnings.push(...part.price_warnings);
    else if (Math.max(...own.map((band) => band[1])) === 0) warnings.push("price-zero");
    if (part.power === null) warnings.push("power-unknown");
  }
  const n = machines ? machines.n : draws.data.length;
  const all = (values) => (values.length === 1 ? Array(n).fill(values[0]) : values);
  const cost = product.data_price;
  const collection = cost === null ? [] : all(draws.data.map((x) => (cost ? cost * Math.max(x - (product.have ?? 0), 0) : 0)));
  // serving is priced as the same FLOP of training are
  const ratios = all(draws.serving_flops.map((served, i) => (Number.isFinite(draws.flops[i]) ? served / draws.flops[i] : Infinity)));
  const serving = machines && machines.dollars !== null && ratios.length ? times(ratios, machines.dollars) : [];
  const total = !machines || machines.dollars === null ? []
    : collection.length ? Array.from(machines.dollars, (value, i) => value + collection[i]) : machines.dollars;
  if (product.stock !== null && !product.surface && quantile(draws.data, 0.5) > product.stock) warnings.push("more-data-needed");

  const quantities = {
    error: draws.error, data: draws.data, params: draws.params, flops: draws.flops, epochs: draws.epochs,
    beyond: draws.beyond, serving_flops: draws.serving_flops,
    serving_dollars: serving, data_dollars: collection, total_dollars: total,
    gpu_hours: machines ? machines.found.hours : [], days: machines ? machines.found.days : [],
    dollars: machines ? machines.dollars ?? [] : [], energy: machines ? machines.energy ?? [] : [],
    carbon: machines ? machines.carbon ?? [] : [], utilization: machines ? machines.found.utilization : [],
    memory: machines ? machines.found.memory : [], devices: machines ? machines.found.devices : [],
  };
  const within = (factor) => quantities.beyond.filter((times) => times <= factor).length / quantities.beyond.length;
  const near = product.spread && product.confidence === null && quantities.beyond.length;
  const fits = feasible(product, machines, count, total, all(reached), all(draws.data));
  return {
    quantities,
    spread: product.spread,
    probability_reachable: product.spread ? sure.filter(Boolean).length / sure.length : null,
    probability_within: near ? data.within.map((factor) => [factor, within(factor)]) : [],
    ...fits,
    warnings: [...new Set(warnings)],
  };
}

function placesFor(product, worlds, target) {
  const asked = `target ${product.metric} ${formatMetric(target, product.metric_unit)}`;
  if (!(target > 0)) throw new Error(`${asked}: wanted more than 0, no finite data set reaches it`);
  if (product.metric_unit === "fraction" && target >= 1) throw new Error(`${asked}: wanted a rate below 100%`);
  if (product.smallest !== null) {
    const easiest = quantile(worlds.map((world) => world.error(product.smallest)), 0.5);
    if (target >= easiest) {
      throw new Error(`${asked} is already reached by the smallest measured data `
        + `(${formatData(product.smallest, product.unit)} reach ${formatMetric(easiest, product.metric_unit)}): `
        + "ask for a lower one");
    }
  }
  const places = worlds.map((world) => world.forError(target));
  if (!places.some(Number.isFinite) && (product.surface || worlds.length === 1)) {
    throw new Error(`${asked} is below the floor of law ${product.law}: ask for more than that`);
  }
  if (product.surface) {
    const at = (line, x) => (Number.isFinite(x) ? line(x) : Infinity);
    const middle = ["params", "seen"].map((name) => quantile(worlds.map((world, i) => at(world[name], places[i])), 0.5));
    if (Math.min(...places) <= 0 || Math.min(...middle) < 1) {
      throw new Error(`${asked} needs less than one parameter or one data unit by law ${product.law}: ask for a lower one`);
    }
  }
  return places;
}

// One plan for all worlds, which reaches the target in the share `confidence` of them (planner/plans/confidence.py).
function committed(product, worlds, places, target) {
  const { confidence } = product;
  if (!product.spread) throw new Error(`law ${product.law} states no uncertainty, so no plan can be held to a confidence`);
  const reachable = places.filter(Number.isFinite).length / places.length;
  if (reachable < confidence) {
    throw new Error(`no plan reaches ${product.metric} ${formatMetric(target, product.metric_unit)} with probability `
      + `${fixed(100 * confidence, 0)}%: at any amount of data it is ${fixed(100 * reachable, 0)}%`);
  }
  if (worlds[0].loss === null) {
    // an error that rises over a hump has its place behind it, and yet is below the target before it
    const ordered = [...places].sort((a, b) => a - b);
    const held = (k) => worlds.filter((world) => world.error(Math.min(ordered[k], world.high)) <= target).length;
    const often = (k) => held(k) >= confidence * ordered.length;
    let [first, last] = [-1, Math.max(Math.ceil(confidence * ordered.length) - 1, 0)];
    const step = Math.max(Math.floor(ordered.length / 32), 1);
    while (first + step < last && !often(first + step)) first += step;
    last = Math.min(first + step, last);
    while (last - first > 1) {
      const middle = Math.floor((first + last) / 2);
      [first, last] = often(middle) ? [first, middle] : [middle, last];
    }
    return [worlds, places.map(() => ordered[last])];
  }
  const size = (x) => quantile(worlds.map((world) => world.params(x)), 0.5);
  const enough = (x) => {
    const n = size(x);
    return worlds.filter((world) => world.loss(n, x) <= target).length >= confidence * worlds.length;
  };
  const finite = places.filter(Number.isFinite);
  let low = Math.log(Math.min(...finite));
  const high = Math.log(Math.min(...worlds.map((world) => world.high)));
  let top = Math.log(Math.max(...finite));
  while (!enough(Math.exp(top))) {
    top += 1;
    if (top > high) throw new Error("no one model and amount of data reach the target with that probability");
  }
  while (top - low > 1e-6) {
    const middle = (low + top) / 2;
    [low, top] = enough(Math.exp(middle)) ? [low, middle] : [middle, top];
  }
  const x = Math.exp(top);
  const n = size(x);
  const fixedWorlds = worlds.map((world) => {
    const error = world.loss(n, x);
    return new World({ ...world, params: () => n, error: () => error });
  });
  return [fixedWorlds, places.map(() => x)];
}

function doubts(product, draws, far) {
  const found = [];
  if (product.sizes !== null && draws.params.length) {
    const middle = quantile(draws.params, 0.5);
    if (Number.isFinite(middle) && !(product.sizes[0] <= middle && middle <= product.sizes[1])) found.push("ladder-exceeded");
  }
  if (product.spread && draws.data.filter(Number.isFinite).length < 0.95 * draws.data.length) found.push("floor-uncertain");
  if (product.largest !== null && quantile(draws.data, 0.5) > far * product.largest) found.push("extrapolated-far");
  [draws.data, draws.params].forEach((values, i) => {
    const least = product.begins[i];
    if (least !== null && values.length && quantile(values, 0.5) < least / far) found.push("below-measured");
  });
  return found;
}

// How probable it is that every limit is kept, all together and each alone (planner/plans/resources.py).
function feasible(product, machines, count, total, reached, dataDraws) {
  const { budget, days, gpu_hours: hours } = product.limits;
  const limited = machines !== null && [budget, days, hours].some((limit) => limit !== null);
  const kept = {};
  if (limited) {
    if (budget !== null) {
      if (machines.dollars === null) throw new Error("the part has no price, so no budget can be held: give one");
      kept.budget = Array.from(total, (value) => value <= budget);
    }
    if (days !== null) kept.deadline = machines.found.days.map((value) => value <= days);
    if (hours !== null) kept.gpu_hours = machines.found.hours.map((value) => value <= hours);
    kept.memory = machines.found.devices.map((value) => value <= count);
  }
  if (product.confidence !== null && (product.stock !== null || limited)) kept.target = reached;
  if (product.stock !== null) kept.data = dataDraws.map((x) => x <= product.stock * (1 + 1e-9));
  const names = Object.keys(kept);
  if (!names.length) return { feasible: null, probability: null, limits: {}, binding: null };
  const possible = limited ? machines.found.hours.map((value) => value !== Infinity) : reached;
  const share = (flags) => flags.filter(Boolean).length / flags.length;
  const probability = share(possible.map((flag, i) => flag && names.every((name) => kept[name][i])));
  const limits = Object.fromEntries(names.map((name) => [name, share(kept[name])]));
  const worst = names.reduce((least, name) => (limits[name] < limits[least] ? name : least));
  return {
    feasible: probability >= (product.confidence ?? 0.5),
    probability,
    limits,
    binding: limits[worst] < 1 ? worst : null,
  };
}
