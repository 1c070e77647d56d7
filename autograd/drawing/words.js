// What the words of the table mean in JavaScript where JavaScript has none. Every other function is made from its row.
const words = {
  power: Math.pow,
  exp2: (x) => 2 ** x,
  mod: (x, y) => { const rest = x % y; return rest && rest < 0 !== y < 0 ? rest + y : rest || Math.sign(y) * 0; },
  maximum: (x, y) => (x > y || x !== x ? x : y),
  minimum: (x, y) => (x < y || x !== x ? x : y),
  step: (x) => (x > 0 ? 1 : x <= 0 ? 0 : x),
  prod: (xs) => xs.reduce((product, x) => product * x, 1),
  sumproduct: (ws, xs) => words.sum(ws.map((w, i) => w * xs[i])),

  // The exact sum, rounded once: what the roundings lose is kept in `parts`, which do not overlap.
  sum(xs) {
    if (!xs.every(Number.isFinite)) return xs.reduce((total, x) => total + x, 0);
    const parts = [];
    for (let x of xs) {
      let kept = 0;
      for (let y of parts) {
        if (Math.abs(x) < Math.abs(y)) [x, y] = [y, x];
        const total = x + y, lost = y - (total - x);
        if (lost) parts[kept++] = lost;
        x = total;
      }
      parts.splice(kept, parts.length, x);
    }
    let total = 0, lost = 0;
    while (parts.length && !lost) {
      const part = parts.pop(), before = total;
      total = before + part;
      lost = part - (total - before);
    }
    const next = parts.length ? parts[parts.length - 1] : 0;
    if ((lost < 0 && next < 0) || (lost > 0 && next > 0)) {  // half a unit, and more behind it: round away
      const further = total + 2 * lost;
      if (2 * lost === further - total) total = further;
    }
    return total;
  },

  logsumexp(xs) {
    const top = Math.max(...xs);
    return Number.isFinite(top) ? top + Math.log(words.sum(xs.map((x) => Math.exp(x - top)))) : words.sum(xs);
  },

  total: (xs, out) => words.sum(xs.map((x) => Math.exp(x - out))),

  products_of_others(xs) {
    const before = [1], after = [1];
    for (let i = 0; i < xs.length - 1; i++) {
      before.push(before[i] * xs[i]);
      after.push(after[i] * xs[xs.length - 1 - i]);
    }
    return before.map((product, i) => product * after[xs.length - 1 - i]);
  },

  erf: (x) => (x < 0 ? -words.erf(-x) : x < 31 / 32 ? nearSixteenth(x) || x : 1 - words.erfc(x)),

  erfc(x) {
    if (x < 31 / 32) return 1 - words.erf(x);
    if (x < 6) return nearSixteenth(x);
    if (!(x < 28)) return x === x ? 0 : x;
    const high = Math.round(x * 4096) / 4096;  // exp(-x^2) in two factors: x * x alone would be rounded
    return Math.exp(-high * high) * Math.exp((high - x) * (high + x)) * erfcx(x);
  },
};

// erfc(x) exp(x^2): the continued fraction 1 / sqrt(pi) / (x + (1/2) / (x + (2/2) / (x + (3/2) / ...))).
function erfcx(x) {
  let fraction = x;
  for (let n = Math.ceil(250 / (x * x)) + 8; n > 0; n--) fraction = x + n / 2 / fraction;
  return 1 / (fraction * Math.sqrt(Math.PI));
}

// erf(x) below 1, erfc(x) up to 6: Taylor's series around the nearest sixteenth. Each was summed once, when first needed.
const TERMS = 14, taylor = [];
function nearSixteenth(x) {
  const k = Math.trunc(16 * x + 0.5), h = x - k / 16, c = (taylor[k] ??= aroundSixteenth(k));
  let sum = c[TERMS - 1];
  for (let n = TERMS - 2; n >= 0; n--) sum = sum * h + c[n];
  return sum;
}
// The slope is 2 / sqrt(pi) exp(-x^2), and its derivatives are Hermite's polynomials times it. At x itself, erf is the
// slope times x + 2 x^3 / 3 + 4 x^5 / 15 + ..., whose terms are all of one sign, from its last term inwards.
function aroundSixteenth(k) {
  const x = k / 16, slope = ((k < 16 ? 2 : -2) / Math.sqrt(Math.PI)) * Math.exp(-x * x);
  let value = 1;
  for (let n = 24; n > 0; n--) value = 1 + (2 * x * x * value) / (2 * n + 1);
  const c = new Float64Array(TERMS);
  c[0] = k < 16 ? slope * x * value : Math.exp(-x * x) * erfcx(x);
  for (let n = 1, hermite = 1, before = 0; n < TERMS; n++) {
    c[n] = (slope * hermite) / n;
    [hermite, before] = [(-2 * (x * hermite + before)) / n, hermite];
  }
  return c;
}
