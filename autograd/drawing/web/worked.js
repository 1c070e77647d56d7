// The gradient of one parameter for the step that comes next, worked out: example by example, path by path, factor by
// factor; and the network as Python.

function explain() {
  report();
  const { trainer, parameter } = lab,
    { network } = trainer,
    { room, batch, targets } = trainer.prepare(),
    { layer, j, k } = parameter;
  const { widths, theta } = network,
    last = widths.length - 1,
    index = network.at(parameter),
    gradient = trainer.gradient[index],
    n = batch.length;
  element("parameter").value = chosenOption();
  const name = parameterName(parameter),
    z = nameOf("z", layer, j),
    input = k === null ? "1" : inputName(layer - 1, k);
  const inputOf = (e) => (k === null ? 1 : room.a[layer - 1][e * widths[layer - 1] + k]),
    deltaOf = (e) => room.delta[layer][e * widths[layer] + j];

  const order = batch
    .map((_, e) => e)
    .sort((d, e) => Math.abs(inputOf(e) * deltaOf(e)) - Math.abs(inputOf(d) * deltaOf(d)));
  const after = theta.slice(),
    state = { m: trainer.state.m.slice(), s: trainer.state.s.slice() };
  trainer.optimizer(after, trainer.gradient, lab.lr, state, trainer.steps + 1);
  const unit = health(network, room)[layer][j];
  element("chain").innerHTML =
    `<p class="large">${slope(C, name)} = <b>${html(gradient)}</b></p>` +
    `<p>It is the mean over ${n > 1 ? `the ${n} examples` : "the one example"} of the step of ${slope(z, name)} \u00D7 ${slope(C, z)}: what feeds the ${k === null ? "bias" : "weight"}, which is ${input}, times what comes back to its neuron.</p>` +
    `<p id="reason">${reason(parameter, order[0], order.map((e) => inputOf(e) * deltaOf(e))).sentence}</p>` +
    `<p>Now ${name} = <b>${html(theta[index])}</b>. The next step of ${lab.optimizer} makes it <b>${html(after[index])}</b>, a change of ${html(after[index] - theta[index])}.` +
    (unit ? ` Its neuron is <b>${unit}</b>.` : "") +
    "</p>" +
    `<label class="row">set it by hand <input id="weight" type="number" step="any" value="${Number(theta[index].toPrecision(6))}" aria-describedby="weight-fault"></label><p id="weight-fault" class="fault" role="alert"></p>`;
  const shown = element("weight").value;
  element("weight").addEventListener("input", () => (element("weight-fault").textContent = ""));
  element("weight").addEventListener("change", () => {
    const text = element("weight").value,
      x = Number(text);
    if (text === shown) return; // not what is shown in place of all its digits
    if (text === "" || !(Math.abs(x) < LARGEST_WEIGHT)) {
      const what = k === null ? "The bias" : "The weight";
      element("weight-fault").textContent = refused(what, "a number between \u22121e9 and 1e9", element("weight"), theta[index]);
      element("weight").value = shown;
      return;
    }
    theta[index] = x;
    trainer.ready = false;
    lab.changed ||= "a parameter was set by hand";
    paint();
    explain();
    element("weight").focus();
    remember();
  });

  let chosen = batch.indexOf(lab.example);
  if (chosen < 0) chosen = order[0];
  lab.shown = batch[chosen];
  const listed = order.slice(0, EXAMPLES);
  if (!listed.includes(chosen)) listed.splice(-1, 1, chosen);
  const rest = order.filter((e) => !listed.includes(e)).reduce((sum, e) => sum + inputOf(e) * deltaOf(e), 0);
  // what is multiplied stands first, then where the example lies; an input that is one of its coordinates stands once
  const places = [0, 1].filter((c) => layer > 1 || k !== c),
    beside = places.length + 1;
  const line = (e) =>
    `<tr${e === chosen ? ' class="chosen"' : ""}><th scope="row"><button data-example="${batch[e]}" aria-pressed="${e === chosen}">${batch[e]}</button></th>` +
    `<td>${html(inputOf(e))}</td><td>${html(deltaOf(e))}</td><td class="${inputOf(e) * deltaOf(e) < 0 ? "neg" : "pos"}">${html(inputOf(e) * deltaOf(e))}</td>` +
    `${places.map((c) => `<td class="beside">${html(room.a[0][2 * e + c])}</td>`).join("")}<td class="beside">${html(targets[e])}</td></tr>`;
  const more = n - listed.length,
    heads = [...places.map((c) => inputName(0, c)), "<i>y</i>"].map((name) => `<th scope="col" class="beside">${name}</th>`);
  const sum = (words, x, kind) =>
    `<tr class="${kind}"><th scope="row" colspan="3">${words}</th><td>${x}</td><td colspan="${beside}"></td></tr>`;
  element("examples").innerHTML =
    `<h3>Example by example${more > 0 ? ", the largest first" : ""}${lab.points.columns ? ", inputs standardized" : ""}</h3><div class="scroll"><table><thead><tr><th scope="col">example</th>` +
    `<th scope="col">${input}</th><th scope="col">${slope(C, z)}</th><th scope="col">product</th>${heads.join("")}</tr></thead><tbody>${listed.map(line).join("")}` +
    `${more > 0 ? sum(`the sum of the other ${more}`, html(rest), "rest") : ""}${sum(`all of them, divided by ${n}`, `<b>${html(gradient)}</b>`, "total")}</tbody></table></div>`;
  element("examples")
    .querySelectorAll("button")
    .forEach((button) =>
      button.addEventListener("click", () => {
        lab.example = Number(button.dataset.example);
        scatter();
        explain();
        element("examples").querySelector(`[data-example="${lab.example}"]`)?.focus();
        remember();
      }),
    );
  paths(room, chosen, targets[chosen]);
}

