// Numbers as text: what planner/units.py prints, digit for digit. A test holds the two together.

// Python rounds an exact half to the even digit, JavaScript away from zero: where they part, be Python.
function halfToEven(rounded, exact, kept) {
  const rest = exact.slice(kept);
  if (!/^\.?50*$/.test(rest)) return rounded;
  const cut = exact.slice(0, kept).replace(/\.$/, "");
  return "02468".includes(cut[cut.length - 1]) ? cut : rounded;
}

function exponential(value, places) {
  const [mantissa, exponent] = value.toExponential(places).split("e");
  const exact = value.toExponential(100).split("e");
  const kept = exact[0].indexOf(".") + (places ? 1 + places : 0);
  return [exact[1] === exponent ? halfToEven(mantissa, exact[0], kept) : mantissa, Number(exponent)];
}

function fixed(value, places) {
  const exact = value.toFixed(100);
  return halfToEven(value.toFixed(places), exact, exact.indexOf(".") + (places ? 1 + places : 0));
}

function trim(text) {
  return text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text;
}

function decimal(value, digits) {
  const [mantissa, exponent] = exponential(value, digits - 1);
  if (value === 0 || (-4 <= exponent && exponent < 6)) {
    return trim(fixed(value, Math.max(digits - 1 - exponent, 0)));
  }
  return `${trim(mantissa)}e${exponent}`;
}

function roundedTo(value, digits) {
  const [mantissa, exponent] = exponential(value, digits - 1);
  return Number(`${mantissa}e${exponent}`);
}

function formatNumber(value, digits = 3) {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  const rounded = roundedTo(value, digits);
  for (const [suffix, factor] of [["T", 1e12], ["B", 1e9], ["M", 1e6], ["k", 1e3]]) {
    if (factor <= Math.abs(rounded) && Math.abs(rounded) < 1e15) {
      return decimal(rounded / factor, digits) + suffix;
    }
  }
  return decimal(rounded, digits);
}

function formatFlops(value, digits = 3) {
  if (!Number.isFinite(value) || value === 0) return formatNumber(value);
  const [mantissa, exponent] = exponential(value, digits - 1);
  return `${trim(mantissa)}e${exponent}`;
}

function formatFraction(value, digits = 3) {
  return `${decimal(100 * value, digits)}%`;
}

function formatMetric(value, unit, digits = 3) {
  return unit === "fraction" ? formatFraction(value, digits) : `${formatNumber(value, digits)} ${unit}`.trimEnd();
}

function formatData(value, unit) {
  const number = formatNumber(value);
  if (unit !== "hours") return `${number} ${unit}`;
  return number === "1" ? "1 hour of audio" : `${number} hours of audio`;
}

function formatMoney(value) {
  return `$${formatNumber(value)}`;
}

function formatBytes(value, digits = 3) {
  if (!Number.isFinite(value)) return formatNumber(value);
  const rounded = roundedTo(value, digits);
  for (const [prefix, factor] of [["E", 1e18], ["P", 1e15], ["T", 1e12], ["G", 1e9], ["M", 1e6], ["k", 1e3]]) {
    if (Math.abs(rounded) >= factor * ("EP".includes(prefix) ? 10 : 1)) {
      return `${decimal(rounded / factor, digits)} ${prefix}B`;
    }
  }
  return `${decimal(rounded, digits)} B`;
}

function formatProbability(value) {
  if (value === null) return "not stated by the publication";
  if (value > 0.995) return "more than 99%";
  return value < 0.005 ? "less than 1%" : `${fixed(100 * value, 0)}%`;
}

// A target as people write it: `5%` and `0.05` of a fraction, a plain number of anything else.
function parseMetric(text, unit, metric) {
  const found = /^\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(%?)\s*$/.exec(text);
  if (!found || (found[2] && unit !== "fraction")) {
    const wanted = unit === "fraction" ? "a percentage such as 5% or a fraction such as 0.05" : `a number of ${unit}`;
    throw new Error(`cannot read the target “${text}”: wanted ${metric} as ${wanted}`);
  }
  const value = Number(found[1]);
  return found[2] ? Number((value / 100).toPrecision(15)) : value;
}
