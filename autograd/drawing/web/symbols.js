// The third kind of number: symbols, which know how they are written (as HTML), how strongly they hold together, and what
// they are worth. Plain numbers stand for themselves. A negative, a multiple and a quotient know their parts (`minus`,
// `times`, `over`), so that signs, numbers and denominators meet. `symbolic` are the rows of the table on symbols.

const SUM = 0,
  QUOTIENT = 1,
  PRODUCT = 2,
  POWER = 3,
  ATOM = 4;
const S = {
  of: (x) => (typeof x === "number" ? x : x.n),
  symbol: (html, level, n, parts = {}) => ({ html, level, n, ...parts }),
  name: (html, n) => S.symbol(html, ATOM, n),
  html: (x) => (typeof x !== "number" ? x.html : Number.isNaN(x) ? "undefined" : html(x)),
  least(x, level) {
    // as it stands where parts must hold together at least that strongly
    const own = typeof x !== "number" ? x.level : x < 0 || /\d\s\u00D7/.test(html(x)) ? SUM : ATOM;
    return own < level ? `(${S.html(x)})` : S.html(x);
  },
  both: (x, y) => typeof x === "number" && typeof y === "number",
  add(x, y) {
    if (S.both(x, y)) return x + y;
    if (x === 0) return y;
    if (y === 0) return x;
    if (y < 0 || y.minus) return S.sub(x, S.neg(y));
    return S.symbol(`${S.html(x)} + ${S.least(y, SUM)}`, SUM, S.of(x) + S.of(y));
  },
  sub(x, y) {
    if (S.both(x, y)) return x - y;
    if (y === 0) return x;
    if (x === 0) return S.neg(y);
    if (y < 0 || y.minus) return S.add(x, S.neg(y));
    return S.symbol(`${S.html(x)} \u2212 ${S.least(y, QUOTIENT)}`, SUM, S.of(x) - S.of(y));
  },
  neg: (x) =>
    typeof x === "number" ? -x : (x.minus ?? S.symbol(`\u2212${S.least(x, QUOTIENT)}`, SUM, -x.n, { minus: x })),
  mul(x, y) {
    if (S.both(x, y)) return x * y;
    if (typeof y === "number") return S.mul(y, x);
    if (x === 0 || x === 1) return x && y;
    if (x < 0 || x.minus) return S.neg(S.mul(S.neg(x), y));
    if (y.minus) return S.neg(S.mul(x, y.minus));
    if (typeof x === "number" && y.times) return S.mul(x * y.times[0], y.times[1]);
    if (x.times) return S.mul(x.times[0], S.mul(x.times[1], y));
    if (y.times) return S.mul(y.times[0], S.mul(x, y.times[1]));
    if (x.over) return S.div(S.mul(x.over[0], y), x.over[1]);
    if (y.over) return S.div(S.mul(x, y.over[0]), y.over[1]);
    if (x.level >= PRODUCT && x.html === y.html) return S.power(x, 2);
    const left = typeof x === "number" ? S.html(x) : S.least(x, PRODUCT),
      parts = typeof x === "number" ? { times: [x, y] } : {};
    return S.symbol(`${left} ${S.least(y, PRODUCT)}`, PRODUCT, S.of(x) * S.of(y), parts);
  },
  div(x, y) {
    if (S.both(x, y)) return x / y;
    if (y === 1 || x === 0) return x;
    if (x < 0 || x.minus) return S.neg(S.div(S.neg(x), y));
    if (x.over) return S.div(x.over[0], S.mul(x.over[1], y));
    if (y.over) return S.div(S.mul(x, y.over[1]), y.over[0]);
    return S.symbol(`${S.least(x, PRODUCT)} / ${S.least(y, POWER)}`, QUOTIENT, S.of(x) / S.of(y), { over: [x, y] });
  },
  power(x, y) {
    if (S.both(x, y)) return Math.pow(x, y);
    if (y === 1) return x;
    if (y === 0) return 1;
    if (y < 0) return S.div(1, S.power(x, -y));
    return S.symbol(`${S.least(x, ATOM)}<sup>${S.html(y)}</sup>`, POWER, words.power(S.of(x), S.of(y)));
  },
  call(word, operands) {
    const numbers = operands.map((x) => (Array.isArray(x) ? x.map(S.of) : S.of(x))),
      n = words[word](...numbers);
    if (Number.isInteger(n) && operands.flat().every((x) => typeof x === "number")) return n;
    if (word === "sum" || word === "sumproduct") {
      const terms = word === "sum" ? operands[0] : operands[0].map((w, i) => S.mul(w, operands[1][i]));
      return terms.length > 6
        ? S.symbol(`${S.add(terms[0], terms[1]).html ?? ""} + \u2026 + ${S.html(terms[terms.length - 1])}`, SUM, n)
        : terms.reduce(S.add);
    }
    if (word === "prod") return operands[0].reduce(S.mul, 1);
    let shown = operands.flat();
    if (rows[word] && Object.keys(rows[word].defaults).length) {
      const { operands: names, defaults } = rows[word];
      shown = shown.filter((x, i) => !(names[i] in defaults) || x !== defaults[names[i]]);
    }
    return S.symbol(`${word}(${shown.map(S.html).join(", ")})`, ATOM, n);
  },
  literal(op, operands, n) {
    // an operation as it stands, with nothing simplified away: 1 · z
    const [sign, level, inside] =
      { add: [" + ", SUM, QUOTIENT], sub: [" \u2212 ", SUM, QUOTIENT], mul: [" \u00B7 ", QUOTIENT, POWER], div: [" / ", QUOTIENT, POWER] }[op] ?? [];
    if (sign) return S.symbol(operands.map((x) => S.least(x, inside)).join(sign), level, n);
    if (op === "pow") return S.symbol(`${S.least(operands[0], ATOM)}<sup>${S.html(operands[1])}</sup>`, POWER, n);
    return S.symbol(`${op}(${operands.map(S.html).join(", ")})`, ATOM, n);
  },
  others: (xs, i) => xs.filter((_, at) => at !== i).reduce(S.mul, 1),
};
const symbolic = Object.create(null);