// What made the gradient as small or as large as it is, as explain says it: {sentence, groups}. `e` is the example of the
// largest product, `products` are those of all examples; `groups` are the factors of the largest path of e by what they
// are, each with its size, without sign. The bounds are those of explaining/verdict.py.
const WORTH_SAYING = 1.5,
  CANCELLING = 10,
  GREATEST_SLOPE = { sigmoid: 0.25, tanh: 1, softsign: 1 };
const COUNTED = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight"];
const times = (x) => `${html(Number(x.toPrecision(2)))} times`;

function reason(parameter, e, products) {
  const { trainer } = lab,
    { network } = trainer,
    { room, batch, targets } = trainer.prepare(),
    { layer, j, k } = parameter,
    { widths, names } = network,
    last = widths.length - 1,
    n = batch.length,
    total = words.sum(products),
    sizes = words.sum(products.map(Math.abs));
  if (!Number.isFinite(sizes)) return { sentence: "There is no slope here: it is not a finite number.", groups: [] };
  if (!sizes) return { sentence: stopped(parameter), groups: [] };
  const [up, down] = [(sizes + total) / 2, (total - sizes) / 2];
  if (sizes > CANCELLING * Math.abs(total))
    return {
      sentence: `The ${n} examples cancel: the positive products add up to ${html(up)}, the negative ones to ${html(down)}, before they are divided by ${n}.`,
      groups: [],
    };
  const lossSlope = trainer.loss.at(room.a[last][e], targets[e])[1],
    found = pathsOf(network, room, e, parameter, lossSlope, 1),
    [{ neurons, factors, product }] = found.paths;
  const groups = [],
    called = lab.activation === "sigmoid" ? "the sigmoid" : lab.activation;
  const add = (kind, one, many, factors, at = "") => {
    if (!factors.length) return;
    const size = Math.abs(factors.reduce((x, y) => x * y, 1)),
      count = factors.length > 1 ? `the ${COUNTED[factors.length] ?? factors.length} ${many}` : `the ${one}`;
    groups.push({ kind, size, text: count + at, verb: factors.length > 1 ? "together make it" : "makes it" });
  };
  if (k !== null) add(layer > 1 ? "activations" : "inputs", layer > 1 ? "activation" : "input", "", [factors[0]]);
  const slopes = neurons.flatMap((i, at) =>
    names[layer + at - 1] === "linear" ? [] : [{ i, l: layer + at, slope: factors[1 + 2 * at] }],
  );
  const flat = slopes.find(({ l, slope }) => Math.abs(slope) < 0.1 * (GREATEST_SLOPE[names[l - 1]] ?? 0));
  add(
    flat ? "saturated" : "slopes",
    `slope of ${called}`,
    `slopes of ${called}`,
    slopes.map(({ slope }) => slope),
    flat && `, saturated at ${nameOf("z", flat.l, flat.i)} = ${html(room.z[flat.l][e * widths[flat.l] + flat.i])},`,
  );
  add("weights", "weight", "weights", neurons.slice(1).map((_, at) => factors[2 + 2 * at]));
  add("error", "slope of the loss", "", [lossSlope]);
  const small = Math.abs(product) < 1;
  const ranked = groups
    .filter(({ size }) => Math.abs(Math.log(size)) >= Math.log(WORTH_SAYING))
    .sort((x, y) => Math.abs(Math.log(y.size)) - Math.abs(Math.log(x.size)));
  const clauses = (some) =>
    some
      .map(({ size, text, verb }, at) => {
        const how = times(size < 1 ? 1 / size : size);
        return at ? `${text} ${how}` : `${text} ${verb} ${how} ${size < 1 ? "smaller" : "larger"}`;
      })
      .join(", ");
  const sides = [true, false].map((cause) => ranked.filter(({ size }) => (size < 1 === small) === cause));
  const told = sides.filter((some) => some.length).map(clauses).join("; ");
  const where = n > 1 ? `Example ${batch[e]} has the largest product, ${html(found.total)}; all of them add up to ${html(total)}. ` : "",
    path = found.count > 1 ? `On the largest of its ${found.count} paths, ${html(product)}, ` : where && "There ",
    sentence = `${path}${told || "every factor is near 1"}.`;
  return { sentence: where + sentence[0].toUpperCase() + sentence.slice(1), groups: ranked };
}

