// The random numbers of Python and of NumPy, so that a seed gives the network and the points that it gives there.

// Python's random.Random(seed): the Mersenne Twister (Matsumoto and Nishimura, 1998), seeded by an array of one word.
function pythonRandom(seed) {
  const state = new Uint32Array(624);
  const twist = (x) => x ^ (x >>> 30);
  state[0] = 19650218;
  for (let i = 1; i < 624; i++) state[i] = Math.imul(1812433253, twist(state[i - 1])) + i;
  let i = 1;
  const wrap = () => {
    if (i < 624) return;
    state[0] = state[623];
    i = 1;
  };
  for (let k = 0; k < 624; k++, wrap()) {
    state[i] = (state[i] ^ Math.imul(twist(state[i - 1]), 1664525)) + seed;
    i++;
  }
  for (let k = 0; k < 623; k++, wrap()) {
    state[i] = (state[i] ^ Math.imul(twist(state[i - 1]), 1566083941)) - i;
    i++;
  }
  state[0] = 0x80000000;
  let at = 624;
  function word() {
    if (at === 624) {
      for (let k = 0; k < 624; k++) {
        const joined = (state[k] & 0x80000000) | (state[(k + 1) % 624] & 0x7fffffff);
        state[k] = state[(k + 397) % 624] ^ (joined >>> 1) ^ (joined & 1 ? 0x9908b0df : 0);
      }
      at = 0;
    }
    let y = state[at++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }
  const random = () => ((word() >>> 5) * 67108864 + (word() >>> 6)) / 9007199254740992;
  return { random, uniform: (low, high) => low + (high - low) * random() };
}

// NumPy's default_rng(seed): PCG64 (O'Neill, 2014) seeded by SeedSequence; normals by the ziggurat (Marsaglia, Tsang, 2000).
const ziggurat = (() => {
  const edge = 3.654152885361009,
    x = [0, edge],
    density = (t) => Math.exp(-0.5 * t * t);
  const area = edge * density(edge) + Math.sqrt(Math.PI / 2) * words.erfc(edge / Math.SQRT2);
  for (let k = 2; k < 256; k++) x[k] = Math.sqrt(-2 * Math.log(area / x[k - 1] + density(x[k - 1])));
  x[0] = area / density(edge);
  // layer 0 is the base with the tail; layer k > 0 ends at x[256 - k]: the narrowest comes first, as in NumPy
  const right = [x[0], ...x.slice(1).reverse()];
  const inner = [edge, 0, ...x.slice(2).reverse()];
  return {
    edge,
    density,
    right,
    share: right.map((width, k) => inner[k] / width),
    heights: right.map((t, k) => density(k ? t : 0)),
  };
})();

function numpyRandom(seed) {
  const mask = (1n << 128n) - 1n,
    factor = 0x2360ed051fc65da44385df649fccf645n;
  const pool = new Uint32Array(4),
    words = new Uint32Array(8),
    input = [seed, 0, 0, 0];
  const scramble = (x) => (x ^ (x >>> 16)) >>> 0;
  let constant = 0x43b0d7e5;
  const mixed = (x) => {
    x ^= constant;
    constant = Math.imul(constant, 0x931e8875);
    return scramble(Math.imul(x, constant));
  };
  for (let i = 0; i < 4; i++) pool[i] = mixed(input[i]);
  for (let i = 0; i < 4; i++) {
    for (let j = 0; j < 4; j++)
      if (i !== j) pool[j] = scramble(Math.imul(0xca01f9dd, pool[j]) - Math.imul(0x4973f715, mixed(pool[i])));
  }
  constant = 0x8b51f9dd;
  for (let i = 0; i < 8; i++) {
    const x = pool[i % 4] ^ constant;
    constant = Math.imul(constant, 0x58f38ded);
    words[i] = scramble(Math.imul(x, constant));
  }
  const [high, low, streamHigh, streamLow] = [0, 2, 4, 6].map((i) => (BigInt(words[i + 1]) << 32n) | BigInt(words[i]));
  const stream = ((((streamHigh << 64n) | streamLow) << 1n) | 1n) & mask;
  let state = stream,
    half;
  state = ((state + ((high << 64n) | low)) * factor + stream) & mask;
  function next64() {
    state = (state * factor + stream) & mask;
    const folded = BigInt.asUintN(64, (state >> 64n) ^ state),
      turn = state >> 122n;
    return BigInt.asUintN(64, (folded >> turn) | (folded << ((64n - turn) & 63n)));
  }
  function next32() {
    if (half !== undefined) {
      const kept = half;
      half = undefined;
      return kept;
    }
    const x = next64();
    half = Number(x >> 32n);
    return Number(x & 0xffffffffn);
  }
  const random = () => Number(next64() >> 11n) / 9007199254740992;
  function upTo(most) {
    // a whole number from 0 to most, each as likely
    let bits = most;
    for (const shift of [1, 2, 4, 8, 16]) bits |= bits >>> shift;
    for (;;) {
      const x = (next32() & bits) >>> 0;
      if (x <= most) return x;
    }
  }
  function permutation(n) {
    const order = Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = upTo(i);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }
  function normal() {
    const { edge, density, right, share, heights } = ziggurat;
    for (;;) {
      const bits = next64(),
        layer = Number(bits & 0xffn),
        fraction = Number((bits >> 9n) & 0xfffffffffffffn);
      const sign = (bits >> 8n) & 1n ? -1 : 1,
        part = fraction / 4503599627370496;
      const x = part * right[layer];
      if (part < share[layer]) return sign * x;
      if (!layer) {
        for (;;) {
          const beyond = -Math.log1p(-random()) / edge,
            other = -Math.log1p(-random());
          if (2 * other > beyond * beyond) return ((fraction >>> 8) & 1 ? -1 : 1) * (edge + beyond);
        }
      }
      if ((heights[layer - 1] - heights[layer]) * random() + heights[layer] < density(x)) return sign * x;
    }
  }
  return { random, permutation, normal };
}
