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
const DEFAULTS = {
  data: "moons",
  n: 200,
  noise: 0.1,
  layers: [6, 4],
  activation: "tanh",
  loss: "binary_cross_entropy",
  optimizer: "Adam",
  lr: 0.03,
  batch: 0,
  seed: 0,
  csv: "",
};
const SHIPPED_NOISE = { moons: 0.1, circles: 0.05, spirals: 0.03, xor: 0.1 };
const LARGEST_WEIGHT = 1e9,
  MOST_NEURONS = 8,
  MOST_LAYERS = 6,
  SIDE = 50,
  EXAMPLES = 8,
  MOST_PATHS = 6;

const lab = {
  ...DEFAULTS,
  parameter: { layer: 1, j: 0, k: 0 },
  example: -1,
  running: false,
  changed: "",
  hovered: null,
  goal: 0,
};

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
  const { X } = lab.points,
    low = [Infinity, Infinity],
    high = [-Infinity, -Infinity];
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
  lab.trainer = new Trainer(lab.points, {
    widths: [2, ...lab.layers, 1],
    activation: lab.activation,
    seed: lab.seed,
    loss: lab.loss,
    optimizer: lab.optimizer,
    batch: lab.batch,
  });
  Object.assign(lab, { changed: "", goal: 0, way: "" });
  const { network } = lab.trainer;
  lab.grid = gridOf(network, SIDE);
  const { layer, j, k } = lab.parameter,
    widths = network.widths;
  if (!(layer < widths.length && j < widths[layer] && (k === null || k < widths[layer - 1])))
    Object.assign(lab, { parameter: { layer: 1, j: 0, k: 0 }, example: -1 });
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
const nameOf = (letter, layer, index) =>
  `<span class="name"><i>${letter}</i><span class="both"><sup>(${layer})</sup><sub>${index}</sub></span></span>`;
const inputName = (layer, k) => (layer === 0 ? `<i>x</i><sub>${k}</sub>` : nameOf("a", layer, k));
const spoken = ({ layer, j, k }) => `${k === null ? `b${lowered(j)}` : `w${lowered(`${j}${k}`)}`} of layer ${layer}`;

