// From training FLOP to time, memory, money and energy, per posterior sample, as planner/hardware/training.py and
// cost.py compute them.

// `uniform` has one number of [0, 1) per assumption and sample, as Python drew them: bands map them to values.
function samplesOf(name, bands, uniform, n) {
  const low = Math.min(...bands.map((band) => band[0]));
  if (low === Math.max(...bands.map((band) => band[1]))) return new Float64Array(n).fill(low);
  return uniform[name].map((share) => {
    const band = Math.min(Math.trunc(share * bands.length), bands.length - 1);
    return bands[band][0] + (bands[band][1] - bands[band][0]) * (share * bands.length - band);
  });
}

function activationBytes(params, bytesPerUnit, aspectRatio) {
  return params === Infinity ? Infinity : (bytesPerUnit * params) / (12 * Math.cbrt((aspectRatio * params) / 12));
}

// Zero times infinity is zero: hardware that you own costs no dollars, even where the target is never reached.
function times(amounts, factors) {
  return amounts.map((amount, i) => (factors[i] ? amount * factors[i] : 0));
}

// Center and scale of the log-odds of a predicted utilization, as planner/hardware/utilization.py has them.
function predictedAt(model, params, count) {
  const size = Math.log10(params / 1e10);
  const x = [1, size, Math.min(size + 1, 0), Math.max(Math.log2(count / 8), 0)];
  const center = x.reduce((sum, a, i) => sum + model.mean[i] * a, 0);
  let variance = model.spread + (model.small * x[2]) ** 2;
  model.covariance.forEach((row, i) => { variance += x[i] * row.reduce((sum, c, j) => sum + c * x[j], 0); });
  return [center, (1.6449 / Math.log(0.95 / 0.05)) * Math.sqrt(variance)];
}

function predictedUtilization(model, share, params, count) {
  if (params === Infinity) return 1;
  const kept = Math.min(Math.max(share, 1e-9), 1 - 1e-9);
  const [center, scale] = predictedAt(model, params, count);
  return 1 / (1 + Math.exp(-(center + scale * Math.log(kept / (1 - kept)))));
}

function train(flops, params, accelerator, count, precision, bands, uniform, model) {
  if (!(precision in accelerator.peak)) {
    throw new Error(`${accelerator.id} has no figure for ${precision}: expected one of ${Object.keys(accelerator.peak).join(", ")}`);
  }
  const assumed = Object.fromEntries(
    Object.keys(bands).map((name) => [name, samplesOf(name, bands[name], uniform, flops.length)]));
  const training = { assumed, gpu_hours: [], days: [], memory: [], devices: [], memoryBound: 0 };
  // a prediction has the scaling loss in it, unless that is set: then it is of one machine
  const predictedOn = "scaling_loss" in bands ? Math.min(count, 8) : count;
  flops.forEach((operations, i) => {
    const a = (name, otherwise) => (name in assumed ? assumed[name][i] : otherwise);
    const utilization = model ? predictedUtilization(model, uniform.utilization[i], params[i], predictedOn) : a("utilization");
    const doublings = Math.max(Math.log2(count / a("utilization_devices", 8)), 0);
    const perPosition = activationBytes(params[i], a("activation_bytes"), a("aspect_ratio"));
    const computing = operations / (utilization * accelerator.peak[precision]);
    const traffic = operations === Infinity || params[i] === Infinity ? Infinity
      : operations * (a("traffic_bytes") / (6 * a("positions")) + (2 * perPosition) / (6 * params[i]));
    const seconds = Math.max(computing, traffic / (a("bandwidth_share") * accelerator.bandwidth));
    const hours = seconds / 3600 / (1 - a("scaling_loss", 0)) ** doublings / a("working_time", 1);
    const memory = a("state_bytes") * params[i] + a("positions") * perPosition;
    training.gpu_hours.push(hours);
    training.days.push(hours / 24 / count);
    training.memory.push(memory);
    training.devices.push(memory === Infinity ? Infinity : Math.max(Math.ceil(memory / (a("memory_share") * accelerator.memory)), 1));
    training.memoryBound += seconds > computing ? 1 : 0;
  });
  return training;
}

function trainingWarnings(training, accelerator, count, largest, isDefault) {
  const devices = quantile(training.devices, 0.5);
  const reached = Number.isFinite(devices); // where the target is never reached, no model has to fit
  return Object.entries({
    "utilization-assumed": isDefault,
    "utilization-above-matmul": accelerator.matmul && "bf16" in accelerator.peak && largest > accelerator.matmul / accelerator.peak.bf16,
    "part-uncertain": accelerator.uncertain,
    "memory-bound": training.memoryBound > training.devices.length / 2,
    "model-larger-than-device": reached && devices > 1,
    "does-not-fit": reached && devices > count,
  }).filter(([, applies]) => applies).map(([code]) => code);
}

function costOf(training, accelerator, price, uniform) {
  const { gpu_hours: hours, assumed } = training;
  const dollars = price === null ? null : times(hours, samplesOf("price", price, uniform, hours.length));
  if (accelerator.power === null) return { dollars, energy: [], carbon: [] };
  const kilowatts = assumed.power_usage_effectiveness.map((overhead) => (accelerator.power / 1000) * overhead);
  const energy = times(hours, kilowatts);
  return { dollars, energy, carbon: times(energy, assumed.carbon_intensity) };
}
