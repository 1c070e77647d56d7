// A multilayer perceptron and its training, example by example in plain loops over typed arrays: as nn.MLP and nn.fit do
// it, from the same seed, in the same order. Activations, losses and their slopes are rows of the table.

// nn's initialisation: these pass about half of what reaches them, so their weights have twice the variance
const HALVING = ["relu", "leaky_relu", "elu", "gelu", "silu", "softplus"];

// Losses of one output a and its target y, as nn.losses has them; `targets` are those of the two classes
const LOSSES = {
  binary_cross_entropy: { text: "y*softplus(-a) + (1 - y)*softplus(a)", targets: [0, 1] },
  squared_error: { text: "(a - y)^2", targets: [-1, 1] },
  hinge: { text: "relu(1 - y*a)", targets: [-1, 1] },
};

// nn.optimizers: theta moves against the gradient g by lr; m and s are what is remembered, t counts steps from 1
const OPTIMIZERS = {
  SGD(theta, g, lr) {
    for (let i = 0; i < theta.length; i++) theta[i] -= lr * g[i];
  },
  momentum(theta, g, lr, { m }) {
    for (let i = 0; i < theta.length; i++) {
      m[i] = 0.9 * m[i] + g[i];
      theta[i] -= lr * m[i];
    }
  },
  RMSprop(theta, g, lr, { s }) {
    for (let i = 0; i < theta.length; i++) {
      s[i] = 0.99 * s[i] + (1 - 0.99) * g[i] * g[i];
      theta[i] -= lr * (g[i] / (Math.sqrt(s[i]) + 1e-8));
    }
  },
  Adam(theta, g, lr, { m, s }, t) {
    const first = 1 - 0.9 ** t,
      second = 1 - 0.999 ** t;
    for (let i = 0; i < theta.length; i++) {
      m[i] = 0.9 * m[i] + (1 - 0.9) * g[i];
      s[i] = 0.999 * s[i] + (1 - 0.999) * g[i] * g[i];
      theta[i] -= (lr * (m[i] / first)) / (Math.sqrt(s[i] / second) + 1e-8);
    }
  },
};

// A function of the table of one number, and its slope; "linear" passes z on as it is
function activationOf(name) {
  if (name === "linear") return { f: (z) => z, slope: () => 1 };
  const { value, partials } = operations[name],
    more = Object.values(rows[name].defaults);
  if (more.length) return { f: (z) => value(z, ...more), slope: (z, a) => partials(z, ...more, a)[0] };
  return { f: value, slope: (z, a) => partials(z, a)[0] };
}

// The loss and its slope with respect to the output: both passes over the graph of its text, as `evaluated` makes them,
// but with the operands of each row looked up beforehand, for this is done for every example of every step
function lossOf(name) {
  const { text, targets } = LOSSES[name],
    values = graphOf(text, [1]),
    last = values.length - 1;
  const [a, y] = ["a", "y"].map((label) => values.findIndex((value) => value.label === label));
  const data = values.map(() => 0),
    gradient = values.map(() => 0);
  const steps = values.flatMap((value, i) => {
    if (!value.op) return [];
    const places = value.operands.map((x) => (typeof x === "number" ? x : data.push(x[0]) - 1));
    return [{ i, places, op: operations[value.op], slopes: null }];
  });
  function at(output, target) {
    data[a] = output;
    data[y] = target;
    for (const step of steps) {
      const {
          i,
          places: [first, second],
          op,
        } = step,
        x = data[first];
      data[i] = second === undefined ? op.value(x) : op.value(x, data[second]);
      step.slopes = second === undefined ? op.partials(x, data[i]) : op.partials(x, data[second], data[i]);
    }
    gradient.fill(0);
    gradient[last] = 1;
    for (let s = steps.length - 1; s >= 0; s--) {
      const { i, places, slopes } = steps[s];
      for (let k = 0; k < places.length; k++) if (places[k] <= last) gradient[places[k]] += gradient[i] * slopes[k];
    }
    return [data[last], gradient[a]];
  }
  return { targets, at, values, data };
}

class Network {
  // widths: inputs, neurons of each layer; theta as nn's parameters(): layer by layer the weights, row by row, then biases
  constructor(widths, activation, seed) {
    this.widths = widths;
    this.names = widths.slice(1).map((_, l) => (l < widths.length - 2 ? activation : "linear"));
    this.activations = this.names.map(activationOf);
    this.weights = [];
    this.biases = [];
    let size = 0;
    for (let l = 1; l < widths.length; l++) {
      this.weights.push(size);
      size += widths[l] * widths[l - 1];
      this.biases.push(size);
      size += widths[l];
    }
    this.theta = new Float64Array(size);
    const rng = pythonRandom(seed);
    this.names.forEach((name, l) => {
      const limit = Math.sqrt(6 / (HALVING.includes(name) ? widths[l] : widths[l] + widths[l + 1]));
      for (let i = this.weights[l]; i < this.biases[l]; i++) this.theta[i] = rng.uniform(-limit, limit);
    });
  }

