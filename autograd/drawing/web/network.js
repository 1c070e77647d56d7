// Network mode: points, a network that learns to part them, what each of its neurons makes of the plane, and the gradient
// of any parameter worked out: example by example, path by path, factor by factor.

const CHOICES = {
  data: ["moons", "circles", "spirals", "xor", "csv"],
  activation: ["tanh", "relu", "sigmoid", "leaky_relu", "elu", "gelu", "silu", "softplus", "softsign", "sin", "linear"],
  loss: Object.keys(LOSSES),
  optimizer: Object.keys(OPTIMIZERS),
  lr: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3],
  batch: [0, 1, 10, 32, 50, 100],
  n: [50, 100, 200, 500],
};
const DEFAULTS = { data: "moons", n: 200, noise: 0.1, layers: [6, 4], activation: "tanh", loss: "binary_cross_entropy", optimizer: "Adam", lr: 0.03, batch: 0, seed: 0, csv: "" };
const SHIPPED_NOISE = { moons: 0.1, circles: 0.05, spirals: 0.03, xor: 0.1 };
const MOST_NEURONS = 8, MOST_LAYERS = 6, SIDE = 50, EXAMPLES = 8, MOST_PATHS = 6;

const lab = { ...DEFAULTS, parameter: { layer: 1, j: 0, k: 0 }, example: -1, running: false, changed: "", hovered: null, goal: 0 };

// Building ------------------------------------------------------------------------------------------------------------

// The points of the settings; a fault in pasted text is shown, and the points stay as they are
function load() {
  try {
    lab.points = lab.data === "csv" ? pasted(lab.csv) : shaped(lab.data, lab.n, lab.noise, 0);
    element("csv-fault").textContent = "";
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    element("csv-fault").textContent = fault.reason;
    if (lab.points) return false;
    lab.points = shaped("moons", DEFAULTS.n, DEFAULTS.noise, 0);
  }
  const { X } = lab.points, low = [Infinity, Infinity], high = [-Infinity, -Infinity];
  X.forEach((x, i) => {
    low[i % 2] = Math.min(low[i % 2], x);
    high[i % 2] = Math.max(high[i % 2], x);
  });
  const reach = 0.56 * Math.max(high[0] - low[0], high[1] - low[1]) || 1;
  lab.view = [0, 1].map((k) => [(low[k] + high[k]) / 2 - reach, (low[k] + high[k]) / 2 + reach]);
  return true;
}

// Everything from the start: the same weights, no step taken
function restart(rebuild = false) {
  lab.trainer = new Trainer(lab.points, { widths: [2, ...lab.layers, 1], activation: lab.activation, seed: lab.seed, loss: lab.loss, optimizer: lab.optimizer, batch: lab.batch });
  Object.assign(lab, { changed: "", goal: 0, way: "" });
  const { network } = lab.trainer;
  lab.grid = gridOf(network, SIDE);
  const { layer, j, k } = lab.parameter, widths = network.widths;
  if (!(layer < widths.length && j < widths[layer] && (k === null || k < widths[layer - 1]))) Object.assign(lab, { parameter: { layer: 1, j: 0, k: 0 }, example: -1 });
  if (lab.example >= lab.points.n) lab.example = -1;
  if (rebuild || !lab.cells) build();
  scatter();
  legend();
  paint();
  explain();
}

const C = "<i>C</i>";
const parameterName = ({ layer, j, k }) => nameOf(k === null ? "b" : "w", layer, k === null ? `${j}` : `${j}${k}`);
const chosenOption = () => `${lab.parameter.layer}.${lab.parameter.j}.${lab.parameter.k ?? "b"}`;
const nameOf = (letter, layer, index) => `<span class="name"><i>${letter}</i><span class="both"><sup>(${layer})</sup><sub>${index}</sub></span></span>`;
const inputName = (layer, k) => (layer === 0 ? `<i>x</i><sub>${k}</sub>` : nameOf("a", layer, k));
const spoken = ({ layer, j, k }) => `${k === null ? `b${lowered(j)}` : `w${lowered(`${j}${k}`)}`} of layer ${layer}`;

