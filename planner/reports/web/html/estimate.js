// One question of the panel: what a target needs on `count` accelerators at a price. The answer has the keys and the
// meaning of `planner estimate --format json` (planner/plans/plan.py, confidence.py, constraints.py, resources.py).

const finite = (f, x) => (Number.isFinite(x) ? f(x) : Infinity);
const share = (flags) => flags.filter(Boolean).length / flags.length;
// the few samples of a published law repeat
const repeated = (values, n) => (values.length === n || !values.length ? values : Array.from({ length: n }, (_, i) => values[i % values.length]));

function ask(product, data, { target, accelerator, count, price }) {
  const all = (product.scenarios ??= scenariosOf(product, data.laws));
  const [scenarios, scales] = product.confidence === null ? [all, scalesFor(product, all, target)]
    : withConfidence(product, all, scalesFor(product, all, target), target);
  const at = (name) => scenarios.map((scenario, i) => finite((x) => scenario[name](x), scales[i]));
  const { params, flopsPerSample } = scenarios[0];
  if (accelerator && !(params && flopsPerSample)) {
    throw new Error(`law ${product.law} has no FLOP, so neither time nor cost can be computed`);
  }
  const q = { data: at("data"), params: params ? at("params") : [], flops: params && flopsPerSample ? at("flops") : [] };
  const errors = product.confidence === null ? scenarios.map(() => target)
    : scenarios.map((scenario, i) => scenario.error(Math.min(scales[i], scenario.high)));
  if (product.metric_ceiling === null) q.error = errors;
  else q.score = errors.map((error) => fromError(product, error));
  q.epochs = at("samplesSeen").map((samples, i) => (samples === Infinity ? samples : samples / q.data[i]));
  q.beyond = product.largest === null ? [] : q.data.map((x) => x / product.largest);
  const served = product.constraints.served;
  q.serving_flops = !served || !q.flops.length ? []
    : q.params.map((size, i) => finite((n) => (scenarios[i].flopsPerSample(n) / 3) * served, size));
  const warnings = [...product.warnings, ...lawWarnings(product, q, data.extrapolation_limit)];

  const n = accelerator && product.published ? data.samples : q.data.length;
  if (accelerator) warnings.push(...onHardware(product, data, q, n, accelerator, count, price));
  if (studiesDisagree(product, scenarios, q, at("samplesSeen"))) warnings.push("studies-disagree");
  const { data_price: tiers, data_rate: rate, available } = product;
  const toBuy = q.data.map((x) => Math.max(x - (available ?? 0), 0));
  q.data_dollars = tiers === null ? [] : repeated(toBuy.map((amount) => dataCost(tiers, amount)), n);
  q.labeling_days = rate === null ? [] : repeated(toBuy.map((amount) => amount / rate), n);
  q.total_days = Array.from(q.days ?? [], (value, i) => value + (q.labeling_days[i] ?? 0));
  // inference is priced like as many FLOP of training
  const ratios = repeated(q.serving_flops.map((flops, i) => finite((training) => flops / training, q.flops[i])), n);
  q.serving_dollars = q.dollars?.length && ratios.length ? times(ratios, q.dollars) : [];
  q.total_dollars = Array.from(q.dollars ?? [], (value, i) => value + (q.data_dollars[i] ?? 0));
  if (product.stock !== null && !product.surface && quantile(q.data, 0.5) > product.stock) warnings.push("more-data-needed");

  const reaches = (tolerance) => q.data.map((x, i) => Number.isFinite(x) && errors[i] <= target * (1 + tolerance));
  const near = !product.warnings.includes("rising") && product.confidence === null && q.beyond.length;
  return {
    quantities: q,
    probability_reachable: !product.warnings.includes("rising") ? share(reaches(0)) : null,
    probability_within: near ? data.within.map((factor) => [factor, share(q.beyond.map((x) => x <= factor))]) : [],
    ...feasible(product, q, n, accelerator, count, reaches(1e-9)),
    warnings: [...new Set(warnings)],
  };
}

// The dollars for an amount of data, by tiers of [end, price]; the last one has no end (planner/plans/data_price.py).
function dataCost(tiers, amount) {
  let [dollars, start] = [0, 0];
  for (const [end, price] of tiers) {
    const inTier = Math.min(amount, end ?? Infinity) - start;
    if (inTier <= 0) break;
    dollars += price ? price * inTier : 0;
    start = end;
  }
  return dollars;
}

