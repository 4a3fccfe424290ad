// From training FLOP to time, memory, money and energy: planner/hardware/training.py and cost.py, draw by draw.

// `uniform` holds, for each assumption, one number of [0, 1) a draw as Python drew them: bands map them to values.
function drawn(name, bands, uniform, n) {
  const low = Math.min(...bands.map((band) => band[0]));
  if (low === Math.max(...bands.map((band) => band[1]))) return new Float64Array(n).fill(low);
  return uniform[name].map((place) => {
    const at = place * bands.length;
    const band = Math.min(Math.trunc(at), bands.length - 1);
    return bands[band][0] + (bands[band][1] - bands[band][0]) * (at - band);
  });
}

function activationBytes(params, perUnit, aspectRatio) {
  if (params === Infinity) return Infinity;
  const width = Math.cbrt((aspectRatio * params) / 12);
  return (perUnit * params) / (12 * width);
}

function movedBytes(flops, params, a, i) {
  if (flops === Infinity || params === Infinity) return Infinity;
  const activations = (2 * activationBytes(params, a.activation_bytes[i], a.aspect_ratio[i])) / (6 * params);
  return flops * (a.traffic_bytes[i] / (6 * a.positions[i]) + activations);
}

// Nothing times infinity is nothing: owned hardware costs no dollars even where a target is never reached.
function times(amounts, each) {
  return amounts.map((amount, i) => (each[i] ? amount * each[i] : 0));
}

function train(flops, params, part, count, precision, bands, uniform) {
  if (!(precision in part.peak)) {
    throw new Error(`${part.id} has no figure for ${precision}: it has ${Object.keys(part.peak).join(", ")}`);
  }
  const a = {};
  for (const name of Object.keys(bands)) a[name] = drawn(name, bands[name], uniform, flops.length);
  const found = { hours: [], days: [], utilization: [], memory: [], devices: [], bound: 0, drawn: a };
  for (let i = 0; i < flops.length; i++) {
    const compute = a.utilization[i] * part.peak[precision];
    const left = (1 - a.scaling_loss[i]) ** Math.max(Math.log2(count / 8), 0);
    const atCompute = flops[i] / compute;
    const moving = movedBytes(flops[i], params[i], a, i) / (a.bandwidth_share[i] * part.bandwidth);
    const seconds = Math.max(atCompute, moving);
    const kept = a.positions[i] * activationBytes(params[i], a.activation_bytes[i], a.aspect_ratio[i]);
    const one = a.state_bytes[i] * params[i] + kept;
    found.memory.push(one);
    found.devices.push(one === Infinity ? Infinity : Math.max(Math.ceil(one / (a.memory_share[i] * part.memory)), 1));
    found.bound += seconds > atCompute ? 1 : 0;
    found.hours.push(seconds / 3600 / left);
    found.days.push(seconds / 3600 / left / 24 / count);
    found.utilization.push(a.utilization[i] * left * (0 < seconds && seconds < Infinity ? atCompute / seconds : 1));
  }
  return found;
}

function trainingWarnings(found, part, count, precision, bands, isDefault) {
  const codes = [];
  if (isDefault) codes.push("utilization-assumed");
  const most = Math.max(...bands.utilization.map((band) => band[1]));
  if (part.matmul && "bf16" in part.peak && most > part.matmul / part.peak.bf16) codes.push("utilization-above-matmul");
  if (part.uncertain) codes.push("part-uncertain");
  if (found.bound / found.hours.length > 0.5) codes.push("memory-bound");
  const middle = quantile(found.devices, 0.5);
  if (middle === Infinity) return codes; // the target is never reached: there is no model to hold
  if (middle === Infinity) return codes;
  if (middle > 1) codes.push("model-larger-than-device");
  if (middle > count) codes.push("does-not-fit");
  return codes;
}

function bill(found, part, price, uniform) {
  const dollars = price === null ? null : times(found.hours, drawn("price", price, uniform, found.hours.length));
  if (part.power === null) return { dollars, energy: null, carbon: null };
  const overhead = found.drawn.power_usage_effectiveness;
  const energy = times(found.hours, overhead.map((share) => (part.power / 1000) * share));
  return { dollars, energy, carbon: times(energy, found.drawn.carbon_intensity) };
}
