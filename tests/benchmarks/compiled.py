"""Compiled programs beside their peers, on one thread, in one process, in turns.

    pip install -e '.[benchmark]'
    python tests/benchmarks/compiled.py              # every row
    python tests/benchmarks/compiled.py moons gpt    # some of them

Each row first checks that all competitors agree on value and gradient, then prints the median time of each and how
many times as long it took as the compiled program. A peer that is not installed is left out, and the row says so.
"""

import os

for _threads in ("OPENBLAS", "OMP", "MKL", "VECLIB_MAXIMUM", "NUMEXPR"):
    os.environ[f"{_threads}_NUM_THREADS"] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"

import argparse  # noqa: E402
import gc  # noqa: E402
import importlib  # noqa: E402
import itertools  # noqa: E402
import math  # noqa: E402
import random  # noqa: E402
import statistics  # noqa: E402
import time  # noqa: E402
import tracemalloc  # noqa: E402

import eager  # noqa: E402
import gpt  # noqa: E402
import numpy as np  # noqa: E402

import autograd  # noqa: E402
from autograd import Value  # noqa: E402
from nn import MLP, Adam, cross_entropy  # noqa: E402

RATE = 0.05


def installed(name):
    """The module, or None and a sentence."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        print(f"  {name} is not installed, so it is left out")
        return None


def race(competitors, rounds=9, seconds=0.1):
    """The median time of a call of each competitor, in seconds; they take turns in blocks of consecutive calls.

    A block lasts about `seconds`, and holds at least one call.
    """
    calls, times = {}, {name: [] for name in competitors}
    for name, run in competitors.items():
        start = time.perf_counter()
        run()
        calls[name] = max(1, int(seconds / (time.perf_counter() - start)))
    for _ in range(rounds):
        for name, run in competitors.items():
            gc.collect()
            for _ in range(calls[name]):
                start = time.perf_counter()
                run()
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(record) for name, record in times.items()}


def report(times):
    """One line per competitor; the first is ours."""
    ours = next(iter(times.values()))
    for name, seconds in times.items():
        print(f"  {name:34} {1e3 * seconds:12.4f} ms {seconds / ours:12.2f} times ours")


def agree(ours, theirs, name, tolerance=1e-9):
    """Stop if a competitor computes something else."""
    ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
    if not np.allclose(ours, theirs, rtol=tolerance, atol=tolerance * np.abs(ours).max()):
        raise SystemExit(f"{name} disagrees by {np.abs(ours - theirs).max()}")


# A training step on moons: 2-16-16-1, 100 points, hinge loss and weight decay ----------------------------------------

SIZES = [2, 16, 16, 1]


def moons_graph(model, X, y):
    """The full-batch cost in single operations, every example written out, as micrograd's demo builds it."""
    losses = []
    for row, label in zip(X.tolist(), y.tolist()):
        x = list(map(Value, row))
        for layer in model.layers:
            x = [sum((w * a for w, a in zip(neuron.w, x)), neuron.b) for neuron in layer.neurons]
            x = [z.relu() for z in x] if layer is not model.layers[-1] else x
        losses.append((1 + -label * x[0]).relu())
    return sum(losses) * (1 / len(losses)) + 1e-4 * sum(p * p for p in model.parameters())


def moons_parts(theta):
    """(W1, b1, W2, b2, W3, b3): views of one array."""
    parts, start = [], 0
    for n, m in itertools.pairwise(SIZES):
        parts += [theta[start : start + n * m].reshape(m, n), theta[start + n * m : start + n * m + m]]
        start += n * m + m
    return parts