// Add what hardware takes to the quantities; return the warnings.
function onHardware(product, data, q, n, accelerator, count, price) {
  const uniform = data.uniform[n];
  const own = { ...product.measured[accelerator.id], ...product.assumed };
  const bands = { ...accelerator.assumed, ...own };
  const precision = product.precision ?? accelerator.usual_precision;
  const isSet = (name) => name in product.assumed || accelerator.set.includes(name);
  const mixture = (bands.mixture_of_experts ?? [[0, 0]]).some((band) => band[1] > 0) ? 1 : 0;
  const models = "utilization" in own ? null : accelerator.predicted;
  const model = models && precision in models ? models[precision][mixture] : null;
  if (model && !isSet("scaling_loss")) delete bands.scaling_loss;
  const isMeasured = "utilization" in own && !("utilization" in product.assumed);
  if (isMeasured && !isSet("working_time")) delete bands.working_time;
  const training = train(repeated(q.flops, n), repeated(q.params, n), accelerator, count, precision, bands, uniform, model);
  const given = price ?? product.price;
  const cost = costOf(training, accelerator, given ?? accelerator.price, uniform);
  Object.assign(q, training, cost, { dollars: cost.dollars ?? [] });
  const largest = model ? predictedUtilization(model, 0.95, quantile(q.params.filter(Number.isFinite), 0.5), count)
    : Math.max(...bands.utilization.map((band) => band[1]));
  const warnings = trainingWarnings(training, accelerator, count, largest, model !== null);
  if (given === null) warnings.push(...accelerator.price_warnings);
  else if (Math.max(...given.map((band) => band[1])) === 0) warnings.push("price-zero");
  return accelerator.power === null ? [...warnings, "power-unknown"] : warnings;
}

// The scale at which each scenario reaches the target, Infinity where it never does.
function scalesFor(product, scenarios, target) {
  const own = (error) => formatOwn(product, fromError(product, error));
  const rises = product.metric_ceiling !== null;
  const given = `target ${product.metric} ${own(target)}`;
  if (!(target > 0)) throw new Error(`${given}: expected ${rises ? `less than ${own(0)}` : "more than 0"}`);
  if (!rises && product.metric_unit === "fraction" && target >= 1) throw new Error(`${given}: expected less than 100%`);
  if (product.smallest !== null) {
    const easiest = quantile(scenarios.map((scenario) => scenario.error(product.smallest)), 0.5);
    if (target >= easiest) {
      throw new Error(`${given}: expected ${rises ? "more" : "less"} than the smallest measured data reaches `
        + `(${formatData(product.smallest, product.unit)} reach ${own(easiest)})`);
    }
  }
  const scales = scenarios.map((scenario) => scenario.forError(target));
  if (!scales.some(Number.isFinite) && (product.surface || scenarios.length === 1)) {
    throw new Error(`${given}: expected ${rises ? "less than the best value" : "more than the irreducible error"} of law ${product.law}`);
  }
  if (product.surface) {
    const median = (name) => quantile(scenarios.map((scenario, i) => finite((x) => scenario[name](x), scales[i])), 0.5);
    if (Math.min(...scales) <= 0 || Math.min(median("params"), median("samplesSeen")) < 1) {
      throw new Error(`${given}: expected ${rises ? "more" : "less"}, law ${product.law} needs less than one parameter or one sample for it`);
    }
  }
  return scales;
}

// One plan for all scenarios that reaches the target in the share `confidence` of them (planner/plans/confidence.py).
function withConfidence(product, scenarios, scales, target) {
  const { confidence } = product;
  const reachable = share(scales.map(Number.isFinite));
  if (reachable < confidence) {
    throw new Error(`target ${product.metric} ${formatOwn(product, fromError(product, target))}: expected one that a plan `
      + `reaches with probability ${fixed(100 * confidence, 0)}%, any amount of data reaches it with ${fixed(100 * reachable, 0)}%`);
  }
  if (scenarios[0].loss === null) {
    // A curve may pass the target, rise over a hump and fall again: a smaller plan can reach it more often.
    const ordered = [...scales].sort((a, b) => a - b);
    const often = (k) => share(scenarios.map((one) => one.error(Math.min(ordered[k], one.high)) <= target)) >= confidence;
    let [first, last] = [-1, Math.max(Math.ceil(confidence * ordered.length) - 1, 0)];
    const step = Math.max(Math.floor(ordered.length / 32), 1);
    while (first + step < last && !often(first + step)) first += step;
    last = Math.min(first + step, last);
    while (last - first > 1) {
      const middle = Math.floor((first + last) / 2);
      [first, last] = often(middle) ? [first, middle] : [middle, last];
    }
    return [scenarios, scales.map(() => ordered[last])];
  }
  const size = (x) => quantile(scenarios.map((scenario) => scenario.params(x)), 0.5);
  const enough = (x) => {
    const n = size(x);
    return share(scenarios.map((scenario) => scenario.loss(n, x) <= target)) >= confidence;
  };
  const logs = scales.filter(Number.isFinite).map(Math.log);
  const limit = Math.log(Math.min(...scenarios.map((scenario) => scenario.high)));
  let [low, high] = [Math.min(...logs), Math.max(...logs)];
  while (!enough(Math.exp(high))) {
    high += 1;
    if (high > limit) throw new Error("no one model size and amount of data reach the target with that probability");
  }
  while (high - low > 1e-6) {
    const middle = (low + high) / 2;
    [low, high] = enough(Math.exp(middle)) ? [low, middle] : [middle, high];
  }
  const x = Math.exp(high);
  const n = size(x);
  const fixedSize = (scenario) => new Scenario({ ...scenario, params: () => n, error: () => scenario.loss(n, x) });
  return [scenarios.map(fixedSize), scales.map(() => x)];
}

