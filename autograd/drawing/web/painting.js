// What the network mode shows at every moment: the maps of the neurons, the weights as lines, the cost.

let palette;
function colours() {
  // from negative over paper to positive, as pixels
  const style = getComputedStyle(document.documentElement),
    parts = (name) =>
      style
        .getPropertyValue(name)
        .trim()
        .match(/\w\w/g)
        .map((hex) => parseInt(hex, 16));
  const [paper, negative, positive] = ["--paper", "--negative", "--positive"].map(parts);
  palette = {
    css: {
      paper: style.getPropertyValue("--paper"),
      ink: style.getPropertyValue("--ink"),
      edge: style.getPropertyValue("--edge"),
      muted: style.getPropertyValue("--muted"),
      classes: [style.getPropertyValue("--negative"), style.getPropertyValue("--positive")],
    },
  };
  palette.pixels = Uint32Array.from({ length: 256 }, (_, i) => {
    const t = (i - 127.5) / 127.5,
      strength = 0.78 * Math.abs(t) ** 0.8,
      [r, g, b] = paper.map((c, at) => Math.round(c + strength * ((t < 0 ? negative : positive)[at] - c)));
    return (255 << 24) | (b << 16) | (g << 8) | r;
  });
}
const shade = (t) => palette.pixels[t <= -1 ? 0 : t >= 1 ? 255 : Math.round(127.5 + 127.5 * t)];

// How strongly the output speaks for the second class, from -1 to 1
const verdict = (a) => (lab.loss === "binary_cross_entropy" ? Math.tanh(a / 2) : Math.max(-1, Math.min(1, a)));

function map(context, image, { a, n }, l, j) {
  const width = lab.trainer.network.widths[l],
    last = lab.trainer.network.widths.length - 1,
    pixels = new Uint32Array(image.data.buffer);
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
  const canvas = element("dots"),
    context = canvas.getContext("2d"),
    { n, X, classes } = lab.points,
    radius = n > 250 ? 5 : 7;
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
  element("legend").replaceChildren(
    ...lab.points.names.map((name, c) =>
      made("li", {
        className: `class${c}`,
        textContent: `class ${name.length > 24 ? `${name.slice(0, 23)}\u2026` : name}`,
      }),
    ),
  );
  // pasted points are shown as nn.standardize makes them, not as they were typed
  const { columns } = lab.points;
  const from = ({ mean, deviation }, k) => {
    const moved = `${k ? "second" : "first"} number ${mean < 0 ? "+" : "\u2212"} ${html(Math.abs(mean))}`;
    return `${inputName(0, k)} = ${deviation ? `(${moved}) / ${html(deviation)}` : moved}`;
  };
  element("standardized").innerHTML = columns
    ? `Shown and trained on standardized: ${columns.map(from).join(", ")}.`
    : "";
}
function onCanvas(x, y) {
  const [[left, right], [bottom, top]] = lab.view,
    { width, height } = element("dots");
  return [(width * (x - left)) / (right - left), (height * (top - y)) / (top - bottom)];
}

// The large map: that of the output, or of the neuron that is pointed at; on a finer grid where training rests
function surface(rest = false) {
  const { network } = lab.trainer,
    [l, j] = lab.hovered ?? [network.widths.length - 1, 0],
    side = rest ? 3 * SIDE : SIDE;
  const cell = lab.cells.find((other) => other.l === l && other.j === j),
    canvas = element("plane");
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
  const room = network.room(side * side),
    [[left, right], [bottom, top]] = lab.view;
  for (let i = 0; i < side * side; i++) {
    room.a[0][2 * i] = left + ((right - left) * ((i % side) + 0.5)) / side;
    room.a[0][2 * i + 1] = top - ((top - bottom) * (Math.floor(i / side) + 0.5)) / side;
  }
  return room;
}

