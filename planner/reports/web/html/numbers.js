// Numbers as text, digit for digit as planner/units.py prints them; a test compares the two.

// Python rounds an exact half to the even digit, JavaScript away from zero. Where they differ, follow Python.
function halfToEven(rounded, exact, length) {
  if (!/^\.?50*$/.test(exact.slice(length))) return rounded;
  const cut = exact.slice(0, length).replace(/\.$/, "");
  return "02468".includes(cut.at(-1)) ? cut : rounded;
}

function fixed(value, places) {
  const exact = value.toFixed(100);
  return halfToEven(value.toFixed(places), exact, exact.indexOf(".") + (places ? 1 + places : 0));
}

function exponential(value, places) {
  const [mantissa, exponent] = value.toExponential(places).split("e");
  const [exact, exactExponent] = value.toExponential(100).split("e");
  const length = exact.indexOf(".") + (places ? 1 + places : 0);
  return [exponent === exactExponent ? halfToEven(mantissa, exact, length) : mantissa, Number(exponent)];
}

function trim(text) {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

function decimal(value, digits) {
  const [mantissa, exponent] = exponential(value, digits - 1);
  const plain = value === 0 || (-4 <= exponent && exponent < 6);
  return plain ? trim(fixed(value, Math.max(digits - 1 - exponent, 0))) : `${trim(mantissa)}e${exponent}`;
}

// `prefixes`: [text, factor, the smallest rounded value that takes it], from large to small.
function scaled(value, digits, prefixes, unit = "") {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  const rounded = Number(exponential(value, digits - 1).join("e"));
  const [prefix, factor] = prefixes.find(([, , least]) => Math.abs(rounded) >= least) ?? ["", 1];
  return `${decimal(rounded / factor, digits)}${unit && " "}${prefix}${unit}`;
}

const SUFFIXES = [["", 1, 1e15], ["T", 1e12, 1e12], ["B", 1e9, 1e9], ["M", 1e6, 1e6], ["k", 1e3, 1e3]];
const BYTES = [["E", 1e18, 1e18], ["P", 1e15, 1e15], ["T", 1e12, 1e12], ["G", 1e9, 1e9], ["M", 1e6, 1e6], ["k", 1e3, 1e3]];

const formatNumber = (value, digits = 3) => scaled(value, digits, SUFFIXES);
const formatBytes = (value, digits = 3) => scaled(value, digits, BYTES, "B");
const formatFraction = (value, digits = 3) => `${decimal(100 * value, digits)}%`;
const formatMoney = (value) => `$${formatNumber(value)}`;

function formatFlops(value, digits = 3) {
  if (!Number.isFinite(value) || value === 0) return formatNumber(value);
  const [mantissa, exponent] = exponential(value, digits - 1);
  return `${trim(mantissa)}e${exponent}`;
}

function formatMetric(value, unit, digits = 3) {
  return unit === "fraction" ? formatFraction(value, digits) : `${formatNumber(value, digits)} ${unit}`.trimEnd();
}

// The metric in its own terms (planner/metrics.py): one that rises is its ceiling less the error.
const fromError = ({ metric_ceiling: ceiling }, error) => (ceiling === null ? error : ceiling - error);

function toError({ metric_ceiling: ceiling }, value) {
  return ceiling === null ? value : Number((ceiling - value).toPrecision(12));
}

function formatOwn({ metric_ceiling: ceiling, metric_unit: unit }, value) {
  const gap = ceiling === null ? 0 : Math.abs(ceiling - value);
  const near = gap > 0 && gap < Math.abs(value); // near the ceiling 99.95% and 99.99% differ
  return formatMetric(value, unit, near ? Math.min(Math.max(3, Math.ceil(Math.log10(Math.abs(value) / gap)) + 1), 12) : 3);
}

function dataInWords(unit) {
  return unit === "hours" ? "hours of audio" : unit;
}

function formatData(value, unit) {
  const number = formatNumber(value);
  return number === "1" && unit === "hours" ? "1 hour of audio" : `${number} ${dataInWords(unit)}`;
}

// By the names of `ValueFormat` in planner/plans/quantities.py: cells of a table, whose unit is in the row's label.
const PRINT = {
  metric: (value, product) => formatOwn(product, value),
  data: (value) => formatNumber(value),
  number: (value) => formatNumber(value),
  flops: (value) => formatFlops(value),
  money: (value) => formatMoney(value),
  bytes: (value) => formatBytes(value),
  fraction: (value) => formatFraction(value),
};

// Read a target as you write it: 5% or 0.05 of a fraction, a plain number of anything else; on scales up to 1 or 100
// a percentage too.
function parseMetric(text, { metric_unit: unit, metric, metric_ceiling: ceiling }) {
  const whole = unit === "fraction" ? 1 : ceiling;
  const parts = /^\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(%?)\s*$/.exec(text);
  if (!parts || (parts[2] && whole !== 1 && whole !== 100)) {
    const expected = unit === "fraction" ? "a percentage such as 5% or a fraction such as 0.05" : `a number${unit && ` of ${unit}`}`;
    throw new Error(`cannot read the target “${text}”: expected ${metric} as ${expected}`);
  }
  return parts[2] ? Number(((Number(parts[1]) / 100) * whole).toPrecision(15)) : Number(parts[1]);
}
