// The what-if panel: reads the embedded data, asks `ask`, shows the answer. Names are inserted as text, never as HTML.

const LEVELS = [0.05, 0.5, 0.95];
const ROWS_OF_LAW = new Set(["error", "data", "epochs", "params", "flops", "serving_flops"]);
const NOT_IN_TABLE = new Set(["utilization", "bytes_moved", "step_seconds", "devices_for_deadline"]); // the panel has a count

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
  const data = JSON.parse(document.getElementById("panel-data").textContent);
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

// Whether the table has a row for a quantity, by the rules of planner/plans/quantities.py.
function inTable(key, product, { quantities: q }, accelerator) {
  switch (key) {
    case "error": case "score": return product.confidence !== null && (key === "score") === (product.metric_ceiling !== null);
    case "epochs": return q.epochs.some((epochs) => 1 < epochs && epochs < Infinity);
    case "serving_flops": return product.constraints.served > 0;
    case "serving_dollars": case "data_dollars": return q[key].length > 0;
    case "labeling_days": return q.labeling_days.length > 0;
    case "total_days": return q.labeling_days.length > 0 && q.total_days.length > 0;
    case "total_dollars": return accelerator !== null && q.data_dollars.length > 0;
    default: return ROWS_OF_LAW.has(key) || (accelerator !== null && !NOT_IN_TABLE.has(key));
  }
}

function rowsOf(product, data, answer, accelerator) {
  const rows = data.quantities.filter(({ key }) => inTable(key, product, answer, accelerator)).map(({ key, label, format }) => {
    if (format === "metric") label = `${product.metric} reached`;
    if (format === "data") label = `${label}, ${dataInWords(product.unit)}`;
    return [label, key, (value) => PRINT[format](value, product), ROWS_OF_LAW.has(key)];
  });
  const after = rows.findIndex(([, key]) => key === "flops") + 1;
  rows.splice(after, 0, [data.sentences.times_measured, "beyond", formatNumber, true]);
  return rows;
}

// The sentences of planner/reports/sentences.py, in the order of planner/reports/estimate.py.
function notesOf(product, { sentences }, answer) {
  const fill = (name, values) => sentences[name].replace(/{(\w+)}/g, (_, key) => values[key]);
  const probability = (value) => {
    if (value === null) return sentences.not_stated;
    if (value > 0.995) return sentences.almost_sure;
    return value < 0.005 ? sentences.almost_never : `${fixed(100 * value, 0)}%`;
  };
  const notes = [];
  const worsens = product.warnings.includes("rising"); // then only the prior says that it will improve
  const reachable = worsens ? sentences.worsening : probability(answer.probability_reachable);
  if (product.confidence === null) {
    const [, near, far] = answer.probability_within;
    const within = !near || probability(near[1]) === reachable ? "" : fill("within_data",
      { near: near[0], near_probability: probability(near[1]), far: far[0], far_probability: probability(far[1]) });
    notes.push(fill("reachable", { probability: reachable, within }));
  } else {
    notes.push(fill("confident", { probability: reachable }));
  }
  const samples = answer.quantities.data;
  const reaching = samples.filter(Number.isFinite);
  if (reaching.length && 2 * reaching.length <= samples.length) {
    const [low, median, high] = LEVELS.map((level) => quantile(reaching, level));
    notes.push(fill("if_reachable",
      { median: formatData(median, product.unit), low: formatNumber(low), high: formatNumber(high) }));
  }
  if (answer.probability !== null) {
    const limits = Object.entries(answer.limits).map(([name, p]) => `${sentences[`limit_${name}`]} ${probability(p)}`).join(", ");
    notes.push(fill("feasible", {
      probability: probability(answer.probability),
      by_limit: limits && fill("each_limit", { limits }),
    }));
    notes.push(answer.binding === null ? sentences.no_risk : fill("tightest", { limit: sentences[`limit_${answer.binding}`] }));
  }
  return notes;
}

function rowElement([label, key, print], answer, { unknown, never }) {
  const row = element("tr", "", { "data-quantity": key });
  row.append(element("th", label, { scope: "row", class: "w" }));
  const samples = answer.quantities[key];
  for (const level of LEVELS) {
    const isKnown = samples.length > 0;
    const value = isKnown ? quantile(samples, level) : null;
    const text = !isKnown ? unknown : value === Infinity ? never : print(value);
    row.append(element("td", text, isKnown ? { "data-value": String(value) } : {}));
  }
  return row;
}

function priceOf(text) {
  if (!text.trim()) return null;
  const ends = text.replace("$", "").split("..").map((end) => (end.trim() === "" ? NaN : Number(end)));
  const [low, high] = [ends[0], ends.at(-1)];
  if (ends.length > 2 || !(low >= 0) || !(high >= low) || high === Infinity) {
    throw new Error(`cannot read the price “${text}”: expected dollars per hour such as 2 or 1.5..3`);
  }
  return [[low, high]];
}