// The picture of the network: a button with a map for each neuron, a line for each weight
function build() {
  const { network } = lab.trainer, { widths } = network, net = element("net"), last = widths.length - 1;
  const wide = net.clientWidth || 600, tall = Math.max(...widths);
  const size = Math.max(24, Math.min(60, (wide - 20) / (1.62 * widths.length), 440 / tall - 8)), gap = (wide - size) / last, pitch = size + (size > 40 ? 10 : 7);
  const inner = Math.max(tall * pitch, 2 * pitch + 76), head = 34, height = head + inner + 8, middle = head + inner / 2;
  const place = (l, j) => [l * gap + size / 2, middle + (j - (widths[l] - 1) / 2) * (pitch + (l ? 0 : 26))];  // inputs have names
  const svg = drawn("svg", { width: wide, height, "aria-hidden": true });
  net.replaceChildren(svg);
  net.style.height = `${height}px`;
  lab.wires = [];
  const hits = drawn("g");
  for (let l = 1; l <= last; l++) {
    for (let j = 0; j < widths[l]; j++) {
      for (let k = 0; k < widths[l - 1]; k++) {
        const [x0, y0] = place(l - 1, k), [x1, y1] = place(l, j), half = (x0 + x1) / 2, d = `M${x0} ${y0}C${half} ${y0} ${half} ${y1} ${x1} ${y1}`;
        const line = drawn("path", { d, class: "wire" }), hit = drawn("path", { d, class: "hit" }), at = { layer: l, j, k };
        hit.append(drawn("title"));
        hit.addEventListener("click", () => pick(at));
        hit.addEventListener("pointerenter", () => {
          hit.firstChild.textContent = `${spoken(at)} = ${significant(network.theta[network.at(at)])}: click for its gradient`;
          line.classList.add("over");
        });
        hit.addEventListener("pointerleave", () => line.classList.remove("over"));
        svg.append(line);
        hits.append(hit);
        lab.wires.push({ line, index: network.at(at), at });
      }
    }
  }
  svg.append(hits);
  lab.cells = [];
  widths.forEach((width, l) => {
    for (let j = 0; j < width; j++) {
      const [x, y] = place(l, j), canvas = made("canvas", { width: SIDE, height: SIDE }), unit = made("button", { className: "unit" }, canvas);
      Object.assign(unit.style, { left: `${x - size / 2}px`, top: `${y - size / 2}px`, width: `${size}px`, height: `${size}px` });
      unit.title = l ? `${l === last ? "the output" : "neuron"} a_${j}^(${l}): its map of the plane; click for the gradient of its bias` : `input x_${j}`;
      unit.addEventListener("pointerenter", () => { lab.hovered = [l, j]; surface(!lab.running); });
      unit.addEventListener("pointerleave", () => { lab.hovered = null; surface(!lab.running); });
      unit.addEventListener("focus", () => { lab.hovered = [l, j]; surface(!lab.running); });
      unit.addEventListener("blur", () => { lab.hovered = null; surface(!lab.running); });
      if (l) unit.addEventListener("click", () => pick({ layer: l, j, k: null }));
      if (!l) net.append(made("span", { className: "label", innerHTML: inputName(0, j), style: `left:${x - 7}px;top:${y - size / 2 - 23}px` }));
      net.append(unit);
      const context = canvas.getContext("2d");
      lab.cells.push({ l, j, unit, context, image: context.createImageData(SIDE, SIDE) });
    }
    if (l === 0 || l === last) {
      net.append(made("span", { className: "label column", textContent: l ? "output" : "inputs", style: `left:${place(l, 0)[0]}px;top:6px` }));
      return;
    }
    const add = (sign, by, label) => {
      const button = made("button", { textContent: sign, title: label, ariaLabel: label, disabled: by < 0 ? width === 1 : width === MOST_NEURONS });
      button.addEventListener("click", () => {
        lab.layers[l - 1] += by;
        restart(true);
        element("net").querySelector(`[data-size="${l}${sign}"]`)?.focus();
        remember();
      });
      button.dataset.size = `${l}${sign}`;
      return button;
    };
    const group = made("span", { className: "sizes", style: `left:${place(l, 0)[0]}px` }, add("\u2212", -1, `remove a neuron from layer ${l}`), add("+", 1, `add a neuron to layer ${l}`));
    net.append(group);
  });
  element("depth").textContent = `${last - 1} hidden layer${last === 2 ? "" : "s"}`;
  element("fewer").disabled = last === 1;
  element("more").disabled = last - 1 === MOST_LAYERS;
  const groups = widths.slice(1).map((width, l) => {
    const group = made("optgroup", { label: `layer ${l + 1}` });
    const option = (at) => group.append(made("option", { value: `${at.layer}.${at.j}.${at.k ?? "b"}`, textContent: spoken(at) }));
    for (let j = 0; j < width; j++) for (let k = 0; k < widths[l]; k++) option({ layer: l + 1, j, k });
    for (let j = 0; j < width; j++) option({ layer: l + 1, j, k: null });
    return group;
  });
  element("parameter").replaceChildren(...groups);
  element("parameter").value = chosenOption();
}