// Why nothing at all comes back to a parameter
function stopped({ layer, j, k }) {
  const { network } = lab.trainer,
    { room } = lab.trainer.prepare(),
    { widths } = network,
    inputs = k === null ? [] : Array.from({ length: room.n }, (_, e) => room.a[layer - 1][e * widths[layer - 1] + k]);
  const dead = health(network, room).map((states) => states.length > 0 && states.every((state) => state === "dead"));
  if (health(network, room)[layer][j] === "dead")
    return `The slope of ${lab.activation} is 0 in its neuron at every example, and nothing passes back.`;
  if (inputs.length && inputs.every((x) => x === 0)) return "What feeds it is 0 at every example, and so is every product.";
  const blocked = dead.findIndex((all, l) => l > layer && all);
  if (blocked > 0) return `Every neuron of layer ${blocked} is dead: nothing passes back from there.`;
  return "At no example does anything pass back to its neuron: on every path, or in the slope of the loss, a factor is 0.";
}

function paths(room, e, target) {
  const { trainer, parameter } = lab,
    { network } = trainer,
    { widths, names, activations } = network,
    { layer, j } = parameter,
    last = widths.length - 1;
  const lossSlope = trainer.loss.at(room.a[last][e], target)[1];
  const {
    count,
    paths: found,
    total,
  } = pathsOf(network, room, e, parameter, lossSlope, last - layer > 2 ? MOST_PATHS / 2 : MOST_PATHS);
  const ruleAt = (l, i) => {
    const [z, a] = ["z", "a"].map((letter) =>
      S.symbol(nameOf(letter, l, i), POWER, room[letter][l][e * widths[l] + i]),
    );
    const rule = symbolic[names[l - 1]].partials(z, ...Object.values(rows[names[l - 1]].defaults), a)[0];
    return typeof rule === "number" ? "" : S.html(rule);
  };
  const outputs = (l, i) => nameOf(l === last && names[l - 1] === "linear" ? "z" : "a", l, i);
  const row = ({ neurons, factors, product }, p) => {
    const terms = [
      term(
        slope(nameOf("z", layer, j), parameterName(parameter)),
        parameter.k === null ? "" : inputName(layer - 1, parameter.k),
        html(factors[0]),
      ),
    ];
    neurons.forEach((i, at) => {
      const l = layer + at,
        slopeNow = factors[1 + 2 * at];
      if (names[l - 1] !== "linear")
        terms.push(term(slope(nameOf("a", l, i), nameOf("z", l, i)), ruleAt(l, i), bracketed(slopeNow)));
      if (l < last)
        terms.push(
          term(
            slope(nameOf("z", l + 1, neurons[at + 1]), outputs(l, i)),
            nameOf("w", l + 1, `${neurons[at + 1]}${i}`),
            bracketed(factors[2 + 2 * at]),
          ),
        );
    });
    terms.push(term(slope(C, outputs(last, neurons[neurons.length - 1])), "", bracketed(lossSlope)));
    const through =
      neurons
        .slice(1, -1)
        .map((i, at) => outputs(layer + at + 1, i))
        .join(" and ") || outputs(last, 0);
    return `<li>${count > 1 ? `<button class="path" data-way="${neurons.join("-")}" aria-pressed="${neurons.join("-") === lab.way}">through ${through}</button>` : ""}${chained(terms, term("", "", `<b>${html(product)}</b>`))}</li>`;
  };
  const rest = total - found.reduce((sum, path) => sum + path.product, 0),
    others = count - found.length;
  const { values, data } = trainer.loss;
  describe(values, data, 60);
  element("paths").innerHTML =
    `<h3>Example ${lab.shown}, factor by factor</h3><p class="quiet">Its cost is ${C} = ${values[values.length - 1].formula}, where <i>a</i> is the output, ${outputs(last, 0)}.</p><ol class="paths">${found.map(row).join("")}</ol>` +
    (count > 1
      ? `<p>The sum over ${count} paths${others > 0 ? `, of which the ${others} not shown add up to ${html(rest)}` : ""}: <b>${html(total)}</b>.</p>`
      : "");
  element("paths")
    .querySelectorAll(".path")
    .forEach((button) =>
      button.addEventListener("click", () => {
        lab.way = lab.way === button.dataset.way ? "" : button.dataset.way;
        for (const other of element("paths").querySelectorAll(".path"))
          other.setAttribute("aria-pressed", other.dataset.way === lab.way);
        wires();
      }),
    );
}