// Names as a textbook sets them: letters italic, Greek by name, what follows _ below, hat, bar and primes above
const escaped = (text) => String(text).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
function named(label) {
  const [, base, below, mark] = /^(\p{L})(\d+)()$/u.exec(label) ??
    /^(.*?)(?:_(.+?))?(?:_(hat|bar|tilde))?$/u.exec(label) ?? [, label];
  const [letter, sign] = ["hat", "bar", "tilde"].includes(below) && !mark ? [undefined, below] : [below, mark];
  const accent = { hat: "\u0302", bar: "\u0304", tilde: "\u0303" }[sign] ?? "";
  const greek = Object.hasOwn(opening.greek, base) ? opening.greek[base] : base;
  const shown = greek.length > 24 ? `${greek.slice(0, 23)}\u2026` : greek;
  const head = [...shown].length === 1 ? `<i>${escaped(shown)}${accent}</i>` : escaped(shown) + accent;
  return (
    head +
    (letter
      ? `<sub>${letter.length === 1 && /\D/.test(letter) ? `<i>${escaped(letter)}</i>` : escaped(letter)}</sub>`
      : "")
  );
}
const lowered = (digits) => [...String(digits)].map((digit) => String.fromCharCode(0x2080 + Number(digit))).join("");
const plainText = (html) =>
  html
    .replace(/<sup>(.*?)<\/sup>/g, "^$1")
    .replace(/<sub>(\d+)<\/sub>/g, (_, digits) => lowered(digits))
    .replace(/<sub>(.*?)<\/sub>/g, "_$1")
    .replace(/<[^>]*>/g, "")
    .replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code));