class MoonsByHand:
    """Forward, backward and update in NumPy calls that write into arrays made once."""

    def __init__(self, theta, X, y):
        self.theta, self.slope, self.change = theta.copy(), np.empty_like(theta), np.empty_like(theta)
        self.parts, self.slopes = moons_parts(self.theta), moons_parts(self.slope)
        n = len(y)
        self.X, self.minus_y, self.ones = np.ascontiguousarray(X.T), -y, np.ones(n)
        self.share = self.minus_y / n
        self.a1, self.a2, self.d1, self.d2 = (np.empty((16, n)) for _ in range(4))
        self.live = np.empty((16, n), bool)
        self.z, self.dz, self.wrong = np.empty((1, n)), np.empty((1, n)), np.empty((1, n), bool)

    def value_and_grad(self):
        """The cost; the gradient is in `slope`."""
        W1, b1, W2, b2, W3, b3 = self.parts
        dW1, db1, dW2, db2, dW3, db3 = self.slopes
        np.dot(W1, self.X, out=self.a1)
        self.a1 += b1[:, None]
        np.maximum(self.a1, 0, out=self.a1)
        np.dot(W2, self.a1, out=self.a2)
        self.a2 += b2[:, None]
        np.maximum(self.a2, 0, out=self.a2)
        np.dot(W3, self.a2, out=self.z)
        self.z += b3
        self.z *= self.minus_y
        self.z += 1
        np.maximum(self.z, 0, out=self.z)
        cost = float(np.add.reduce(self.z[0])) / len(self.minus_y) + 1e-4 * float(np.dot(self.theta, self.theta))

        np.greater(self.z, 0, out=self.wrong)
        np.multiply(self.share, self.wrong, out=self.dz)
        np.dot(self.dz, self.a2.T, out=dW3)
        np.dot(self.dz, self.ones, out=db3)
        np.dot(W3.T, self.dz, out=self.d2)
        np.greater(self.a2, 0, out=self.live)
        self.d2 *= self.live
        np.dot(self.d2, self.a1.T, out=dW2)
        np.dot(self.d2, self.ones, out=db2)
        np.dot(W2.T, self.d2, out=self.d1)
        np.greater(self.a1, 0, out=self.live)
        self.d1 *= self.live
        np.dot(self.d1, self.X.T, out=dW1)
        np.dot(self.d1, self.ones, out=db1)
        np.multiply(self.theta, 2e-4, out=self.change)
        self.slope += self.change
        return cost

    def step(self):
        """One step of gradient descent."""
        cost = self.value_and_grad()
        np.multiply(self.slope, RATE, out=self.change)
        self.theta -= self.change
        return cost


def torch_moons(torch, theta, X, y):
    """The step in PyTorch's eager mode, float64."""
    torch.set_num_threads(1)
    parts = [torch.tensor(p, requires_grad=True) for p in moons_parts(theta)]
    X, y = torch.tensor(X), torch.tensor(y)

    def step(rate=RATE):
        W1, b1, W2, b2, W3, b3 = parts
        a = torch.relu(torch.addmm(b1, X, W1.T))
        a = torch.relu(torch.addmm(b2, a, W2.T))
        z = torch.addmm(b3, a, W3.T)[:, 0]
        cost = torch.relu(1 - y * z).mean() + 1e-4 * sum((p * p).sum() for p in parts)
        slopes = torch.autograd.grad(cost, parts)
        with torch.no_grad():
            torch._foreach_add_(parts, slopes, alpha=-rate)
        return cost.item(), slopes

    return step


def jax_moons(jax, theta, X, y):
    """The step in JAX, float64, compiled by jit."""
    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy
    X, y = jnp.asarray(X), jnp.asarray(y)

    def cost(parts):
        W1, b1, W2, b2, W3, b3 = parts
        a = jax.nn.relu(X @ W1.T + b1)
        a = jax.nn.relu(a @ W2.T + b2)
        z = (a @ W3.T + b3)[:, 0]
        return jax.nn.relu(1 - y * z).mean() + 1e-4 * sum((p * p).sum() for p in parts)

    @jax.jit
    def update(parts):
        value, slopes = jax.value_and_grad(cost)(parts)
        return value, [p - RATE * s for p, s in zip(parts, slopes)]

    state = [jnp.asarray(p) for p in moons_parts(theta)]

    def step():
        nonlocal state
        value, state = update(state)
        return float(value)

    return step, lambda: jax.value_and_grad(cost)([jnp.asarray(p) for p in moons_parts(theta)])


