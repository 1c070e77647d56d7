// Expression mode: from the text that is typed to a graph, both passes over it, and the chain rule of any of its values.

const element = (id) => document.getElementById(id);
const made = (tag, props = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...children);
  return node;
};
const SVG = "http://www.w3.org/2000/svg";
const drawn = (tag, attributes = {}) => {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
};

const SAMPLES = [
  ["a neuron", "z = w*a + b\nC = (tanh(z) - y)^2\nw = 0.8; a = 1.5; b = -0.5; y = 1"],
  ["two paths", "y = x^2 + 5*x\nx = 3"],
  [
    "two layers",
    "h = relu(w1*x + b1)\ng = relu(w2*x + b2)\nC = (v1*h + v2*g - y)^2\nw1 = 0.9; w2 = -0.6; b1 = 0.2; b2 = 0.4; v1 = 1.1; v2 = -0.7; x = 0.5; y = 1",
  ],
  ["a saturated sigmoid", "C = (sigmoid(w*x) - y)^2\nw = 6; x = 1.5; y = 0"],
  ["a dead ReLU", "C = (relu(w*x + b) - y)^2\nw = 0.5; x = 1; b = -2; y = 1"],
  ["softmax and cross-entropy", "C = logsumexp(z1, z2, z3) - z2\nz1 = 2; z2 = 1; z3 = 0.1"],
  [
    "a shared weight",
    "h1 = tanh(w*x1)\nh2 = tanh(w*x2 + u*h1)\nC = (h2 - y)^2\nw = 0.7; u = 1.2; x1 = 0.5; x2 = -1; y = 0.3",
  ],
];
const listed = (names) => (names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}` : names[0]);
const MOST_DRAWN = 150,
  PATHS = 8;

const desk = {
  values: [],
  worth: [],
  start: [],
  now: 0,
  chosen: 0,
  route: -1,
  moved: new Map(),
  steps: [{ kind: "start" }],
};

// The text ------------------------------------------------------------------------------------------------------------

function read(text, follow = true) {
  let values;
  try {
    values = graphOf(text, opening.starts);
    const start = values.map((value) => value.data ?? 0),
      { problems } = evaluated(values, start);
    if (problems.length) {
      const { op, at, end, operands } = values[problems[0]],
        { data } = evaluated(values, start);
      const numbers = operands.map((x) => significant(typeof x === "number" ? data[x] : x[0])).join(", ");
      throw new Fault(`${op} has no finite value at ${numbers}`, at, end);
    }
    Object.assign(desk, { values, start });
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    complain(text, fault);
    return false;
  }
  element("fault").replaceChildren();
  element("text").removeAttribute("aria-invalid");
  element("graph").classList.remove("stale");
  element("leaf-fault").textContent = "";
  const { steps, completeAt } = passes(values),
    leaves = values.flatMap((value, i) => (value.op ? [] : [i]));
  desk.worth = desk.start.map((x, i) => desk.moved.get(values[i].label) ?? x);
  Object.assign(desk, { steps, completeAt, leaves, text, chosen: leaves[0], route: -1 });
  desk.now = follow ? steps.length - 1 : Math.min(desk.now, steps.length - 1);
  rerun();
  draw();
  sliders();
  const free = leaves.filter((i) => values[i].free).map((i) => values[i].label);
  element("free").textContent = free.length
    ? `The text gives no number to ${listed(free)}: the page chose where ${free.length > 1 ? "they start" : "it starts"}. Write ${free[0]} = 0.8 to give one.`
    : "";
  element("step").max = steps.length - 1;
  const names = values.map((value) => plainText(value.symbol));
  element("chosen").replaceChildren(
    ...values.slice(0, -1).map((value, i) => made("option", { value: i, textContent: names[i] })),
  );
  if (values.length === 1) element("chosen").append(made("option", { value: 0, textContent: names[0] }));
  element("chosen").value = desk.chosen;
  go(desk.now, false);
  return true;
}

function complain(text, { reason, at, end }) {
  const line = text.slice(0, at).split("\n").length,
    from = text.lastIndexOf("\n", at - 1) + 1;
  const shown = text.slice(from).split("\n", 1)[0],
    column = Math.min(at - from, shown.length),
    cut = Math.max(0, column - 24);
  const stop = Math.min(end - from, shown.length);
  const excerpt = made(
    "code",
    {},
    (cut ? "\u2026" : "") + shown.slice(cut, column),
    made("mark", { textContent: shown.slice(column, stop) || "\u2009\u00B7" }),
    shown.slice(stop, stop + 24),
  );
  element("fault").replaceChildren(`Line ${line}, column ${at - from + 1}: ${reason}`, excerpt);
  element("text").setAttribute("aria-invalid", "true");
  element("graph").classList.add("stale");
  check();
}

// Names, formulas and rules of all values, as HTML. A value without a label goes by its formula, where that is long by u
// and a number; never by what a value before it is called. Rules follow what the values are worth, for a choice is made by
// numbers.
function describe(values, data, longest = 16) {
  const taken = new Set(values.map(({ label }) => label.replace("_", ""))),
    found = [], // what a value is called within the formulas of others
    before = []; // what the operands are called, and the operands of those that go by a formula
  let count = 0;
  values.forEach((value, i) => {
    const places = (value.operands ?? []).filter((x) => typeof x === "number"),
      operands = (value.operands ?? []).map((x) => (typeof x === "number" ? found[x] : x[0]));
    const listed = value.op && grouped(operations[value.op].lists, operands);
    let formula = value.op && symbolic[value.op].value(...listed);
    before[i] = new Set(places.flatMap((x) => [S.html(found[x]), ...(values[x].labelled ? [] : before[x])]));
    const apart = !value.op || value.label || (typeof formula !== "number" && !before[i].has(S.html(formula)));
    const alone = (value.operands ?? []).map((x) => (typeof x === "number" ? values[x].alone : x[0]));
    const written = apart ? formula : S.literal(value.op, alone, data[i]);
    const isShort = value.op && plainText(S.html(written)).length <= longest;
    if (!value.label && !isShort) while (taken.has(`u${++count}`));
    found[i] = value.label
      ? S.name(named(value.label), data[i])
      : isShort
        ? formula
        : S.name(`<i>u</i><sub>${count}</sub>`, data[i]);
    value.labelled = Boolean(value.op) && found[i] !== formula;
    value.alone = value.labelled || !value.op ? found[i] : written;
    value.name = S.html(value.alone);
    value.symbol = S.least(value.alone, ATOM);
    value.formula = value.op ? S.html(written) : "";
    Object.defineProperty(value, "rules", {
      configurable: true,
      get: () => symbolic[value.op].partials(...listed, found[i]).map(S.html),
    });
  });
}

function rerun() {
  desk.result = evaluated(desk.values, desk.worth);
  describe(desk.values, desk.result.data);
  check();
}

// The picture ---------------------------------------------------------------------------------------------------------

function draw() {
  const { values } = desk,
    holder = element("inner");
  holder.replaceChildren();
  for (const node of [holder, element("scaled")]) node.removeAttribute("style");
  desk.boxes = desk.lines = [];
  if (values.length > MOST_DRAWN) {
    holder.append(
      made("p", {
        className: "quiet",
        textContent: `This graph has ${values.length} values: too many to draw, but the table below lists them all, and the chain rule is worked out.`,
      }),
    );
    return;
  }
  const last = values.length - 1;
  desk.boxes = values.map((value, i) => {
    const box = made("button", {
      className: `box ${i === last ? "cost" : value.op ? "operation" : "leaf"}`,
      tabIndex: -1,
    });
    box.innerHTML = `<span class="head"><span class="name">${value.name}</span>${value.labelled && plainText(value.formula).length < 30 ? `<span class="remark">${value.formula}</span>` : ""}</span><span class="value"></span><span class="grad"></span>`;
    box.dataset.node = i;
    box.addEventListener("click", () => choose(i));
    holder.append(box);
    return box;
  });
  const edges = values.flatMap((value, i) =>
    (value.operands ?? []).flatMap((x, k) => (typeof x === "number" ? [[x, i, k]] : [])),
  );
  // as wide as its numbers are, and as others that a slider may bring; what is wider still is written smaller by show
  const { data, gradient, partials } = desk.result;
  const widths = [() => ["\u22120.0000", "grad \u22120.0000"], (i) => [html(data[i]), `grad ${html(gradient[i])}`]].map(
    (texts) => {
      desk.boxes.forEach((box, i) => {
        const [value, grad] = texts(i);
        box.querySelector(".value").innerHTML = value;
        box.querySelector(".grad").innerHTML = grad;
      });
      return desk.boxes.map((box) => Math.ceil(box.offsetWidth) + 2);
    },
  );
  const sizes = desk.boxes.map((box, i) => [Math.max(76, ...widths.map((list) => list[i])), box.offsetHeight]);
  const { centres, curves, places, width, height } = arrange(
    sizes,
    edges.map(([tail, head, k]) => [tail, head, Math.max(26, labelWidth(significant(partials[head][k])))]),
  );
  const pad = 10,
    svg = drawn("svg", {
      width: width + 2 * pad,
      height: height + 2 * pad,
      viewBox: `${-pad} ${-pad} ${width + 2 * pad} ${height + 2 * pad}`,
      "aria-hidden": true,
    });
  desk.boxes.forEach((box, i) => {
    Object.assign(box.style, {
      left: `${pad + centres[i][0] - sizes[i][0] / 2}px`,
      top: `${pad + centres[i][1] - sizes[i][1] / 2}px`,
      width: `${sizes[i][0]}px`,
    });
  });
  desk.lines = edges.map(([x, i, k], e) => {
    const [start, ...rest] = curves[e],
      [tipX, tipY] = rest[rest.length - 1];
    const g = drawn("g", { class: "edge" });
    g.append(
      drawn("path", {
        class: "line",
        d: `M${start.map((c) => c.toFixed(1))}C${rest.map((point) => point.map((c) => c.toFixed(1))).join(" ")}`,
      }),
      drawn("path", { class: "tip", d: `M${tipX + 1} ${tipY}l-9 -4v8z` }),
      drawn("rect", { class: "under", y: places[e][1] - 9, height: 18 }),
      drawn("text", { class: "local", x: places[e][0], y: places[e][1] + 4 }),
    );
    svg.append(g);
    return { i, k, x, g, line: g.children[0], under: g.children[2], text: g.children[3], at: places[e] };
  });
  holder.prepend(svg);
  Object.assign(desk, { width: width + 2 * pad, height: height + 2 * pad });
  fit();
}

const labelWidth = (text) => Math.max(14, 6.3 * text.length + 6);

function fit() {
  const { width, height, boxes } = desk,
    holder = element("scaled"),
    room = element("picture");
  if (!boxes?.length) return;
  const most = Math.max(260, 0.6 * innerHeight),
    scale = Math.max(0.7, Math.min(1.7, room.clientWidth / width, most / height));
  Object.assign(holder.style, { width: `${width * scale}px`, height: `${height * scale}px` });
  element("inner").style.transform = `scale(${scale})`;
}

function show() {
  const { values, steps, result, now, boxes, lines } = desk,
    { data, partials, gradient, problems } = result,
    step = steps[now];
  const largest = Math.max(0, ...gradient.filter(Number.isFinite).map(Math.abs));
  const sum = values.map(() => null),
    seen = new Set(),
    flowed = new Set();
  for (const { kind, i, k, x } of steps.slice(0, now + 1)) {
    if (kind === "forward") seen.add(i);
    if (kind === "seed") sum[i] = 1;
    if (kind === "backward") {
      sum[x] = (sum[x] ?? 0) + gradient[i] * partials[i][k];
      flowed.add(`${i}-${k}`);
    }
  }
  const onRoute = new Set(desk.route >= 0 ? desk.paths?.[desk.route]?.edges.map(([i, k]) => `${i}-${k}`) : []);
  boxes.forEach((box, i) => {
    const known = !values[i].op || seen.has(i),
      complete = now >= (desk.completeAt.get(i) ?? Infinity);
    box.classList.toggle("later", !known);
    box.classList.toggle("now", (step.i === i && step.kind !== "backward") || step.x === i);
    box.classList.toggle("chosen", desk.chosen === i);
    box.querySelector(".value").innerHTML = known ? html(data[i]) : "?";
    const grad = box.querySelector(".grad");
    grad.innerHTML = sum[i] === null ? "grad ?" : `${complete ? "grad" : "so far"} ${html(sum[i])}`;
    grad.style.setProperty(
      "--strength",
      sum[i] ? 0.12 + 0.5 * colour(box, sum[i], largest) : 0.1 + 0 * colour(box, 0, largest),
    );
    box.setAttribute(
      "aria-label",
      `${plainText(values[i].name)}: ${known ? significant(data[i]) : "not computed"}, gradient ${sum[i] === null ? "not computed" : significant(sum[i])}`,
    );
  });
  const grads = boxes.map((box) => box.querySelector(".grad"));
  for (const grad of grads) grad.style.fontSize = "";
  const wider = grads.map((grad) => grad.scrollWidth / grad.clientWidth); // all read before any is written
  grads.forEach((grad, i) => wider[i] > 1 && (grad.style.fontSize = `${12.5 / wider[i]}px`));
  for (const { i, k, g, line, text, under, at } of lines) {
    const key = `${i}-${k}`,
      known = seen.has(i);
    g.classList.toggle("later", !known);
    g.classList.toggle("now", step.kind === "backward" && step.i === i && step.k === k);
    g.classList.toggle("route", onRoute.has(key));
    line.style.strokeWidth = onRoute.has(key)
      ? 4
      : 1.1 + 1.6 * colour(g, flowed.has(key) ? gradient[i] * partials[i][k] : 0, largest);
    write(text, known ? partials[i][k] : 0);
    if (!known) text.textContent = "";
    under.setAttribute("visibility", known ? "visible" : "hidden");
    const wide = labelWidth(text.textContent);
    under.setAttribute("x", at[0] - wide / 2);
    under.setAttribute("width", wide);
  }
  element("words").innerHTML = told(desk, sum);
  const phase = { start: "start", forward: "forward", seed: "backward", backward: "backward", end: "done" }[step.kind];
  element("count").textContent = `${phase}, step ${now} of ${steps.length - 1}`;
  element("step").value = now;
  element("step").setAttribute("aria-valuetext", element("count").textContent);
  element("first").disabled = element("previous").disabled = now === 0;
  element("last").disabled = element("next").disabled = now === steps.length - 1;
  if (element("all").open) {
    element("table").innerHTML =
      `<table><thead><tr><th scope="col">value</th><th scope="col">computed as</th><th scope="col">data</th><th scope="col">gradient so far</th></tr></thead><tbody>${values
        .map(
          (value, i) =>
            `<tr><th scope="row">${value.name}</th><td>${value.formula}</td><td>${!value.op || seen.has(i) ? html(data[i]) : "?"}</td><td>${sum[i] === null ? "?" : html(sum[i])}</td></tr>`,
        )
        .join("")}</tbody></table>`;
  }
  const moved = desk.leaves.filter((i) => !Object.is(desk.worth[i], desk.start[i]));
  element("nudged").innerHTML = problems.length
    ? problems
        .slice(0, 3)
        .map(
          (i) =>
            `<strong>${escaped(values[i].op)} has no finite value at ${values[i].operands.map((x) => html(typeof x === "number" ? data[x] : x[0])).join(", ")}.</strong>`,
        )
        .join(" ")
    : nudged(moved, data);
  element("reset").disabled = !moved.length;
}

function nudged(moved, data) {
  const cost = desk.values.length - 1,
    { symbol } = desk.values[cost],
    before = evaluated(desk.values, desk.start);
  if (!moved.length) return `The cost is ${symbol} = ${html(data[cost])}.`;
  const change = data[cost] - before.data[cost];
  let text = `${symbol} went from ${html(before.data[cost])} to <b>${html(data[cost])}</b>, a change of ${html(change)}.`;
  if (moved.length === 1) {
    const [i] = moved,
      by = desk.worth[i] - desk.start[i];
    text += ` Divided by the nudge of ${html(by)} that is ${html(change / by)}; the derivative ${slope(symbol, desk.values[i].symbol)} where it started is ${html(before.gradient[i])}.`;
  }
  return text;
}

// The chain rule of one value: its paths to the cost, largest first ----------------------------------------------------

// The `limit` largest paths from a value to the last one by |product|, and how many there are: the best paths of a value
// are edges to its consumers followed by the best paths of those.
function routes(values, partials, from, limit) {
  const last = values.length - 1,
    best = values.map(() => []),
    count = values.map(() => 0n);
  best[last] = [{ product: 1, edges: null }];
  count[last] = 1n;
  const size = ({ product }) => (Number.isNaN(product) ? Infinity : Math.abs(product));
  for (let i = last; i > from; i--) {
    best[i] = best[i].sort((p, q) => size(q) - size(p) || 0).slice(0, limit);
    (values[i].operands ?? []).forEach((x, k) => {
      if (typeof x !== "number" || !count[i]) return;
      count[x] += count[i];
      for (const path of best[i])
        best[x].push({ product: partials[i][k] * path.product, edges: { edge: [i, k], rest: path.edges } });
    });
  }
  const paths = best[from]
    .sort((p, q) => size(q) - size(p) || 0)
    .slice(0, limit)
    .map(({ product, edges }) => {
      const list = [];
      for (let at = edges; at; at = at.rest) list.push(at.edge);
      return { product, edges: list };
    });
  return { count: count[from], paths };
}

// A factor of a product, its rule below its symbol and its number below both; a product breaks into lines between factors
const term = (symbol, rule, number) =>
  `<span class="term"><span class="symbol">${symbol}</span><span class="rule">${rule}</span><span class="number">${number}</span></span>`;
const chained = (terms, result) =>
  `<div class="chain scroll">${[...terms, result].map((text, at) => `<span class="factor">${at ? `<span class="sign">${at < terms.length ? "\u00D7" : "="}</span>` : ""}${text}</span>`).join("")}</div>`;
const bracketed = (x) => (x < 0 ? `(${html(x)})` : html(x));

function chain() {
  const { values, chosen, result } = desk,
    { partials, gradient } = result,
    last = values.length - 1,
    C = values[last].symbol,
    here = values[chosen];
  const whole = slope(C, here.symbol);
  const { count, paths } = routes(values, partials, chosen, PATHS);
  desk.paths = paths;
  if (chosen === last) {
    element("rule").innerHTML = `<p>${whole} = <b>1</b>: the cost changes as fast as itself.</p>`;
    return;
  }
  const listed = paths.map(({ product, edges }, p) => {
    const shown = edges.length > 9 ? [...edges.slice(0, 4), null, ...edges.slice(-4)] : edges;
    const terms = shown.map((edge, at) => {
      if (!edge) return term("\u2026", "", "\u2026");
      const [i, k] = edge,
        rule = values[i].rules[k];
      const text = term(
        partial(values, i, k),
        rule === html(partials[i][k]) ? "" : rule,
        at ? bracketed(partials[i][k]) : html(partials[i][k]),
      );
      return text;
    });
    const way = [here.symbol, ...edges.map(([i]) => values[i].symbol)],
      names = way.length > 7 ? [...way.slice(0, 3), "\u2026", ...way.slice(-3)] : way;
    return (
      `<li><button class="path" data-path="${p}" aria-pressed="${p === desk.route}">${count > 1n ? `path ${p + 1}: ` : ""}${names.join(" \u2192 ")}</button>` +
      `${chained(terms, term(count > 1n ? "" : whole, "", `<b>${html(product)}</b>`))}</li>`
    );
  });
  const rest = gradient[chosen] - paths.reduce((total, path) => total + path.product, 0),
    more = count - BigInt(paths.length);
  const sum =
    count > 1n
      ? `<p>${whole} = ${paths.map((path, p) => (p ? bracketed(path.product) : html(path.product))).join(" + ")}${more ? ` + ${bracketed(rest)} of ${more} more` : ""} = <b>${html(gradient[chosen])}</b>, the sum over ${count} paths.</p>`
      : "";
  element("rule").innerHTML = `<ol class="paths">${listed.join("")}</ol>${sum}`;
  element("rule")
    .querySelectorAll(".path")
    .forEach((button) =>
      button.addEventListener("click", () => {
        desk.route = desk.route === Number(button.dataset.path) ? -1 : Number(button.dataset.path);
        const at = desk.route;
        chain();
        show();
        element("rule").querySelectorAll(".path")[Math.max(0, at)].focus();
      }),
    );
}

// Acting --------------------------------------------------------------------------------------------------------------

function choose(i) {
  Object.assign(desk, { chosen: i, route: -1 });
  element("chosen").value = i;
  const slider = element("leaves").querySelector(`[data-leaf="${i}"] input[type=range]`);
  if (slider) slider.scrollIntoView({ block: "nearest" });
  chain();
  show();
  remember();
}
function go(step, follow = true) {
  desk.now = Math.min(desk.steps.length - 1, Math.max(0, Math.round(step) || 0));
  chain();
  show();
  const { i, x } = desk.steps[desk.now],
    box = desk.boxes[x ?? i];
  if (follow && box) {
    const frame = element("picture").getBoundingClientRect(),
      place = box.getBoundingClientRect();
    if (place.left < frame.left || place.right > frame.right)
      element("picture").scrollLeft += (place.left + place.right - frame.left - frame.right) / 2;
    if (place.top < frame.top || place.bottom > frame.bottom)
      element("picture").scrollTop += (place.top + place.bottom - frame.top - frame.bottom) / 2;
  }
  remember();
}
let ticking = 0;
function animate(on) {
  clearInterval(ticking);
  ticking = 0;
  element("play").textContent = on ? "pause" : "play";
  element("play").setAttribute("aria-pressed", on);
  if (!on) return;
  if (desk.now === desk.steps.length - 1) go(0);
  ticking = setInterval(() => (desk.now < desk.steps.length - 1 ? go(desk.now + 1) : animate(false)), 900);
}
function move(i, x) {
  if (!Number.isFinite(x)) return;
  desk.worth[i] = x;
  if (Object.is(x, desk.start[i])) desk.moved.delete(desk.values[i].label);
  else desk.moved.set(desk.values[i].label, x);
  const row = element("leaves").querySelector(`[data-leaf="${i}"]`),
    [range, number] = row.querySelectorAll("input");
  range.value = x;
  range.setAttribute("aria-valuetext", significant(x));
  if (Number(number.value) !== x) number.value = Number(x.toPrecision(6));
  rerun();
  chain();
  show();
  remember();
}
function sliders() {
  element("leaves").replaceChildren(
    ...desk.leaves.map((i) => {
      const x = desk.worth[i],
        from = desk.start[i],
        reach = Math.max(1, 2 * Math.abs(from), 1.2 * Math.abs(x - from)),
        row = made("div", { className: "leafrow" });
      row.dataset.leaf = i;
      row.innerHTML = `<label for="leaf${i}" id="label${i}">${desk.values[i].name}</label><input id="leaf${i}" type="range" step="any"><input type="number" step="any" aria-labelledby="label${i}">`;
      const [range, number] = row.querySelectorAll("input");
      Object.assign(range, { min: from - reach, max: from + reach, value: x });
      number.value = Number(x.toPrecision(6));
      range.addEventListener("input", () => move(i, Number(range.value)));
      number.addEventListener("input", () => {
        element("leaf-fault").textContent = "";
        if (number.value !== "") move(i, Number(number.value));
      });
      number.addEventListener("change", () => {
        if (number.value !== "" && Number.isFinite(Number(number.value))) return;
        element("leaf-fault").textContent = refused(desk.values[i].label, "a number such as 0.5", number, desk.worth[i]);
        number.value = Number(desk.worth[i].toPrecision(6));
      });
      return row;
    }),
  );
}

for (const [label, text] of SAMPLES) element("samples").append(made("option", { value: text, textContent: label }));
element("samples").addEventListener("change", () => {
  if (!element("samples").value) return;
  element("text").value = element("samples").value;
  element("samples").value = "";
  desk.moved.clear();
  read(element("text").value);
  remember();
});
element("text").addEventListener("input", () => {
  animate(false);
  read(element("text").value);
  remember();
});
element("chosen").addEventListener("change", () => choose(Number(element("chosen").value)));
element("reset").addEventListener("click", () => {
  desk.leaves.forEach((i) => Object.is(desk.worth[i], desk.start[i]) || move(i, desk.start[i]));
});
element("step").addEventListener("input", () => {
  animate(false);
  go(element("step").value);
});
for (const [id, to] of [
  ["first", () => 0],
  ["previous", () => desk.now - 1],
  ["next", () => desk.now + 1],
  ["last", () => desk.steps.length - 1],
]) {
  element(id).addEventListener("click", () => {
    animate(false);
    go(to());
  });
}
element("play").addEventListener("click", () => animate(!ticking));
element("all").addEventListener("toggle", show);
new ResizeObserver(() => requestAnimationFrame(fit)).observe(element("picture"));

// Does this page compute what Python computed? Of any other expression, and of moved leaves, it does not know.
function check() {
  if (element("text").value !== opening.text || desk.text !== opening.text || desk.moved.size) {
    element("check").textContent = "";
    return;
  }
  const { data, gradient } = desk.result;
  let worst = 0;
  const compare = (x, y) =>
    (worst =
      Object.is(x, y) || x === y
        ? worst
        : Math.max(worst, Math.abs(x - y) / Math.max(Math.abs(x), Math.abs(y), 1e-12)));
  compare(data[data.length - 1], Number(opening.cost));
  for (const i of desk.leaves)
    opening.leaves[desk.values[i].label].forEach((y, k) => compare([data, gradient][k][i], Number(y)));
  const good = worst <= 1e-9;
  element("check").className = good ? "quiet" : "fault";
  element("check").textContent = good
    ? `Checked: JavaScript reproduces Python\u2019s cost and gradients (largest relative difference ${worst ? worst.toExponential(0) : 0}).`
    : "This page does not reproduce Python\u2019s numbers. Do not trust what it shows.";
}