// The picture of the network: a button with a map for each neuron, a line for each weight
function build() {
  const { network } = lab.trainer,
    { widths } = network,
    net = element("net"),
    last = widths.length - 1;
  const wide = net.clientWidth || 600,
    tall = Math.max(...widths);
  const size = Math.max(24, Math.min(60, (wide - 20) / (1.62 * widths.length), 440 / tall - 8)),
    gap = (wide - size) / last,
    pitch = size + (size > 40 ? 10 : 7);
  const inner = Math.max(tall * pitch, 2 * pitch + 76),
    head = 34,
    height = head + inner + 8,
    middle = head + inner / 2;
  const place = (l, j) => [l * gap + size / 2, middle + (j - (widths[l] - 1) / 2) * (pitch + (l ? 0 : 26))]; // inputs have names
  const svg = drawn("svg", { width: wide, height, "aria-hidden": true });
  net.replaceChildren(svg);
  net.style.height = `${height}px`;
  lab.wires = [];
  const hits = drawn("g");
  for (let l = 1; l <= last; l++) {
    for (let j = 0; j < widths[l]; j++) {
      for (let k = 0; k < widths[l - 1]; k++) {
        const [x0, y0] = place(l - 1, k),
          [x1, y1] = place(l, j),
          half = (x0 + x1) / 2,
          d = `M${x0} ${y0}C${half} ${y0} ${half} ${y1} ${x1} ${y1}`;
        const line = drawn("path", { d, class: "wire" }),
          hit = drawn("path", { d, class: "hit" }),
          at = { layer: l, j, k };
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
      const [x, y] = place(l, j),
        canvas = made("canvas", { width: SIDE, height: SIDE }),
        unit = made("button", { className: "unit" }, canvas);
      Object.assign(unit.style, {
        left: `${x - size / 2}px`,
        top: `${y - size / 2}px`,
        width: `${size}px`,
        height: `${size}px`,
      });
      unit.title = l
        ? `${l === last ? "the output" : "neuron"} a_${j}^(${l}): its map of the plane; click for the gradient of its bias`
        : `input x_${j}`;
      unit.addEventListener("pointerenter", () => {
        lab.hovered = [l, j];
        surface(!lab.running);
      });
      unit.addEventListener("pointerleave", () => {
        lab.hovered = null;
        surface(!lab.running);
      });
      unit.addEventListener("focus", () => {
        lab.hovered = [l, j];
        surface(!lab.running);
      });
      unit.addEventListener("blur", () => {
        lab.hovered = null;
        surface(!lab.running);
      });
      if (l) unit.addEventListener("click", () => pick({ layer: l, j, k: null }));
      if (!l)
        net.append(
          made("span", {
            className: "label",
            innerHTML: inputName(0, j),
            style: `left:${x - 7}px;top:${y - size / 2 - 23}px`,
          }),
        );
      net.append(unit);
      const context = canvas.getContext("2d");
      lab.cells.push({ l, j, unit, context, image: context.createImageData(SIDE, SIDE) });
    }
    if (l === 0 || l === last) {
      net.append(
        made("span", {
          className: "label column",
          textContent: l ? "output" : "inputs",
          style: `left:${place(l, 0)[0]}px;top:6px`,
        }),
      );
      return;
    }
    const add = (sign, by, label) => {
      const button = made("button", {
        textContent: sign,
        title: label,
        ariaLabel: label,
        disabled: by < 0 ? width === 1 : width === MOST_NEURONS,
      });
      button.addEventListener("click", () => {
        lab.layers[l - 1] += by;
        restart(true);
        element("net").querySelector(`[data-size="${l}${sign}"]`)?.focus();
        remember();
      });
      button.dataset.size = `${l}${sign}`;
      return button;
    };
    const group = made(
      "span",
      { className: "sizes", style: `left:${place(l, 0)[0]}px` },
      add("\u2212", -1, `remove a neuron from layer ${l}`),
      add("+", 1, `add a neuron to layer ${l}`),
    );
    net.append(group);
  });
  element("depth").textContent = `${last - 1} hidden layer${last === 2 ? "" : "s"}`;
  element("fewer").disabled = last === 1;
  element("more").disabled = last - 1 === MOST_LAYERS;
  const groups = widths.slice(1).map((width, l) => {
    const group = made("optgroup", { label: `layer ${l + 1}` });
    const option = (at) =>
      group.append(made("option", { value: `${at.layer}.${at.j}.${at.k ?? "b"}`, textContent: spoken(at) }));
    for (let j = 0; j < width; j++) for (let k = 0; k < widths[l]; k++) option({ layer: l + 1, j, k });
    for (let j = 0; j < width; j++) option({ layer: l + 1, j, k: null });
    return group;
  });
  element("parameter").replaceChildren(...groups);
  element("parameter").value = chosenOption();
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
let explained = 0,
  turn = 0;
function frame(time) {
  if (!lab.running) return;
  const until = performance.now() + 9,
    { trainer } = lab,
    { epoch } = trainer;
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
    // what is being read or typed in stays as it is
    if (element("worked").contains(document.activeElement)) report();
    else explain();
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
  element(id).replaceChildren(
    ...CHOICES[id].map((value) =>
      made("option", { value, textContent: texts?.(value) ?? String(value).replaceAll("_", " ") }),
    ),
  );
  element(id).addEventListener("change", () =>
    setting(id, typeof DEFAULTS[id] === "number" ? Number(element(id).value) : element(id).value),
  );
}
for (const id of ["activation", "loss", "optimizer", "lr", "n"]) fill(id);
fill("batch", (size) => (size ? `${size}` : "all points"));
for (const name of CHOICES.data) {
  const canvas = made("canvas", { width: 64, height: 64 }),
    button = made(
      "button",
      { role: "radio", className: "shape" },
      canvas,
      made("span", { textContent: name === "csv" ? "own" : name }),
    );
  button.dataset.shape = name;
  button.addEventListener("click", () => {
    if (name in SHIPPED_NOISE) lab.noise = SHIPPED_NOISE[name];
    if (name === "csv" && !lab.csv)
      lab.csv = element("csv").value = Array.from(
        { length: 24 },
        (_, i) =>
          `${Math.sin(i).toFixed(2)}, ${Math.cos(2 * i).toFixed(2)}, ${Math.sin(i) * Math.cos(2 * i) > 0 ? "yes" : "no"}`,
      ).join("\n");
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
    const context = button.firstChild.getContext("2d"),
      name = button.dataset.shape;
    context.clearRect(0, 0, 64, 64);
    if (name === "csv") {
      context.fillStyle = palette.css.muted;
      context.font = "24px serif";
      ["1, 2, a", "3, 4, b"].forEach((line, i) => context.fillText(line, 0, 26 + 26 * i, 64));
      continue;
    }
    const { n, X, classes } = shaped(name, 60, SHIPPED_NOISE[name] / 2, 0),
      [middle, reach] = name === "moons" ? [0.5, 1.7] : [0, name === "xor" || name === "circles" ? 1.3 : 1.2];
    for (let i = 0; i < n; i++) {
      context.fillStyle = palette.css.classes[classes[i]];
      context.fillRect(
        30 + (30 * (X[2 * i] - middle)) / reach,
        30 - (30 * (X[2 * i + 1] - (name === "moons" ? 0.25 : 0))) / reach,
        5,
        5,
      );
    }
  }
}
// Every control shows its setting
function controls() {
  for (const id of ["activation", "loss", "optimizer", "lr", "batch", "n", "seed", "noise"])
    element(id).value = lab[id];
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
element("seed").addEventListener("input", () => (element("seed-fault").textContent = ""));
element("seed").addEventListener("change", () => {
  const text = element("seed").value,
    seed = Number(text);
  if (text === "" || !(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32)) {
    const words = refused("The seed", "a whole number from 0 to 4294967295", element("seed"), lab.seed);
    element("seed-fault").textContent = `${words} The training is kept.`;
    element("seed").value = lab.seed; // for which the browser may report a change once more
  } else if (seed !== lab.seed) setting("seed", seed);
});
element("csv").addEventListener("input", () => setting("csv", element("csv").value));
element("run").addEventListener("click", () => train(!lab.running));
element("one").addEventListener("click", step);
element("restart").addEventListener("click", () => {
  train(false);
  restart();
  remember();
});
element("more").addEventListener("click", () =>
  setting("layers", [...lab.layers, Math.min(4, lab.layers[lab.layers.length - 1] ?? 4)]),
);
element("fewer").addEventListener("click", () => setting("layers", lab.layers.slice(0, -1)));
element("parameter").addEventListener("change", () => {
  const [layer, j, k] = element("parameter").value.split(".");
  pick({ layer: Number(layer), j: Number(j), k: k === "b" ? null : Number(k) });
});
element("copy-python").addEventListener("click", () => copy(element("code").textContent, element("copy-python")));
element("surface").addEventListener("click", (event) => {
  // the point that is nearest to the click
  const box = element("surface").getBoundingClientRect(),
    { X, n } = lab.points;
  const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height].map(
    (t) => t * element("dots").width,
  );
  let nearest = -1,
    least = 40;
  for (let i = 0; i < n; i++) {
    const [a, b] = onCanvas(X[2 * i], X[2 * i + 1]),
      distance = Math.hypot(a - x, b - y);
    if (distance < least) [nearest, least] = [i, distance];
  }
  lab.example = nearest;
  scatter();
  explain();
  remember();
});
new ResizeObserver(() =>
  requestAnimationFrame(() => {
    if (element("network").hidden || !lab.trainer || lab.builtFor === element("net").clientWidth) return;
    lab.builtFor = element("net").clientWidth;
    build();
    paint();
    report();
  }),
).observe(element("net"));