  // Room for n examples: z and a of every neuron, the slope of a at z, the gradient of each example's loss at z
  room(n) {
    const each = () => this.widths.map((width) => new Float64Array(n * width));
    return { n, z: each(), a: each(), slope: each(), delta: each() };
  }

  // z and a of all examples whose inputs stand in room.a[0]; slopes are computed if they are wanted
  forward(room, slopes = true) {
    const { theta, widths } = this;
    for (let l = 1; l < widths.length; l++) {
      const before = room.a[l - 1],
        z = room.z[l],
        a = room.a[l],
        slope = room.slope[l],
        m = widths[l - 1],
        n = widths[l];
      const { f, slope: slopeOf } = this.activations[l - 1],
        linear = this.names[l - 1] === "linear";
      for (let e = 0; e < room.n; e++) {
        let w = this.weights[l - 1];
        for (let j = 0; j < n; j++) {
          let sum = theta[this.biases[l - 1] + j];
          for (let k = 0; k < m; k++) sum += theta[w++] * before[e * m + k];
          z[e * n + j] = sum;
        }
      }
      if (linear) {
        a.set(z);
        slope.fill(1);
        continue;
      }
      for (let i = 0; i < room.n * n; i++) a[i] = f(z[i]);
      if (slopes) for (let i = 0; i < room.n * n; i++) slope[i] = slopeOf(z[i], a[i]);
    }
  }

  // The mean loss and its gradient; room.delta holds, example by example, the gradient of its own loss at every z
  backward(room, targets, loss, gradient) {
    const { theta, widths } = this,
      last = widths.length - 1;
    let cost = 0;
    for (let e = 0; e < room.n; e++) {
      const [value, slope] = loss.at(room.a[last][e], targets[e]);
      cost += value;
      room.delta[last][e] = slope * room.slope[last][e];
    }
    gradient.fill(0);
    for (let l = last; l > 0; l--) {
      const before = room.a[l - 1],
        delta = room.delta[l],
        m = widths[l - 1],
        n = widths[l],
        slope = room.slope[l - 1],
        back = room.delta[l - 1];
      if (l > 1) back.fill(0);
      for (let e = 0; e < room.n; e++) {
        let w = this.weights[l - 1];
        for (let j = 0; j < n; j++) {
          const d = delta[e * n + j];
          gradient[this.biases[l - 1] + j] += d;
          for (let k = 0; k < m; k++, w++) {
            gradient[w] += d * before[e * m + k];
            if (l > 1) back[e * m + k] += d * theta[w];
          }
        }
        if (l > 1) for (let k = e * m; k < (e + 1) * m; k++) back[k] *= slope[k];
      }
    }
    for (let i = 0; i < gradient.length; i++) gradient[i] /= room.n;
    return cost / room.n;
  }

  // A parameter as (layer from 1, neuron j, input k), k null for a bias
  at({ layer, j, k }) {
    return k === null ? this.biases[layer - 1] + j : this.weights[layer - 1] + j * this.widths[layer - 1] + k;
  }
}

// nn.fit: epochs of batches, shuffled where there are several, the cost of an epoch being that before each of its steps
class Trainer {
  constructor(points, { widths, activation, seed, loss, optimizer, batch }) {
    this.points = points;
    this.network = new Network(widths, activation, seed);
    this.loss = lossOf(loss);
    this.targets = Float64Array.from(points.classes, (c) => this.loss.targets[c]);
    this.optimizer = OPTIMIZERS[optimizer];
    const size = this.network.theta.length;
    this.state = { m: new Float64Array(size), s: new Float64Array(size) };
    this.gradient = new Float64Array(size);
    this.shuffled = Boolean(batch);
    this.size = Math.min(batch || points.n, points.n);
    this.rng = numpyRandom(0);
    this.rooms = new Map();
    this.costs = [];
    Object.assign(this, { steps: 0, epoch: 0, start: 0, running: 0, order: null, ready: false, broken: "" });
  }

  room(n) {
    if (!this.rooms.has(n)) this.rooms.set(n, this.network.room(n));
    return this.rooms.get(n);
  }

  // The gradient of the step that comes next, for the parameters as they are: {room, batch, cost}
  prepare() {
    if (this.ready) return this.ready;
    this.order ??= this.shuffled
      ? this.rng.permutation(this.points.n)
      : Array.from({ length: this.points.n }, (_, i) => i);
    const batch = this.order.slice(this.start, this.start + this.size),
      room = this.room(batch.length),
      targets = new Float64Array(batch.length);
    batch.forEach((i, e) => {
      room.a[0][2 * e] = this.points.X[2 * i];
      room.a[0][2 * e + 1] = this.points.X[2 * i + 1];
      targets[e] = this.targets[i];
    });
    this.network.forward(room);
    const cost = this.network.backward(room, targets, this.loss, this.gradient);
    this.ready = { room, batch, targets, cost };
    return this.ready;
  }