// Painting ------------------------------------------------------------------------------------------------------------

let palette;
function colours() {  // from negative over paper to positive, as pixels
  const style = getComputedStyle(document.documentElement), parts = (name) => style.getPropertyValue(name).trim().match(/\w\w/g).map((hex) => parseInt(hex, 16));
  const [paper, negative, positive] = ["--paper", "--negative", "--positive"].map(parts);
  palette = { css: { paper: style.getPropertyValue("--paper"), ink: style.getPropertyValue("--ink"), edge: style.getPropertyValue("--edge"), muted: style.getPropertyValue("--muted"), classes: [style.getPropertyValue("--negative"), style.getPropertyValue("--positive")] } };
  palette.pixels = Uint32Array.from({ length: 256 }, (_, i) => {
    const t = (i - 127.5) / 127.5, strength = 0.78 * Math.abs(t) ** 0.8, [r, g, b] = paper.map((c, at) => Math.round(c + strength * ((t < 0 ? negative : positive)[at] - c)));
    return (255 << 24) | (b << 16) | (g << 8) | r;
  });
}
const shade = (t) => palette.pixels[t <= -1 ? 0 : t >= 1 ? 255 : Math.round(127.5 + 127.5 * t)];

// How strongly the output speaks for the second class, from -1 to 1
const verdict = (a) => (lab.loss === "binary_cross_entropy" ? Math.tanh(a / 2) : Math.max(-1, Math.min(1, a)));

function map(context, image, { a, n }, l, j) {
  const width = lab.trainer.network.widths[l], last = lab.trainer.network.widths.length - 1, pixels = new Uint32Array(image.data.buffer);
  if (l === last) for (let i = 0; i < n; i++) pixels[i] = shade(verdict(a[l][i * width + j]));
  else {
    let most = 1e-9;
    for (let i = j; i < a[l].length; i += width) most = Math.max(most, Math.abs(a[l][i]));
    for (let i = 0; i < n; i++) pixels[i] = shade(a[l][i * width + j] / most);
  }
  context.putImageData(image, 0, 0);
}

// The points, on a canvas of their own above the plane; the example that is worked out has a ring
function scatter() {
  const canvas = element("dots"), context = canvas.getContext("2d"), { n, X, classes } = lab.points, radius = n > 250 ? 5 : 7;
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.lineWidth = 1.6;
  context.strokeStyle = palette.css.paper;
  for (let i = 0; i < n; i++) {
    const [x, y] = onCanvas(X[2 * i], X[2 * i + 1]);
    context.fillStyle = palette.css.classes[classes[i]];
    context.beginPath();
    if (classes[i]) context.rect(x - 0.88 * radius, y - 0.88 * radius, 1.76 * radius, 1.76 * radius);
    else context.arc(x, y, radius, 0, 7);
    context.fill();
    context.stroke();
  }
  if (lab.example >= 0 && lab.example < n) {
    context.beginPath();
    context.arc(...onCanvas(X[2 * lab.example], X[2 * lab.example + 1]), 15, 0, 7);
    context.lineWidth = 4;
    context.strokeStyle = palette.css.ink;
    context.stroke();
  }
}
function legend() {
  element("legend").replaceChildren(...lab.points.names.map((name, c) => made("li", { className: `class${c}`, textContent: `class ${name.length > 24 ? `${name.slice(0, 23)}\u2026` : name}` })));
}
function onCanvas(x, y) {
  const [[left, right], [bottom, top]] = lab.view, { width, height } = element("dots");
  return [(width * (x - left)) / (right - left), (height * (top - y)) / (top - bottom)];
}

// The large map: that of the output, or of the neuron that is pointed at; on a finer grid where training rests
function surface(rest = false) {
  const { network } = lab.trainer, [l, j] = lab.hovered ?? [network.widths.length - 1, 0], side = rest ? 3 * SIDE : SIDE;
  const cell = lab.cells.find((other) => other.l === l && other.j === j), canvas = element("plane");
  if (!cell) return;
  if (canvas.width !== side) canvas.width = canvas.height = side;
  const context = canvas.getContext("2d");
  if (rest) map(context, context.createImageData(side, side), mapped(network, side), l, j);
  else context.drawImage(cell.context.canvas, 0, 0);
}

