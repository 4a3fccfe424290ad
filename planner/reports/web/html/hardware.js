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

function train(flops, params, accelerator, count, precision, bands, uniform) {
  if (!(precision in accelerator.peak)) {
    throw new Error(`${accelerator.id} has no figure for ${precision}: expected one of ${Object.keys(accelerator.peak).join(", ")}`);
  }
  const assumed = Object.fromEntries(
    Object.keys(bands).map((name) => [name, samplesOf(name, bands[name], uniform, flops.length)]));
  const training = { assumed, gpu_hours: [], days: [], memory: [], devices: [], memoryBound: 0 };
  const doublings = Math.max(Math.log2(count / 8), 0);
  flops.forEach((operations, i) => {
    const a = (name) => assumed[name][i];
    const perPosition = activationBytes(params[i], a("activation_bytes"), a("aspect_ratio"));
    const computing = operations / (a("utilization") * accelerator.peak[precision]);
    const traffic = operations === Infinity || params[i] === Infinity ? Infinity
      : operations * (a("traffic_bytes") / (6 * a("positions")) + (2 * perPosition) / (6 * params[i]));
    const seconds = Math.max(computing, traffic / (a("bandwidth_share") * accelerator.bandwidth));
    const hours = seconds / 3600 / (1 - a("scaling_loss")) ** doublings;
    const memory = a("state_bytes") * params[i] + a("positions") * perPosition;
    training.gpu_hours.push(hours);
    training.days.push(hours / 24 / count);
    training.memory.push(memory);
    training.devices.push(memory === Infinity ? Infinity : Math.max(Math.ceil(memory / (a("memory_share") * accelerator.memory)), 1));
    training.memoryBound += seconds > computing ? 1 : 0;
  });
  return training;
}

function trainingWarnings(training, accelerator, count, utilization, isDefault) {
  const devices = quantile(training.devices, 0.5);
  const largest = Math.max(...utilization.map((band) => band[1]));
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