def row_moons(options):
    """The moons step: 2-16-16-1, 100 points, forward, backward, update."""
    X, y = (np.array(numbers, float) for numbers in eager.moons(100))
    model = MLP(2, SIZES[1:], seed=1)
    # in the order of the arrays above: a layer's weights row by row, then its biases
    cost = moons_graph(model, X, y)
    program = autograd.compile(cost, wrt=model.parameters())
    print(f"  {program.nodes:,} scalar nodes in {program.kernels} NumPy calls")
    start = np.array([p.data for p in model.parameters()])
    theta, change = start.copy(), np.empty_like(start)

    def step():
        _, slope = program.value_and_grad(theta)
        np.multiply(slope, RATE, out=change)
        np.subtract(theta, change, out=theta)

    value, slope = program.value_and_grad(start)
    hand = MoonsByHand(start, X, y)
    agree(value, hand.value_and_grad(), "NumPy by hand")
    agree(slope, hand.slope, "NumPy by hand")
    competitors = {"compiled": step, "NumPy by hand": hand.step}
    if torch := installed("torch"):
        competitors["PyTorch eager"] = torch_moons(torch, start, X, y)
        found, slopes = competitors["PyTorch eager"](0.0)
        agree(value, found, "PyTorch")
        agree(slope, np.concatenate([s.numpy().ravel() for s in slopes]), "PyTorch")
    if jax := installed("jax"):
        competitors["JAX jit"], gradient = jax_moons(jax, start, X, y)
        found, slopes = gradient()
        agree(value, found, "JAX")
        agree(slope, np.concatenate([np.asarray(s).ravel() for s in slopes]), "JAX")
    times = race(competitors, options.rounds)
    if micrograd := installed("micrograd.engine"):
        theirs, data = importlib.import_module("micrograd.nn").MLP(2, SIZES[1:]), eager.moons(100)
        times |= race({"micrograd": lambda: eager.their_step(micrograd.Value, theirs, *data)}, rounds=2, seconds=0)
    report(times)


# A minibatch of digits: 64-32-10, batch 64, cross-entropy -------------------------------------------------------------


class DigitsByHand:
    """Forward, backward and update in NumPy calls that write into arrays made once."""

    def __init__(self, theta, n):
        self.theta, self.slope, self.change = theta.copy(), np.empty_like(theta), np.empty_like(theta)
        self.parts, self.slopes = self.split(self.theta), self.split(self.slope)
        self.a, self.da, self.live = np.empty((n, 32)), np.empty((n, 32)), np.empty((n, 32), bool)
        self.z, self.dz, self.column, self.ones = np.empty((n, 10)), np.empty((n, 10)), np.empty((n, 1)), np.ones(n)

    @staticmethod
    def split(theta):
        """(W1, b1, W2, b2): views of one array."""
        return theta[:2048].reshape(32, 64), theta[2048:2080], theta[2080:2400].reshape(10, 32), theta[2400:]

    def value_and_grad(self, X, targets):
        """The mean cross-entropy; the gradient is in `slope`."""
        (W1, b1, W2, b2), (dW1, db1, dW2, db2) = self.parts, self.slopes
        n = len(X)
        np.dot(X, W1.T, out=self.a)
        self.a += b1
        np.maximum(self.a, 0, out=self.a)
        np.dot(self.a, W2.T, out=self.z)
        self.z += b2
        np.maximum.reduce(self.z, axis=1, keepdims=True, out=self.column)
        self.z -= self.column
        np.exp(self.z, out=self.dz)
        np.add.reduce(self.dz, axis=1, keepdims=True, out=self.column)
        self.dz /= self.column
        np.log(self.column, out=self.column)
        cost = (float(np.add.reduce(self.column, axis=None)) - float(np.vdot(self.z, targets))) / n

        self.dz -= targets
        self.dz *= 1 / n
        np.dot(self.dz.T, self.a, out=dW2)
        np.dot(self.ones, self.dz, out=db2)
        np.dot(self.dz, W2, out=self.da)
        np.greater(self.a, 0, out=self.live)
        self.da *= self.live
        np.dot(self.da.T, X, out=dW1)
        np.dot(self.ones, self.da, out=db1)
        return cost

    def step(self, X, targets):
        """One step of gradient descent."""
        self.value_and_grad(X, targets)
        np.multiply(self.slope, RATE, out=self.change)
        self.theta -= self.change