// A room with every point of a grid over the plane, run through the network
function mapped(network, side, room = gridOf(network, side)) {
  network.forward(room, false);
  return room;
}
function gridOf(network, side) {
  const room = network.room(side * side), [[left, right], [bottom, top]] = lab.view;
  for (let i = 0; i < side * side; i++) {
    room.a[0][2 * i] = left + ((right - left) * ((i % side) + 0.5)) / side;
    room.a[0][2 * i + 1] = top - ((top - bottom) * (Math.floor(i / side) + 0.5)) / side;
  }
  return room;
}

function curve() {
  const canvas = element("curve"), context = canvas.getContext("2d"), { costs } = lab.trainer, { width, height } = canvas;
  context.clearRect(0, 0, width, height);
  context.font = "26px serif";
  context.fillStyle = palette.css.muted;
  context.strokeStyle = palette.css.edge;
  context.lineWidth = 2;
  context.strokeRect(1, 1, width - 2, height - 2);
  if (costs.length < 2) {
    context.fillText("the cost of each epoch", 14, 34);
    return;
  }
  const columns = Math.min(costs.length, width / 2), per = costs.length / columns, shown = Array.from({ length: columns }, (_, i) => costs[Math.min(costs.length - 1, Math.floor((i + 1) * per) - 1)]);
  const top = Math.max(...shown) * 1.05 || 1;
  context.beginPath();
  shown.forEach((cost, i) => context.lineTo((width * i) / (columns - 1), height - 4 - ((height - 12) * cost) / top));
  context.strokeStyle = palette.css.ink;
  context.lineWidth = 3.5;
  context.stroke();
  context.textAlign = "right";
  context.fillText(significant(costs[costs.length - 1], 3), width - 12, 34);
  context.textAlign = "left";
}

function maps() {
  mapped(lab.trainer.network, SIDE, lab.grid);
  for (const { l, j, context, image } of lab.cells) map(context, image, lab.grid, l, j);
  surface();
}
function wires() {
  const { network } = lab.trainer, { theta } = network, chosen = network.at(lab.parameter), { layer } = lab.parameter;
  const way = lab.way ? lab.way.split("-").map(Number) : [], onWay = ({ layer: l, j, k }) => l > layer && j === way[l - layer] && k === way[l - layer - 1];
  for (const wire of lab.wires) {
    const marked = wire.index === chosen || onWay(wire.at), w = theta[wire.index];
    const width = Math.max(marked ? 3 : 0, 0.6 + 5.4 * Math.min(1, Math.abs(w) / 3)).toFixed(1), kind = `wire ${w < 0 ? "neg" : "pos"}${marked ? " chosen" : ""}`;
    if (wire.width !== width) wire.line.style.strokeWidth = wire.width = width;
    if (wire.kind !== kind) wire.line.setAttribute("class", (wire.kind = kind));
  }
}
function numbers() {
  const { trainer } = lab;
  trainer.prepare();
  const { accuracy, cost } = trainer.measure(), shown = { epoch: trainer.epoch, steps: trainer.steps, cost: significant(cost), accuracy: `${(100 * accuracy).toFixed(1)} %` };
  for (const [id, text] of Object.entries(shown)) element(id).textContent = text;
  lab.told = { accuracy, cost };
}
function paint() {
  maps();
  wires();
  curve();
  numbers();
}

// What the canvases show, for those who hear it; dead and saturated units; Python: all but each frame
function report() {
  if (!lab.running) surface(true);
  const { trainer } = lab, { network } = trainer, { room } = trainer.prepare(), found = health(network, room);
  for (const { l, j, unit } of lab.cells) {
    const state = l ? found[l][j] : "";
    unit.classList.toggle("dead", state === "dead");
    unit.classList.toggle("saturated", state === "saturated");
    unit.classList.toggle("chosen", lab.parameter.k === null && lab.parameter.layer === l && lab.parameter.j === j);
    unit.setAttribute("aria-label", l ? `neuron ${j} of layer ${l}${state && `, ${state}`}: its bias` : `input x_${j}`);
  }
  const kinds = { dead: "no gradient passes at any example of the step", saturated: "the activation is flat at nine tenths of the examples, and learning slow" };
  const sentences = found.flatMap((layer, l) => Object.keys(kinds).flatMap((kind) => {
    const units = layer.flatMap((state, j) => (state === kind ? [j] : []));
    return units.length ? [`Layer ${l}: neuron${units.length > 1 ? "s" : ""} ${units.join(", ")} ${units.length > 1 ? "are" : "is"} ${kind}: ${kinds[kind]}.`] : [];
  }));
  element("units").textContent = trainer.broken || sentences.join(" ");
  const { accuracy, cost } = lab.told;
  element("surface").setAttribute("aria-label", `The plane as the network parts it, with ${lab.points.n} points; ${(100 * accuracy).toFixed(1)} percent of them on their side, cost ${significant(cost)}`);
  const { costs } = trainer;
  element("curve").setAttribute("aria-label", costs.length ? `The cost over ${costs.length} epochs, from ${significant(costs[0])} to ${significant(costs[costs.length - 1])}` : "The cost over the epochs: none yet");
  element("code").textContent = python();
  element("said").textContent = lab.running ? "" : `Epoch ${trainer.epoch}: cost ${significant(cost)}, accuracy ${(100 * accuracy).toFixed(1)} percent.`;
}