// The network as Python ---------------------------------------------------------------------------------------------------

function python() {
  const { trainer, points } = lab;
  const { shape, raw } = points,
    signed = LOSSES[lab.loss].targets[0] < 0,
    number = (x) => (Number.isInteger(x) ? x.toFixed(1) : String(x));
  const optimizer = lab.optimizer === "momentum" ? "SGD" : lab.optimizer,
    names = ["MLP", optimizer, ...["accuracy", "fit", lab.loss, shape ?? "standardize"].sort()];
  const data = raw
    ? `X = standardize([\n${Array.from({ length: points.n }, (_, i) => `    [${number(raw[2 * i])}, ${number(raw[2 * i + 1])}],\n`).join("")}])\ny = [${Array.from(points.classes, (c) => LOSSES[lab.loss].targets[c]).join(", ")}]`
    : `X, y = ${shape}(${points.n}, noise=${points.noise}, seed=0)${signed ? "\ny = 2 * y - 1" : ""}`;
  const remarks = [lab.changed, trainer.start ? "the epoch that has begun is not counted" : ""]
    .filter(Boolean)
    .map((text) => `# In the playground ${text}: these numbers may differ from its own.\n`)
    .join("");
  return (
    `from nn import ${names.join(", ")}\n\n${data}\nmodel = MLP(2, [${[...lab.layers, 1].join(", ")}], activation="${lab.activation}", seed=${lab.seed})\n` +
    `optimizer = ${optimizer}(model.parameters(), lr=${lab.lr}${lab.optimizer === "momentum" ? ", momentum=0.9" : ""})\n` +
    `history = fit(model, X, y, loss=${lab.loss}, optimizer=optimizer, epochs=${Math.max(1, trainer.epoch)}${lab.batch ? `, batch_size=${lab.batch}` : ""})\n` +
    `print(history.cost[-1], accuracy(model, X, y))\n${remarks}`
  );
}