def torch_digits(torch, theta, X, classes):
    """The step in PyTorch's eager mode, float64."""
    torch.set_num_threads(1)
    parts = [torch.tensor(p, requires_grad=True) for p in DigitsByHand.split(theta)]
    X, classes = torch.tensor(X), torch.tensor(classes)

    def step(rate=RATE):
        W1, b1, W2, b2 = parts
        scores = torch.addmm(b2, torch.relu(torch.addmm(b1, X, W1.T)), W2.T)
        cost = torch.nn.functional.cross_entropy(scores, classes)
        slopes = torch.autograd.grad(cost, parts)
        with torch.no_grad():
            torch._foreach_add_(parts, slopes, alpha=-rate)
        return cost.item(), slopes

    return step


def row_digits(options):
    """The digits minibatch step: 64-32-10, batch 64, cross-entropy, forward, backward, update."""
    rng = np.random.default_rng(0)
    X, classes = rng.uniform(0, 1, (64, 64)), rng.integers(0, 10, 64)
    targets = np.eye(10)[classes]
    model = MLP(64, [32, 10], seed=1)
    x, y = [Value(0.5, f"x_{i}") for i in range(64)], [Value(0.1, f"y_{i}") for i in range(10)]
    program = autograd.compile(cross_entropy(model(x), y), wrt=model.parameters(), inputs=[*x, *y])
    print(f"  {program.nodes:,} scalar nodes in {program.kernels} NumPy calls")
    start, batch = np.array([p.data for p in model.parameters()]), np.hstack([X, targets])
    theta, change = start.copy(), np.empty_like(start)

    def step():
        _, slope = program.value_and_grad(theta, batch)
        np.multiply(slope, RATE, out=change)
        np.subtract(theta, change, out=theta)

    value, slope = program.value_and_grad(start, batch)
    hand = DigitsByHand(start, len(X))
    agree(value, hand.value_and_grad(X, targets), "NumPy by hand")
    agree(slope, hand.slope, "NumPy by hand")
    competitors = {"compiled": step, "NumPy by hand": lambda: hand.step(X, targets)}
    if torch := installed("torch"):
        competitors["PyTorch eager"] = torch_digits(torch, start, X, classes)
        found, slopes = competitors["PyTorch eager"](0.0)
        agree(value, found, "PyTorch")
        agree(slope, np.concatenate([s.numpy().ravel() for s in slopes]), "PyTorch")
    report(race(competitors, options.rounds))


# An irregular graph ---------------------------------------------------------------------------------------------------