// The gradient of one parameter, worked out ---------------------------------------------------------------------------

function explain() {
  report();
  const { trainer, parameter } = lab, { network } = trainer, { room, batch, targets } = trainer.prepare(), { layer, j, k } = parameter;
  const { widths, theta } = network, last = widths.length - 1, index = network.at(parameter), gradient = trainer.gradient[index], n = batch.length;
  element("parameter").value = chosenOption();
  const name = parameterName(parameter), z = nameOf("z", layer, j), input = k === null ? "1" : inputName(layer - 1, k);
  const inputOf = (e) => (k === null ? 1 : room.a[layer - 1][e * widths[layer - 1] + k]), deltaOf = (e) => room.delta[layer][e * widths[layer] + j];

  const after = theta.slice(), state = { m: trainer.state.m.slice(), s: trainer.state.s.slice() };
  trainer.optimizer(after, trainer.gradient, lab.lr, state, trainer.steps + 1);
  const unit = health(network, room)[layer][j];
  element("chain").innerHTML =
    `<p class="large">${slope(C, name)} = <b>${html(gradient)}</b></p>` +
    `<p>It is the mean over ${n > 1 ? `the ${n} examples` : "the one example"} of the step of ${slope(z, name)} \u00D7 ${slope(C, z)}: what feeds the ${k === null ? "bias" : "weight"}, which is ${input}, times what comes back to its neuron.</p>` +
    `<p>Now ${name} = <b>${html(theta[index])}</b>. The next step of ${lab.optimizer} makes it <b>${html(after[index])}</b>, a change of ${html(after[index] - theta[index])}.` +
    (unit ? ` Its neuron is <b>${unit}</b>.` : "") + "</p>" +
    `<label class="row">set it by hand <input id="weight" type="number" step="any" value="${Number(theta[index].toPrecision(6))}"></label>`;
  element("weight").addEventListener("change", () => {
    const x = Number(element("weight").value);
    if (!Number.isFinite(x) || element("weight").value === "") return;
    theta[index] = x;
    trainer.ready = false;
    lab.changed ||= "a parameter was set by hand";
    paint();
    explain();
  });

  const order = batch.map((_, e) => e).sort((d, e) => Math.abs(inputOf(e) * deltaOf(e)) - Math.abs(inputOf(d) * deltaOf(d)));
  let chosen = batch.indexOf(lab.example);
  if (chosen < 0) chosen = order[0];
  lab.shown = batch[chosen];
  const listed = order.slice(0, EXAMPLES);
  if (!listed.includes(chosen)) listed.splice(-1, 1, chosen);
  const rest = order.filter((e) => !listed.includes(e)).reduce((sum, e) => sum + inputOf(e) * deltaOf(e), 0);
  const own = layer > 1 || k === null;  // an input that is no coordinate has a column of its own
  const line = (e) => `<tr${e === chosen ? ' class="chosen"' : ""}><th scope="row"><button data-example="${batch[e]}" aria-pressed="${e === chosen}">${batch[e]}</button></th>` +
    `<td>${html(room.a[0][2 * e])}</td><td>${html(room.a[0][2 * e + 1])}</td><td>${html(targets[e])}</td>${own ? `<td>${html(inputOf(e))}</td>` : ""}<td>${html(deltaOf(e))}</td><td class="${inputOf(e) * deltaOf(e) < 0 ? "neg" : "pos"}">${html(inputOf(e) * deltaOf(e))}</td></tr>`;
  const more = n - listed.length;
  element("examples").innerHTML = `<h3>Example by example${more > 0 ? ", the largest first" : ""}</h3><div class="scroll"><table><thead><tr><th scope="col">example</th><th scope="col">${inputName(0, 0)}</th><th scope="col">${inputName(0, 1)}</th><th scope="col"><i>y</i></th>` +
    `${own ? `<th scope="col">${input}</th>` : ""}<th scope="col">${slope(C, z)}</th><th scope="col">product</th></tr></thead><tbody>${listed.map(line).join("")}` +
    (more > 0 ? `<tr><th scope="row" colspan="${own ? 6 : 5}">the sum of the other ${more}</th><td>${html(rest)}</td></tr>` : "") +
    `<tr class="total"><th scope="row" colspan="${own ? 6 : 5}">all of them, divided by ${n}</th><td><b>${html(gradient)}</b></td></tr></tbody></table></div>`;
  element("examples").querySelectorAll("button").forEach((button) => button.addEventListener("click", () => {
    lab.example = Number(button.dataset.example);
    scatter();
    explain();
    element("examples").querySelector(`[data-example="${lab.example}"]`)?.focus();
    remember();
  }));
  paths(room, chosen, targets[chosen]);
}