// How far the median plan is from the measurements (planner/plans/estimate.py).
function furthest(product, data, params) {
  const { largest, largest_params: sizes, largest_compute: compute } = product;
  const times = [0];
  if (largest !== null) times.push(quantile(data, 0.5) / largest);
  if (sizes !== null && params.length) times.push(quantile(params, 0.5) / sizes);
  if (compute !== null && params.length) times.push(Math.sqrt(quantile(data.map((d, i) => d * params[i]), 0.5) / compute));
  return Math.max(...times);
}

function lawWarnings(product, { data, params }, limit) {
  const [middle, size] = [quantile(data, 0.5), params.length ? quantile(params, 0.5) : Infinity];
  const [dataBegins, sizesBegin] = product.begins;
  return Object.entries({
    "ladder-exceeded": product.sizes !== null && Number.isFinite(size) && !(product.sizes[0] <= size && size <= product.sizes[1]),
    "floor-uncertain": share(data.map(Number.isFinite)) < 0.95,
    "extrapolated-far": furthest(product, data, params) > limit,
    "below-measured": (dataBegins !== null && middle < dataBegins / limit) || (sizesBegin !== null && size < sizesBegin / limit),
  }).filter(([, applies]) => applies).map(([code]) => code);
}

// The probability of all limits together and of each (planner/plans/resources.py).
function feasible(product, q, n, accelerator, count, reached) {
  // without an accelerator only bought data costs, and only its labeling takes days
  const budget = accelerator || q.data_dollars.length ? product.limits.budget : null;
  const days = accelerator || q.labeling_days.length ? product.limits.days : null;
  const hours = accelerator ? product.limits.gpu_hours : null;
  const limited = [budget, days, hours].some((limit) => limit !== null);
  if (accelerator && budget !== null && !q.dollars.length) throw new Error(`${accelerator.id} has no price: give one, the plan has a budget`);
  const compared = { // in the order in which they are printed
    budget: [q.total_dollars.length ? q.total_dollars : q.data_dollars, budget],
    deadline: [q.total_days.length ? q.total_days : q.labeling_days, days],
    gpu_hours: [q.gpu_hours ?? [], hours],
    memory: [q.devices ?? [], accelerator && limited ? count : null],
  };
  const limits = Object.entries(compared).filter(([, [values, limit]]) => limit !== null && values.length);
  const holds = Object.fromEntries(limits.map(([name, [values, limit]]) => [name, Array.from(values, (value) => value <= limit)]));
  if (product.confidence !== null && (product.stock !== null || limits.length)) holds.target = repeated(reached, n);
  if (product.stock !== null) holds.data = repeated(q.data, n).map((x) => x <= product.stock * (1 + 1e-9));
  const names = Object.keys(holds);
  if (!names.length) return { feasible: null, probability: null, limits: {}, binding: null };
  const possible = accelerator && limited ? q.gpu_hours.map(Number.isFinite) : repeated(reached, n);
  const probability = share(possible.map((flag, i) => flag && names.every((name) => holds[name][i])));
  const single = Object.fromEntries(names.map((name) => [name, share(holds[name])]));
  const tightest = names.reduce((least, name) => (single[name] < single[least] ? name : least));
  return {
    feasible: probability >= (product.confidence ?? 0.5),
    probability,
    limits: single,
    binding: single[tightest] < 1 ? tightest : null,
  };
}