  // One step; false, and nothing changed, where a parameter would no longer be a finite number
  step(lr) {
    if (this.broken) return false;
    const { batch, cost } = this.prepare(),
      { theta } = this.network,
      before = theta.slice();
    this.optimizer(theta, this.gradient, lr, this.state, this.steps + 1);
    if (!Number.isFinite(cost) || !theta.every(Number.isFinite)) {
      theta.set(before);
      this.broken = `Step ${this.steps} would make a parameter infinite: training diverges. Take a smaller learning rate and begin again.`;
      return false;
    }
    this.ready = false;
    this.steps++;
    this.running += (cost * batch.length) / this.points.n;
    this.start += batch.length;
    if (this.start >= this.points.n) {
      this.costs.push(this.running);
      Object.assign(this, { epoch: this.epoch + 1, start: 0, running: 0, order: null });
    }
    return true;
  }

  // Steps to the end of this epoch
  finishEpoch(lr) {
    const { epoch } = this;
    while (this.epoch === epoch) if (!this.step(lr)) return false;
    return true;
  }

  // How many of the points fall on their side, and the mean loss, for the parameters as they are
  measure() {
    const { n, X, classes } = this.points,
      room = this.room(n);
    if (this.ready && this.ready.room === room) {
      // the batch is all of the points, in their order unless shuffled
      const right = this.ready.batch.reduce(
        (sum, i, e) => sum + (room.a[room.a.length - 1][e] > 0 === Boolean(classes[i])),
        0,
      );
      return { accuracy: right / n, cost: this.ready.cost };
    }
    room.a[0].set(X);
    this.network.forward(room, false);
    const out = room.a[room.a.length - 1];
    let right = 0,
      cost = 0;
    for (let i = 0; i < n; i++) {
      right += out[i] > 0 === Boolean(classes[i]);
      cost += this.loss.at(out[i], this.targets[i])[0];
    }
    return { accuracy: right / n, cost: cost / n };
  }
}

// Units that pass no gradient at any example of a room ("dead"), or less than a twentieth of the activation's greatest
// slope at nine tenths of them ("saturated"): the bounds of nn.health. By layer, from 1.
function health(network, room) {
  return network.widths.map((width, l) =>
    Array.from({ length: l ? width : 0 }, (_, j) => {
      if (network.names[l - 1] === "linear") return "";
      const greatest = network.names[l - 1] === "sigmoid" ? 0.25 : 1;
      let zero = 0,
        flat = 0;
      for (let e = 0; e < room.n; e++) {
        const slope = Math.abs(room.slope[l][e * width + j]) / greatest;
        zero += slope === 0;
        flat += slope < 0.05;
      }
      return zero === room.n ? "dead" : flat >= 0.9 * room.n ? "saturated" : "";
    }),
  );
}

// The paths from a parameter to one example's cost, largest first: how many there are, the first `limit`, and their sum.
// A path is {neurons: [j of each layer from the parameter's on], factors, product}; factors: the input (1 for a bias), then
// slope and weight by turns, last the loss's slope.
function pathsOf(network, room, e, parameter, lossSlope, limit) {
  const { layer, j, k } = parameter,
    { widths, theta } = network,
    last = widths.length - 1;
  const start = k === null ? 1 : room.a[layer - 1][e * widths[layer - 1] + k];
  let known = Array.from({ length: widths[last] }, (_, i) => [
    { neurons: [i], factors: [room.slope[last][e * widths[last] + i], lossSlope] },
  ]);
  const product = (path) => path.factors.reduce((total, x) => total * x, 1);
  known.forEach((list) => list.forEach((path) => (path.product = product(path))));
  let count = 1;
  for (let l = last - 1; l >= layer; l--) {
    // the best paths of a neuron go on with the best paths of the next
    count *= widths[l + 1];
    known = Array.from({ length: l === layer ? j + 1 : widths[l] }, (_, i) => {
      if (l === layer && i !== j) return [];
      const slope = room.slope[l][e * widths[l] + i];
      const onward = known.flatMap((list, next) => {
        const w = theta[network.at({ layer: l + 1, j: next, k: i })];
        return list.map((path) => ({
          neurons: [i, ...path.neurons],
          factors: [slope, w, ...path.factors],
          product: slope * w * path.product,
        }));
      });
      return onward.sort((p, q) => Math.abs(q.product) - Math.abs(p.product)).slice(0, limit);
    });
  }
  const paths = known[j].map((path) => ({
    neurons: path.neurons,
    factors: [start, ...path.factors],
    product: start * path.product,
  }));
  return { count, paths, total: start * room.delta[layer][e * widths[layer] + j] };
}