function paths(room, e, target) {
  const { trainer, parameter } = lab, { network } = trainer, { widths, names, activations } = network, { layer, j } = parameter, last = widths.length - 1;
  const lossSlope = trainer.loss.at(room.a[last][e], target)[1];
  const { count, paths: found, total } = pathsOf(network, room, e, parameter, lossSlope, last - layer > 2 ? MOST_PATHS / 2 : MOST_PATHS);
  const ruleAt = (l, i) => {
    const [z, a] = ["z", "a"].map((letter) => S.symbol(nameOf(letter, l, i), POWER, room[letter][l][e * widths[l] + i]));
    const rule = symbolic[names[l - 1]].partials(z, ...Object.values(rows[names[l - 1]].defaults), a)[0];
    return typeof rule === "number" ? "" : S.html(rule);
  };
  const outputs = (l, i) => nameOf(l === last && names[l - 1] === "linear" ? "z" : "a", l, i);
  const row = ({ neurons, factors, product }, p) => {
    const terms = [term(slope(nameOf("z", layer, j), parameterName(parameter)), parameter.k === null ? "" : inputName(layer - 1, parameter.k), html(factors[0]))];
    neurons.forEach((i, at) => {
      const l = layer + at, slopeNow = factors[1 + 2 * at];
      if (names[l - 1] !== "linear") terms.push(term(slope(nameOf("a", l, i), nameOf("z", l, i)), ruleAt(l, i), bracketed(slopeNow)));
      if (l < last) terms.push(term(slope(nameOf("z", l + 1, neurons[at + 1]), outputs(l, i)), nameOf("w", l + 1, `${neurons[at + 1]}${i}`), bracketed(factors[2 + 2 * at])));
    });
    terms.push(term(slope(C, outputs(last, neurons[neurons.length - 1])), "", bracketed(lossSlope)));
    const through = neurons.slice(1, -1).map((i, at) => outputs(layer + at + 1, i)).join(" and ") || outputs(last, 0);
    return `<li>${count > 1 ? `<button class="path" data-way="${neurons.join("-")}" aria-pressed="${neurons.join("-") === lab.way}">through ${through}</button>` : ""}${chained(terms, term("", "", `<b>${html(product)}</b>`))}</li>`;
  };
  const rest = total - found.reduce((sum, path) => sum + path.product, 0), others = count - found.length;
  const { values, data } = trainer.loss;
  describe(values, data, 60);
  element("paths").innerHTML = `<h3>Example ${lab.shown}, factor by factor</h3><p class="quiet">Its cost is ${C} = ${values[values.length - 1].formula}, where <i>a</i> is the output, ${outputs(last, 0)}.</p><ol class="paths">${found.map(row).join("")}</ol>` +
    (count > 1 ? `<p>The sum over ${count} paths${others > 0 ? `, of which the ${others} not shown add up to ${html(rest)}` : ""}: <b>${html(total)}</b>.</p>` : "");
  element("paths").querySelectorAll(".path").forEach((button) => button.addEventListener("click", () => {
    lab.way = lab.way === button.dataset.way ? "" : button.dataset.way;
    for (const other of element("paths").querySelectorAll(".path")) other.setAttribute("aria-pressed", other.dataset.way === lab.way);
    wires();
  }));
}

