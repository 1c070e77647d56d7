// Points in the plane, each of one of two classes: the sets of nn.data from the same seeds, or lines of text.

const evenly = (from, to, n, both = true) =>
  Array.from({ length: n }, (_, i) => from + (i * (to - from)) / Math.max(1, n - both));
const SHAPES = {
  moons: (n) => [
    evenly(0, Math.PI, n - (n >> 1)).map((t) => [Math.cos(t), Math.sin(t)]),
    evenly(0, Math.PI, n >> 1).map((t) => [1 - Math.cos(t), 0.5 - Math.sin(t)]),
  ],
  circles: (n) =>
    [
      [1, n - (n >> 1)],
      [0.5, n >> 1],
    ].map(([radius, size]) =>
      evenly(0, 2 * Math.PI, size, false).map((t) => [radius * Math.cos(t), radius * Math.sin(t)]),
    ),
  spirals: (n) =>
    [0, 1].map((arm) =>
      evenly(0.1, 1, (n + 1 - arm) >> 1).map((radius) => {
        const t = 2 * Math.PI * (radius + arm / 2);
        return [radius * Math.cos(t), radius * Math.sin(t)];
      }),
    ),
  xor: (n) => {
    const corners = Array.from(
      { length: n },
      (_, i) =>
        [
          [-1, -1],
          [-1, 1],
          [1, -1],
          [1, 1],
        ][i % 4],
    );
    return [corners.filter(([x, y]) => x === y), corners.filter(([x, y]) => x !== y)];
  },
};

// {X: Float64Array of x1, x2, x1, x2, ..., classes: 0 or 1 for each point, names of the classes}
function shaped(shape, n, noise, seed) {
  const parts = SHAPES[shape](n),
    points = parts.flat(),
    rng = numpyRandom(seed);
  const order = rng.permutation(n),
    X = new Float64Array(2 * n);
  order.forEach((from, i) => {
    for (const k of [0, 1]) X[2 * i + k] = points[from][k] + noise * rng.normal();
  });
  return {
    shape,
    n,
    noise,
    X,
    classes: Uint8Array.from(order, (from) => (from < parts[0].length ? 0 : 1)),
    names: ["0", "1"],
  };
}

const MOST_POINTS = 2000;

// Lines such as `0.5, -1.2, yes`: two numbers and the class, which has one of two names; the first line may be a heading.
function pasted(text) {
  const fail = (line, column, reason) => {
    throw new Fault(`line ${line + 1}, column ${column + 1}: ${reason}`, 0, 0);
  };
  const short = (cell) => (cell.length > 20 ? `${cell.slice(0, 19)}\u2026` : cell);
  if (text.length > 200000) fail(0, 0, "the text is longer than 200000 characters");
  const lines = text.split(/\r\n|\r|\n/),
    first = lines.find((line) => line.trim()) ?? "";
  const separator = [";", "\t", ","].find((sign) => first.includes(sign)) ?? /\s+/;
  const number = (cell) => {
    const plain = separator === ";" && /^[^.]*,[^,]*$/.test(cell) ? cell.replace(",", ".") : cell;
    return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : NaN;
  };
  const X = [],
    classes = [],
    names = [];
  let heading = true;
  lines.forEach((line, at) => {
    if (!line.trim()) return;
    const cells = line
      .trim()
      .split(separator)
      .map((cell) => cell.trim().replace(/^"(.*)"$/, "$1"));
    if (cells.length !== 3)
      fail(
        at,
        Math.min(cells.length, 3),
        `a line holds two numbers and a class, and this one has ${cells.length} ${cells.length === 1 ? "entry" : "entries"}`,
      );
    const numbers = cells.slice(0, 2).map(number),
      wrong = numbers.findIndex((x) => !Number.isFinite(x));
    if (heading && cells.slice(0, 2).every((cell) => cell && !/\d/.test(cell[0]) && Number.isNaN(number(cell)))) {
      heading = false;
      return;
    }
    heading = false;
    if (wrong >= 0)
      fail(at, wrong, cells[wrong] ? `\u201C${short(cells[wrong])}\u201D is not a number` : "a number is missing");
    if (!cells[2]) fail(at, 2, "the class is missing");
    if (!names.includes(cells[2])) names.push(cells[2]);
    if (names.length > 2)
      fail(
        at,
        2,
        `\u201C${short(cells[2])}\u201D is a third class; here are two, ${names
          .slice(0, 2)
          .map((name) => `\u201C${short(name)}\u201D`)
          .join(" and ")}`,
      );
    if (classes.length === MOST_POINTS) fail(at, 0, `there are more than ${MOST_POINTS} points`);
    X.push(...numbers);
    classes.push(cells[2]);
  });
  if (!classes.length) fail(0, 0, "there are no points: a line is written 0.5, -1.2, yes");
  if (names.length < 2)
    fail(lines.length - 1, 2, `all points are of the class \u201C${short(names[0])}\u201D; two are needed`);
  names.sort((a, b) => (Number.isNaN(a - b) ? (a < b ? -1 : 1) : a - b));
  const columns = columnsOf(X);
  return {
    n: classes.length,
    raw: X,
    columns,
    X: Float64Array.from(X, (x, i) => (columns[i % 2].deviation ? (x - columns[i % 2].mean) / columns[i % 2].deviation : 0)),
    classes: Uint8Array.from(classes, (name) => names.indexOf(name)),
    names,
  };
}

// Mean and standard deviation of each of the two columns, as nn.standardize takes them; a constant one has deviation 0
function columnsOf(X) {
  const n = X.length / 2;
  return [0, 1].map((k) => {
    let mean = 0,
      square = 0,
      constant = true;
    for (let i = k; i < X.length; i += 2) {
      mean += X[i] / n;
      constant &&= X[i] === X[k];
    }
    for (let i = k; i < X.length; i += 2) square += (X[i] - mean) ** 2 / n;
    return { mean, deviation: constant ? 0 : Math.sqrt(square) };
  });
}