// An amount as people type it: 20000, 20,000, $20k or 1.5M; null where the field is empty.
function amountOf(text, name, suffix = "") {
  const plain = text.trim().replace(/,(?=\d{3}(?!\d))/g, "");
  if (!plain) return null;
  const parts = new RegExp(`^\\$?\\s*(\\d+\\.?\\d*|\\.\\d+)\\s*([kMBT]?)${suffix}$`).exec(plain);
  if (!parts) throw new Error(`${name} “${text}”: expected a number such as 20000 or 20k`);
  return Number(parts[1]) * { "": 1, k: 1e3, M: 1e6, B: 1e9, T: 1e12 }[parts[2]];
}

// The product with what the fields change; an empty field leaves the plan as it is.
function changed(product, { data_price, have_data, budget, deadline }) {
  const supply = {
    data_price: data_price === null ? product.data_price : [[null, data_price]],
    available: have_data ?? product.available,
  };
  const bought = supply.data_price !== null || product.data_rate !== null;
  const options = { ...product.changeable };
  if (data_price !== null) options.data_price = `'$${data_price}/1 ${product.unit}'`;
  if (have_data !== null) options.have_data = String(have_data);
  if (budget !== null) options.budget = `'$${budget}'`;
  if (deadline !== null) options.deadline = `${deadline}d`;
  return {
    ...product,
    ...supply,
    stock: bought ? null : supply.available,
    constraints: { ...product.constraints, have: product.surface ? supply.available : null },
    limits: { ...product.limits, budget: budget ?? product.limits.budget, days: deadline ?? product.limits.days },
    changeable: options,
  };
}

function command(product, { target, accelerator, count, price }) {
  const { have_data: have, data_price: dataPrice, budget, deadline } = product.changeable;
  const words = ["planner estimate --law", product.law, "--target", target.replace(/\s/g, "")];
  if (accelerator) words.push("--on", accelerator.id, "--count", count);
  const assumed = price.replace("$", "").replace(/\s/g, "") || product.price_option;
  if (accelerator && assumed) words.push("--assume", `price=${assumed}`);
  const options = {
    "--have-data": have,
    "--data-price": dataPrice,
    "--budget": accelerator || dataPrice ? budget : "", // nothing else has a price or takes days
    "--deadline": accelerator || product.data_rate !== null ? deadline : "",
  };
  for (const [name, text] of Object.entries(options)) if (text) words.push(name, text);
  return [...words, ...product.options, ...(accelerator ? product.accelerator_options : [])].join(" ");
}

async function start() {
  const panel = document.getElementById("what-if");
  if (typeof DecompressionStream === "undefined") return; // a browser from before 2023: the rest of the page works
  const data = await embedded();
  const form = panel.querySelector("form");
  const { product: which, target, accelerator: on, count, price } = form.elements;
  const fields = ["data_price", "have_data", "budget", "deadline"].map((name) => form.elements[name]);
  const [head, body] = [panel.querySelector("thead"), document.createElement("tbody")];
  const show = (selector, children) => panel.querySelector(selector).replaceChildren(...children);
  const current = () => data.products[which.value];
  data.products.forEach((product, i) => which.append(element("option", product.name, { value: i })));
  on.append(element("option", "none", { value: "" }));
  data.accelerators.forEach(({ id }) => on.append(element("option", id, { value: id })));

  const answerTo = (planned) => {
    const product = changed(planned, Object.fromEntries(fields.map(({ name, value, dataset }) =>
      [name, amountOf(value, dataset.label, name === "deadline" ? "\\s*d?" : "")])));
    const accelerator = data.accelerators.find(({ id }) => id === on.value) ?? null;
    const number = Number(count.value);
    if (accelerator && !(Number.isInteger(number) && number >= 1)) throw new Error(`count “${count.value}”: expected a whole number, at least 1`);
    const answer = ask(product, data, {
      target: toError(product, parseMetric(target.value, product)),
      accelerator,
      count: number,
      price: accelerator ? priceOf(price.value) : null,
    });
    return {
      rows: rowsOf(product, data, answer, accelerator).map((row) => rowElement(row, answer, data.sentences)),
      notes: notesOf(product, data, answer),
      codes: answer.warnings,
      command: command(product, { target: target.value, accelerator, count: number, price: price.value }),
    };
  };
  const update = () => {
    let [shown, refusal] = [{ rows: [], notes: [], codes: [], command: "" }, ""];
    try {
      shown = answerTo(current());
    } catch (error) {
      refusal = error.message;
    }
    panel.querySelector(".error").textContent = refusal;
    body.replaceChildren(...shown.rows);
    show("table", [head, body]);
    show(".chances", shown.notes.map((note) => element("li", note)));
    show(".warnings", shown.codes.map((code) => element("li", `${data.warnings[code] ?? code} [${code}]`, { "data-code": code })));
    panel.querySelector("code").textContent = shown.command;
  };
  const reset = () => {
    const product = current();
    [target.value, on.value, count.value, price.value] = [product.target, product.accelerator ?? "", product.count, ""];
    for (const field of fields) {
      field.value = "";
      field.placeholder = product.changeable[field.name].replaceAll("'", "") || "none";
    }
    panel.querySelector(".data-unit").textContent = product.unit === "hours" ? "hour of audio" : product.unit.replace(/s$/, "");
    update();
  };
  which.addEventListener("change", reset);
  for (const input of [target, count, price, on, ...fields]) input.addEventListener("input", update);
  form.addEventListener("reset", (event) => { event.preventDefault(); reset(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  reset();
  panel.hidden = false;
}

start();