// The network as Python -----------------------------------------------------------------------------------------------

function python() {
  const { trainer, points } = lab;
  const { shape, raw } = points, signed = LOSSES[lab.loss].targets[0] < 0, number = (x) => (Number.isInteger(x) ? x.toFixed(1) : String(x));
  const optimizer = lab.optimizer === "momentum" ? "SGD" : lab.optimizer, names = ["MLP", optimizer, ...["accuracy", "fit", lab.loss, shape ?? "standardize"].sort()];
  const data = raw
    ? `X = standardize([\n${Array.from({ length: points.n }, (_, i) => `    [${number(raw[2 * i])}, ${number(raw[2 * i + 1])}],\n`).join("")}])\ny = [${Array.from(points.classes, (c) => LOSSES[lab.loss].targets[c]).join(", ")}]`
    : `X, y = ${shape}(${points.n}, noise=${points.noise}, seed=0)${signed ? "\ny = 2 * y - 1" : ""}`;
  const remarks = [lab.changed, trainer.start ? "the epoch that has begun is not counted" : ""].filter(Boolean).map((text) => `# In the playground ${text}: these numbers may differ from its own.\n`).join("");
  return `from nn import ${names.join(", ")}\n\n${data}\nmodel = MLP(2, [${[...lab.layers, 1].join(", ")}], activation="${lab.activation}", seed=${lab.seed})\n` +
    `optimizer = ${optimizer}(model.parameters(), lr=${lab.lr}${lab.optimizer === "momentum" ? ", momentum=0.9" : ""})\n` +
    `history = fit(model, X, y, loss=${lab.loss}, optimizer=optimizer, epochs=${Math.max(1, trainer.epoch)}${lab.batch ? `, batch_size=${lab.batch}` : ""})\n` +
    `print(history.cost[-1], accuracy(model, X, y))\n${remarks}`;
}

// Acting --------------------------------------------------------------------------------------------------------------

function pick(parameter) {
  Object.assign(lab, { parameter, way: "" });
  paint();
  explain();
  remember();
}
// A frame of the running training: steps up to the end of an epoch, then a part of the picture. Maps and wires take
// turns, and maps that take long are drawn less often, so that the page answers at the pace of the screen.
let explained = 0, turn = 0;
function frame(time) {
  if (!lab.running) return;
  const until = performance.now() + 9, { trainer } = lab, { epoch } = trainer;
  let good = true;
  while (good && trainer.epoch === epoch && performance.now() < until) good = trainer.step(lab.lr);
  numbers();
  const begun = performance.now();
  if (turn-- > 0) {
    wires();
    curve();
  } else {
    maps();
    turn = 1 + Math.floor((performance.now() - begun) / 9);
  }
  if (!good || (lab.goal && trainer.epoch >= lab.goal)) return train(false);
  if (time - explained > 400) {
    explained = time;
    explain();
  }
  requestAnimationFrame(frame);
}
function train(on) {
  if (on === lab.running) return;
  lab.running = on;
  element("run").textContent = on ? "\u275A\u275A\uFE0E pause" : "\u25B6\uFE0E play";
  element("run").setAttribute("aria-pressed", on);
  if (on) requestAnimationFrame(frame);
  else {
    lab.goal = 0;
    paint();
    explain();
    remember();
  }
}
function step() {
  train(false);
  lab.trainer.step(lab.lr);
  paint();
  explain();
  remember();
}
function setting(name, value, from = "") {
  const training = lab.trainer.steps > 0;
  lab[name] = value;
  controls();
  if (name === "lr") {
    if (training) lab.changed ||= "the learning rate was changed on the way";
    explain();
  } else {
    if (["data", "n", "noise", "csv"].includes(name) && !load()) return;
    restart(name === "layers");
  }
  remember();
}

