// The what-if panel: reads the embedded draws, asks `ask`, shows what comes back. Text goes in as text only.

const LEVELS = [0.05, 0.5, 0.95];
const LIMITS = {
  budget: "the budget", deadline: "the deadline", gpu_hours: "the GPU-hours",
  memory: "the memory of the devices", data: "the data in hand", target: "the target",
};

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

function floatsOf(base64) {
  return new Float64Array(bytesOf(base64).buffer);
}

// Paths are 4-byte floats: their bit patterns as second differences along each path, zigzag, byte by byte, deflated.
async function unpacked({ rows, columns, base64 }) {
  const stream = new Blob([bytesOf(base64)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const n = rows * columns;
  const bits = new Int32Array(n);
  for (let row = 0; row < rows; row++) {
    let [value, step] = [0, 0];
    for (let i = row * columns; i < (row + 1) * columns; i++) {
      const z = (bytes[i] | (bytes[n + i] << 8) | (bytes[2 * n + i] << 16) | (bytes[3 * n + i] << 24)) >>> 0;
      step = (step + ((z >>> 1) ^ -(z & 1))) | 0;
      value = (value + step) | 0;
      bits[i] = value;
    }
  }
  const floats = new Float32Array(bits.buffer);
  return Array.from({ length: rows }, (_, row) => floats.subarray(row * columns, (row + 1) * columns));
}

async function embedded() {
  const data = JSON.parse(document.getElementById("draws").textContent);
  for (const [id, law] of Object.entries(data.laws)) {
    if (law.paths) data.laws[id] = { grid: floatsOf(law.grid), paths: await unpacked(law.paths) };
    else data.laws[id] = Object.fromEntries(Object.entries(law).map(([name, base64]) => [name, floatsOf(base64)]));
  }
  for (const names of Object.values(data.uniform)) {
    for (const name of Object.keys(names)) names[name] = floatsOf(names[name]);
  }
  return data;
}

function element(tag, text = "", attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function rowsOf(product, answer, part, count) {
  const q = answer.quantities;
  const unit = product.unit === "hours" ? "hours of audio" : product.unit;
  const rows = [];
  if (product.confidence !== null) rows.push([`${product.metric} reached`, "error", (v) => formatMetric(v, product.metric_unit)]);
  rows.push([`Data, ${unit}`, "data", formatNumber]);
  if (q.epochs.some((passes) => 1 < passes && passes < Infinity)) rows.push(["Passes over the data", "epochs", formatNumber]);
  rows.push(
    ["Parameters", "params", formatNumber],
    ["Training FLOP", "flops", formatFlops],
    ["Times the largest measured data", "beyond", formatNumber],
  );
  if (product.spending.served) rows.push(["Serving FLOP", "serving_flops", formatFlops]);
  if (part) {
    rows.push(
      ["GPU-hours", "gpu_hours", formatNumber],
      [`Days on ${count} x ${part.id}`, "days", formatNumber],
      ["Compute", "dollars", formatMoney],
    );
  }
  if (q.serving_dollars.length) rows.push(["Serving it", "serving_dollars", formatMoney]);
  if (q.data_dollars.length) rows.push(["Data to be had", "data_dollars", formatMoney]);
  if (part) {
    if (q.data_dollars.length) rows.push(["Compute and data", "total_dollars", formatMoney]);
    rows.push(
      ["Energy, kWh", "energy", formatNumber],
      ["Carbon, kg CO2e", "carbon", formatNumber],
      ["Memory", "memory", formatBytes],
      ["Devices that hold it", "devices", formatNumber],
    );
  }
  return rows;
}

const OF_LAW = new Set(["error", "data", "params", "flops", "epochs", "beyond", "serving_flops"]);

// With data that somebody might have the target is often less probable than at any amount.
function withinWords(answer) {
  const [, ten, hundred] = answer.probability_within;
  if (!ten || formatProbability(ten[1]) === formatProbability(answer.probability_reachable)) return "";
  return `; with at most ${ten[0]} times the largest measured data ${formatProbability(ten[1])}, `
    + `with ${hundred[0]} times ${formatProbability(hundred[1])}`;
}

// What is needed where the target is reached, if most draws never reach it: the table says never.
function whereReached(product, draws) {
  const reached = draws.filter(Number.isFinite);
  if (!reached.length || 2 * reached.length > draws.length) return [];
  const [low, middle, high] = LEVELS.map((level) => quantile(reached, level));
  return [`In the draws that reach it, ${formatData(middle, product.unit)} are needed `
    + `(90% interval ${formatNumber(low)} to ${formatNumber(high)}).`];
}

function show(out, product, answer, part, count) {
  const body = document.createElement("tbody");
  for (const [name, key, format] of rowsOf(product, answer, part, count)) {
    const row = element("tr", "", { "data-quantity": key });
    row.append(element("th", name, { scope: "row", class: "w" }));
    const draws = answer.quantities[key];
    const spread = !OF_LAW.has(key) || answer.spread;
    for (const level of LEVELS) {
      const value = draws.length ? quantile(draws, level) : null;
      const known = value !== null && (spread || level === 0.5);
      const text = !known ? "-" : value === Infinity ? "never" : format(value);
      row.append(element("td", text, known ? { "data-value": String(value) } : {}));
    }
    body.append(row);
  }
  out.table.replaceChildren(out.head, body);
  const notes = [];
  if (product.confidence === null) {
    notes.push(`Probability that the target can be reached: ${formatProbability(answer.probability_reachable)}`
      + `${withinWords(answer)}.`);
  } else {
    notes.push(`This one plan reaches the target with probability ${formatProbability(answer.probability_reachable)}.`);
  }
  notes.push(...whereReached(product, answer.quantities.data));
  if (answer.probability !== null) {
    const each = Object.entries(answer.limits).map(([name, p]) => `${LIMITS[name]} ${formatProbability(p)}`).join(", ");
    notes.push(`${answer.feasible ? "Feasible" : "Not feasible"}: all limits hold with probability `
      + `${formatProbability(answer.probability)}${each ? ` (alone: ${each})` : ""}.`);
    notes.push(answer.binding === null ? "Nothing binds." : `What binds: ${LIMITS[answer.binding]}.`);
  }
  out.notes.replaceChildren(...notes.map((note) => element("li", note)));
}

function priceOf(text) {
  if (!text.trim()) return null;
  const ends = text.replace("$", "").split("..").map((end) => (end.trim() === "" ? NaN : Number(end)));
  const [low, high] = [ends[0], ends[ends.length - 1]];
  if (ends.length > 2 || !(low >= 0) || !(high >= low) || high === Infinity) {
    throw new Error(`cannot read the price “${text}”: wanted dollars an hour such as 2 or 1.5..3`);
  }
  return [[low, high]];
}

function command(product, { target, part, count, price }) {
  const words = ["planner estimate --law", product.law, "--target", target.replace(/\s/g, "")];
  if (part) words.push("--on", part.id, "--count", count);
  const set = price.replace("$", "").replace(/\s/g, "") || product.price_option;
  if (part && set) words.push("--assume", `price=${set}`);
  return [...words, ...product.options, ...(part ? product.part_options : [])].join(" ");
}

async function start() {
  const panel = document.getElementById("what-if");
  if (typeof DecompressionStream === "undefined") return; // a browser of before 2023: the page stands without
  const data = await embedded();
  const form = panel.querySelector("form");
  const { product: which, target, part: on, count, price } = form.elements;
  const out = {
    table: panel.querySelector("table"), head: panel.querySelector("thead"), notes: panel.querySelector(".chances"),
    warnings: panel.querySelector(".warnings"), command: panel.querySelector("code"), error: panel.querySelector(".error"),
  };
  data.products.forEach((product, i) => which.append(element("option", product.name, { value: i })));
  on.append(element("option", "none", { value: "" }));
  data.parts.forEach((part) => on.append(element("option", part.id, { value: part.id })));

  const update = () => {
    const product = data.products[which.value];
    const part = data.parts.find((each) => each.id === on.value) ?? null;
    out.error.textContent = "";
    try {
      const number = Number(count.value);
      if (part && !(Number.isInteger(number) && number >= 1)) throw new Error("wanted a whole number of devices, at least 1");
      const goal = parseMetric(target.value, product.metric_unit, product.metric);
      const answer = ask(product, data, { target: goal, part, count: number, price: part ? priceOf(price.value) : null });
      show(out, product, answer, part, number);
      out.warnings.replaceChildren(...answer.warnings.map((code) => element("li", `${data.sentences[code] ?? code} [${code}]`, { "data-code": code })));
      out.command.textContent = command(product, { target: target.value, part, count: number, price: price.value });
    } catch (error) {
      out.error.textContent = error.message;
      out.table.replaceChildren(out.head);
      out.notes.replaceChildren();
      out.warnings.replaceChildren();
      out.command.textContent = "";
    }
  };
  const reset = () => {
    const product = data.products[which.value];
    target.value = product.target;
    on.value = product.part ?? "";
    count.value = product.count;
    price.value = "";
    update();
  };
  which.addEventListener("change", reset);
  for (const input of [target, count, price, on]) input.addEventListener("input", update);
  form.addEventListener("reset", (event) => { event.preventDefault(); reset(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  reset();
  panel.hidden = false;
}

start();