function curve() {
  const canvas = element("curve"),
    context = canvas.getContext("2d"),
    { costs } = lab.trainer,
    { width, height } = canvas;
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
  const columns = Math.min(costs.length, width / 2),
    per = costs.length / columns,
    shown = Array.from({ length: columns }, (_, i) => costs[Math.min(costs.length - 1, Math.floor((i + 1) * per) - 1)]);
  const top = Math.max(...shown) * 1.05 || 1,
    under = 44; // the line of words above the curve
  context.beginPath();
  shown.forEach((cost, i) => context.lineTo((width * i) / (columns - 1), height - 4 - ((height - 4 - under) * cost) / top));
  context.strokeStyle = palette.css.ink;
  context.lineWidth = 3.5;
  context.stroke();
  const several = lab.batch && lab.batch < lab.points.n;
  context.fillText(
    `${several ? "mean before the steps" : "before the step"} of epoch ${costs.length}: ${significant(costs[costs.length - 1])}`,
    14,
    34,
  );
}

function maps() {
  mapped(lab.trainer.network, SIDE, lab.grid);
  for (const { l, j, context, image } of lab.cells) map(context, image, lab.grid, l, j);
  surface();
}
function wires() {
  const { network } = lab.trainer,
    { theta } = network,
    chosen = network.at(lab.parameter),
    { layer } = lab.parameter;
  const way = lab.way ? lab.way.split("-").map(Number) : [],
    onWay = ({ layer: l, j, k }) => l > layer && j === way[l - layer] && k === way[l - layer - 1];
  for (const wire of lab.wires) {
    const marked = wire.index === chosen || onWay(wire.at),
      w = theta[wire.index];
    const width = Math.max(marked ? 3 : 0, 0.6 + 5.4 * Math.min(1, Math.abs(w) / 3)).toFixed(1),
      kind = `wire ${w < 0 ? "neg" : "pos"}${marked ? " chosen" : ""}`;
    if (wire.width !== width) wire.line.style.strokeWidth = wire.width = width;
    if (wire.kind !== kind) wire.line.setAttribute("class", (wire.kind = kind));
  }
}
function numbers() {
  const { trainer } = lab;
  trainer.prepare();
  const { accuracy, cost } = trainer.measure(),
    shown = {
      epoch: trainer.epoch,
      steps: trainer.steps,
      cost: significant(cost),
      accuracy: `${(100 * accuracy).toFixed(1)} %`,
    };
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
  const { trainer } = lab,
    { network } = trainer,
    { room } = trainer.prepare(),
    found = health(network, room);
  for (const { l, j, unit } of lab.cells) {
    const state = l ? found[l][j] : "";
    unit.classList.toggle("dead", state === "dead");
    unit.classList.toggle("saturated", state === "saturated");
    unit.classList.toggle("chosen", lab.parameter.k === null && lab.parameter.layer === l && lab.parameter.j === j);
    unit.setAttribute("aria-label", l ? `neuron ${j} of layer ${l}${state && `, ${state}`}: its bias` : `input x_${j}`);
  }
  const kinds = {
    dead: "no gradient passes at any example of the step",
    saturated: "the activation is flat at nine tenths of the examples, and learning slow",
  };
  const sentences = found.flatMap((layer, l) =>
    Object.keys(kinds).flatMap((kind) => {
      const units = layer.flatMap((state, j) => (state === kind ? [j] : []));
      return units.length
        ? [
            `Layer ${l}: neuron${units.length > 1 ? "s" : ""} ${units.join(", ")} ${units.length > 1 ? "are" : "is"} ${kind}: ${kinds[kind]}.`,
          ]
        : [];
    }),
  );
  element("units").textContent = sentences.join(" ");
  if (element("diverged").textContent !== trainer.broken) element("diverged").textContent = trainer.broken;
  const { accuracy, cost } = lab.told;
  element("surface").setAttribute(
    "aria-label",
    `The plane as the network parts it, with ${lab.points.n} points; ${(100 * accuracy).toFixed(1)} percent of them on their side, cost ${significant(cost)}`,
  );
  const { costs } = trainer;
  element("curve").setAttribute(
    "aria-label",
    costs.length
      ? `The cost over ${costs.length} epochs, from ${significant(costs[0])} to ${significant(costs[costs.length - 1])}`
      : "The cost over the epochs: none yet",
  );
  element("code").textContent = python();
  element("said").textContent = lab.running
    ? ""
    : `Epoch ${trainer.epoch}: cost ${significant(cost)}, accuracy ${(100 * accuracy).toFixed(1)} percent.`;
}