def irregular(n, leaves, tanh, exp, sin, depth=70, seed=0):
    """About n nodes of + * tanh exp sin in `depth` levels, wired at random; the mean of the last level.

    Every node of a level is the first operand of one of the next, so all of them count. Second operands, and what
    `exp` is applied to, are leaves, tanh or sin, which are between -1 and 1: the numbers stay within 1e30.
    """
    rng = random.Random(seed)
    width = n // depth
    before = [(x, True) for x in (leaves * (1 + width // len(leaves)))[:width]]
    bounded = list(leaves)
    for _ in range(depth):
        rng.shuffle(before)
        level = []
        for x, small in before:
            kind = rng.choice("+*tsee" if small else "+*ts")
            if kind in "+*":
                y = bounded[rng.randrange(len(bounded))]
                level.append((x + y if kind == "+" else x * y, False))
            else:
                level.append(({"t": tanh, "s": sin, "e": exp}[kind](x), kind != "e"))
        before = level
        bounded = (bounded + [x for x, small in level if small])[-4 * width :]
    total = before[0][0]
    for x, _ in before[1:]:
        total = total + x
    return total * (1 / width)


def row_irregular(options):
    """An irregular graph of + * tanh exp sin, depth 70: value and gradient, and how soon it is compiled."""
    n, rng = options.nodes, random.Random(1)
    numbers = [rng.uniform(-1, 1) for _ in range(1000)]
    leaves = list(map(Value, numbers))
    cost = irregular(n, leaves, autograd.tanh, autograd.exp, autograd.sin)
    start = time.perf_counter()
    program = autograd.compile(cost, wrt=leaves)
    compiling = {"compiled": time.perf_counter() - start}
    print(f"  {program.nodes:,} scalar nodes in {program.kernels} NumPy calls")
    theta = np.array(numbers)
    value, slope = program.value_and_grad(theta)
    agree(value, cost.data, "the eager engine")
    agree(slope, autograd.gradients(cost, leaves), "the eager engine")
    competitors = {"compiled": lambda: program.value_and_grad(theta)}
    if casadi := installed("casadi"):
        start = time.perf_counter()
        x = casadi.SX.sym("x", 1000)
        expression = irregular(n, [x[i] for i in range(1000)], casadi.tanh, casadi.exp, casadi.sin)
        building = time.perf_counter() - start
        start = time.perf_counter()
        machine = casadi.Function("f", [x], [expression, casadi.gradient(expression, x)])
        compiling["CasADi SX, gradient and Function"] = time.perf_counter() - start
        print(f"  CasADi took {building:.1f} s to build the expression, {machine.n_instructions():,} instructions")
        buffer, run = machine.buffer()
        result, gradient = np.zeros(1), np.zeros(1000)
        buffer.set_arg(0, memoryview(theta))
        buffer.set_res(0, memoryview(result))
        buffer.set_res(1, memoryview(gradient))
        run()
        agree(value, result[0], "CasADi")
        agree(slope, gradient, "CasADi")
        competitors["CasADi SX Function"] = run
    report(race(competitors, options.rounds))
    print("  compiling:")
    report(compiling)


# A chain --------------------------------------------------------------------------------------------------------------


def chain_by_hand(a, b, x, n):
    """x = tanh(a x + b), n times, in Python floats: the last x, and its derivatives by a, b and the first x."""
    tanh = math.tanh
    states = [x]
    for _ in range(n):
        x = tanh(a * x + b)
        states.append(x)
    da = db = 0.0
    slope = 1.0
    following = x
    for k in range(n - 1, -1, -1):
        before = states[k]
        slope *= 1.0 - following * following
        da += slope * before
        db += slope
        slope *= a
        following = before
    return x, (da, db, slope)


def row_chain(options):
    """A chain of x = tanh(a x + b): value and gradient."""
    a, b, x = Value(0.9, "a"), Value(0.1, "b"), Value(0.5, "x")
    state = x
    for _ in range(options.steps):
        state = autograd.tanh(a * state + b)
    start = time.perf_counter()
    program = autograd.compile(state, wrt=[a, b, x])
    print(f"  {program.nodes:,} scalar nodes, compiled in {time.perf_counter() - start:.1f} s")
    theta = np.array([0.9, 0.1, 0.5])
    value, slope = program.value_and_grad(theta)
    found, slopes = chain_by_hand(0.9, 0.1, 0.5, options.steps)
    agree(value, found, "the loop by hand")
    agree(slope, slopes, "the loop by hand")
    competitors = {
        "compiled": lambda: program.value_and_grad(theta),
        "a loop by hand in Python floats": lambda: chain_by_hand(0.9, 0.1, 0.5, options.steps),
    }
    report(race(competitors, options.rounds))


# Compile time and memory ----------------------------------------------------------------------------------------------


def row_compile(options):
    """Compiling the full-batch graph of the moons step, beside building that graph."""
    X, y = (np.array(numbers, float) for numbers in eager.moons(100))
    model = MLP(2, SIZES[1:], seed=1)
    cost = moons_graph(model, X, y)
    competitors = {
        "compile": lambda: autograd.compile(cost, wrt=model.parameters()),
        "building the graph": lambda: moons_graph(model, X, y),
    }
    report(race(competitors, max(3, options.rounds // 3), seconds=0))


def row_memory(options):
    """Memory: the full-batch graph of the moons step, and its program after a step."""
    X, y = (np.array(numbers, float) for numbers in eager.moons(100))
    model = MLP(2, SIZES[1:], seed=1)
    autograd.compile(moons_graph(model, X[:2], y[:2]), wrt=model.parameters()).value_and_grad()  # load all modules
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        cost = moons_graph(model, X, y)
        graph, _ = tracemalloc.get_traced_memory()
        program = autograd.compile(cost, wrt=model.parameters())
        del cost
        gc.collect()
        program.value_and_grad()
        step, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    print(f"  the graph {(graph - before) / 1e6:8.2f} MB")
    print(f"  the program {(step - before) / 1e6:6.2f} MB, {(step - before) / (graph - before):.3f} of it")


# The GPT --------------------------------------------------------------------------------------------------------------


class AdamByHand:
    """Adam on an array, in place."""

    def __init__(self, theta):
        self.theta, self.mean, self.square, self.steps = theta, np.zeros_like(theta), np.zeros_like(theta), 0
        self.change = np.empty_like(theta)

    def step(self, slope, lr=0.001):
        """Move against a gradient."""
        self.steps += 1
        self.mean *= 0.9
        np.multiply(slope, 0.1, out=self.change)
        self.mean += self.change
        self.square *= 0.999
        np.multiply(slope, slope, out=self.change)
        self.change *= 0.001
        self.square += self.change
        np.multiply(self.square, 1 / (1 - 0.999**self.steps), out=self.change)
        np.sqrt(self.change, out=self.change)
        self.change += 1e-8
        np.divide(self.mean, self.change, out=self.change)
        self.change *= lr / (1 - 0.9**self.steps)
        self.theta -= self.change


def row_gpt(options):
    """The GPT's step for a name of six letters: forward, backward, Adam."""
    tokens, following = [0, 5, 7, 9, 2, 3, 4], [5, 7, 9, 2, 3, 4, 0]
    layer, rows, wrt = gpt.leaves(gpt.parameters(), tokens)
    targets = np.eye(gpt.LETTERS)[following]
    y = [[Value(x) for x in row] for row in targets.tolist()]
    cost = gpt.cost_of(layer, rows, y)
    program = autograd.compile(cost, wrt=wrt, inputs=[x for row in y for x in row])
    print(f"  {program.nodes:,} scalar nodes in {program.kernels} NumPy calls, {len(wrt):,} leaves")
    theta, batch = np.array([v.data for v in wrt]), targets.reshape(1, -1)
    hand = gpt.ByHand(len(tokens))
    hand.theta[:] = theta
    value, slope = program.value_and_grad(theta, batch)
    agree(value, hand.value_and_grad(targets), "NumPy by hand")
    agree(slope, hand.slope, "NumPy by hand")
    agree(slope, autograd.gradients(cost, wrt), "the eager engine")
    ours, theirs, eager = AdamByHand(theta), AdamByHand(hand.theta), Adam(wrt, lr=0.001)

    def compiled_step():
        _, found = program.value_and_grad(theta, batch)
        ours.step(found)

    def step_by_hand():
        hand.value_and_grad(targets)
        theirs.step(hand.slope)

    def eager_step():
        eager.zero_grad()
        gpt.cost_of(layer, rows, targets.tolist()).backward()
        eager.step()

    times = race({"compiled": compiled_step, "NumPy by hand": step_by_hand}, options.rounds)
    report(times | race({"eager Values": eager_step}, rounds=3, seconds=0))


def run_rows(module, **settings):
    """Run the rows of a module, its functions `row_...`, that the command line asks for.

    Args:
        settings: further options, each as its default and what it says.
    """
    rows = {name.removeprefix("row_"): run for name, run in list(module.items()) if name.startswith("row_")}
    parser = argparse.ArgumentParser(description=module["__doc__"].splitlines()[0])
    parser.add_argument("rows", nargs="*", help=f"which rows to measure, of {', '.join(rows)} (all)")
    for name, (default, text) in {"rounds": (9, "turns of every competitor"), **settings}.items():
        parser.add_argument(f"--{name}", type=int, default=default, help=f"{text} ({default})")
    options = parser.parse_args()
    if unknown := set(options.rows) - set(rows):
        parser.error(f"there is no row {', '.join(sorted(unknown))}; choose of {', '.join(rows)}")
    for name in options.rows or rows:
        print(f"{name}: {rows[name].__doc__}")
        rows[name](options)


if __name__ == "__main__":
    run_rows(globals(), nodes=(100_000, "nodes of the irregular graph"), steps=(100_000, "steps of the chain"))
