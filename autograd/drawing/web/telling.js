// A step of a pass in words, as HTML. `graph` is {values, steps, completeAt, result, now}: values with name, symbol, formula
// and rules as HTML, the result of `evaluated`, and the step that is shown; `sum` is what each value has collected so far.

const slope = (above, below) => `\u2202${above}/\u2202${below}`;

// Of operands that are one value, as in x * x, each has a derivative of its own, which d/dx does not name: the first factor's
const isRepeated = ({ operands }, k) => operands.indexOf(operands[k]) !== operands.lastIndexOf(operands[k]);
const PARTS = { mul: "factor", prod: "factor", add: "term", sub: "term", sum: "term" };
const ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth"];
const part = ({ op }, k) => (k < ORDINALS.length ? `${ORDINALS[k]} ${PARTS[op] ?? "operand"}` : `${PARTS[op] ?? "operand"} ${k + 1}`);
function partial(values, i, k) {
  const { symbol, operands } = values[i];
  return isRepeated(values[i], k) ? `${symbol} by its ${part(values[i], k)}` : slope(symbol, values[operands[k]].symbol);
}

function told({ values, steps, completeAt, result, now }, sum) {
  const { data, partials, gradient } = result, step = steps[now], C = values[values.length - 1].symbol;
  const rule = (i, k) => (/^\u2212?[\d.]+$/.test(values[i].rules[k]) ? "" : values[i].rules[k]);  // unless it is a number
  if (step.kind === "start") {
    return `<p>The leaves hold their data. The forward pass computes every other value from them, one at a time, and the local derivatives on its edges; the backward pass then starts at ${C} and hands gradients back, edge by edge.</p>`;
  }
  const { name, symbol, formula } = values[step.i ?? values.length - 1], i = step.i;
  if (step.kind === "forward") {
    const edges = values[i].operands.flatMap((x, k) => (typeof x === "number" ? [`${partial(values, i, k)}${isRepeated(values[i], k) ? ": " : " = "}${rule(i, k) && `${rule(i, k)} = `}${html(partials[i][k])}`] : []));
    const shown = edges.length > 8 ? [...edges.slice(0, 7), `... and ${edges.length - 7} more`] : edges;
    return `<p><b>Forward.</b> ${name}${values[i].labelled ? ` = ${formula}` : ""} = <b>${html(data[i])}</b></p><p>Its local derivatives: ${shown.join(", &ensp;")}</p>`;
  }
  if (step.kind === "seed") return `<p><b>Backward.</b> It starts at the cost: ${slope(C, C)} = <b>1</b>.</p>`;
  if (step.kind === "end") {
    return `<p>Every gradient is known: each is the sum, over all paths to ${C}, of the products of the local derivatives along the path. Move a slider, and both passes run again.</p>`;
  }
  const { k, x } = step, upstream = gradient[i], local = partials[i][k], flow = upstream * local, below = values[x].symbol;
  const earlier = steps.slice(0, now).filter((s) => s.kind === "backward" && s.x === x);
  const before = earlier.reduce((total, s) => total + gradient[s.i] * partials[s.i][s.k], 0);
  const column = (what, symbol, x, rule = "") => `<span class="what">${what}</span><span class="symbol">${symbol}</span>` +
    `<span class="rule">${rule}</span><span class="number">${html(x)}</span>`;
  const sign = (s) => `<span></span><span class="symbol">${s}</span><span></span><span class="number">${s}</span>`;
  const complete = now >= completeAt.get(x);
  return `<p><b>Backward</b>, along the edge from ${name} to ${values[x].name}${isRepeated(values[i], k) ? `, its ${part(values[i], k)}` : ""}:</p><p class="product">` +
    column("upstream", slope(C, symbol), upstream) + sign("\u00D7") + column("local", partial(values, i, k), local, rule(i, k)) + sign("=") +
    column("contribution", `to ${slope(C, below)}`, flow) + `</p><p>${values[x].name} has collected ` +
    (earlier.length ? `${html(before)} + ${flow < 0 ? `(${html(flow)})` : html(flow)} = ` : "") + `<b id="sum">${html(sum[x])}</b>` +
    (complete ? `, which is all: ${slope(C, below)} = ${html(sum[x])}.` : " so far; more edges lead back to it.") + "</p>";
}

// How strongly a gradient is drawn beside the largest one: four powers of ten from 0 to 1
function strength(x, largest) {
  if (!x || Number.isNaN(x)) return 0;
  return Number.isFinite(x) && largest ? Math.min(1, Math.max(0.08, 1 + Math.log10(Math.abs(x) / largest) / 4)) : 1;
}

function colour(g, x, largest) {  // the class of its sign, and its strength
  g.classList.toggle("pos", x > 0);
  g.classList.toggle("neg", x < 0);
  return strength(x, largest);
}