function fill(id, texts) {
  element(id).replaceChildren(...CHOICES[id].map((value) => made("option", { value, textContent: texts?.(value) ?? String(value).replaceAll("_", " ") })));
  element(id).addEventListener("change", () => setting(id, typeof DEFAULTS[id] === "number" ? Number(element(id).value) : element(id).value));
}
for (const id of ["activation", "loss", "optimizer", "lr", "n"]) fill(id);
fill("batch", (size) => (size ? `${size}` : "all points"));
for (const name of CHOICES.data) {
  const canvas = made("canvas", { width: 64, height: 64 }), button = made("button", { role: "radio", className: "shape" }, canvas, made("span", { textContent: name === "csv" ? "own" : name }));
  button.dataset.shape = name;
  button.addEventListener("click", () => {
    if (name in SHIPPED_NOISE) lab.noise = SHIPPED_NOISE[name];
    if (name === "csv" && !lab.csv) lab.csv = element("csv").value = Array.from({ length: 24 }, (_, i) => `${Math.sin(i).toFixed(2)}, ${Math.cos(2 * i).toFixed(2)}, ${Math.sin(i) * Math.cos(2 * i) > 0 ? "yes" : "no"}`).join("\n");
    setting("data", name);
  });
  button.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!by) return;
    const next = CHOICES.data[(CHOICES.data.indexOf(name) + by + CHOICES.data.length) % CHOICES.data.length];
    event.preventDefault();
    event.stopPropagation();
    element("shapes").querySelector(`[data-shape="${next}"]`).focus();
    element("shapes").querySelector(`[data-shape="${next}"]`).click();
  });
  element("shapes").append(button);
}
function thumbnails() {
  for (const button of element("shapes").children) {
    const context = button.firstChild.getContext("2d"), name = button.dataset.shape;
    context.clearRect(0, 0, 64, 64);
    if (name === "csv") {
      context.fillStyle = palette.css.muted;
      context.font = "24px serif";
      ["1, 2, a", "3, 4, b"].forEach((line, i) => context.fillText(line, 0, 26 + 26 * i, 64));
      continue;
    }
    const { n, X, classes } = shaped(name, 60, SHIPPED_NOISE[name] / 2, 0), [middle, reach] = name === "moons" ? [0.5, 1.7] : [0, name === "xor" || name === "circles" ? 1.3 : 1.2];
    for (let i = 0; i < n; i++) {
      context.fillStyle = palette.css.classes[classes[i]];
      context.fillRect(30 + (30 * (X[2 * i] - middle)) / reach, 30 - (30 * (X[2 * i + 1] - (name === "moons" ? 0.25 : 0))) / reach, 5, 5);
    }
  }
}
// Every control shows its setting
function controls() {
  for (const id of ["activation", "loss", "optimizer", "lr", "batch", "n", "seed", "noise"]) element(id).value = lab[id];
  element("noise-value").textContent = lab.noise;
  element("noise-row").hidden = element("n").parentElement.hidden = lab.data === "csv";
  element("csv-row").hidden = lab.data !== "csv";
  if (element("csv").value !== lab.csv) element("csv").value = lab.csv;
  for (const button of element("shapes").children) {
    const on = button.dataset.shape === lab.data;
    button.setAttribute("aria-checked", on);
    button.tabIndex = on ? 0 : -1;
  }
}
element("noise").addEventListener("input", () => setting("noise", Number(element("noise").value)));
element("seed").addEventListener("change", () => {
  const seed = Number(element("seed").value);
  if (Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32) setting("seed", seed);
  else controls();
});
element("csv").addEventListener("input", () => setting("csv", element("csv").value));
element("run").addEventListener("click", () => train(!lab.running));
element("one").addEventListener("click", step);
element("restart").addEventListener("click", () => {
  train(false);
  restart();
  remember();
});
element("more").addEventListener("click", () => setting("layers", [...lab.layers, Math.min(4, lab.layers[lab.layers.length - 1] ?? 4)]));
element("fewer").addEventListener("click", () => setting("layers", lab.layers.slice(0, -1)));
element("parameter").addEventListener("change", () => {
  const [layer, j, k] = element("parameter").value.split(".");
  pick({ layer: Number(layer), j: Number(j), k: k === "b" ? null : Number(k) });
});
element("copy-python").addEventListener("click", () => copy(element("code").textContent, element("copy-python")));
element("surface").addEventListener("click", (event) => {  // the point that is nearest to the click
  const box = element("surface").getBoundingClientRect(), { X, n } = lab.points;
  const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height].map((t) => t * element("dots").width);
  let nearest = -1, least = 40;
  for (let i = 0; i < n; i++) {
    const [a, b] = onCanvas(X[2 * i], X[2 * i + 1]), distance = Math.hypot(a - x, b - y);
    if (distance < least) [nearest, least] = [i, distance];
  }
  lab.example = nearest;
  scatter();
  explain();
  remember();
});
new ResizeObserver(() => requestAnimationFrame(() => {
  if (element("network").hidden || !lab.trainer || lab.builtFor === element("net").clientWidth) return;
  lab.builtFor = element("net").clientWidth;
  build();
  paint();
  report();
})).observe(element("net"));
