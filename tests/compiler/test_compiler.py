"""compile: the values, gradients, warnings and errors of the eager engine, whatever the graph.

The oracle is the eager engine itself: a graph is a function of its leaves, compiled from one set of numbers and
checked at others, where the eager engine runs the function anew.
"""

import gc
import itertools
import math
import random
import warnings

import numpy as np
import pytest
from conftest import DECLARED
from standalone import run_source

import autograd
from autograd import Value, gradients, primitive, weighted_sum
from autograd.compiler.trace import trace
from autograd.core.table import TABLE
from autograd.core.value import OPERATIONS

TOLERANCE = 1e-12


def leaves(numbers, name):
    return [Value(x, f"{name}_{i}") for i, x in enumerate(numbers)]


def eager(f, theta, batch):
    """Values (examples, roots) and the mean gradient of the first root, by the eager engine, one example at a time."""
    values, slopes = [], []
    for row in batch:
        w, x = leaves(theta, "w"), leaves(row, "x")
        roots = f(w, x)
        roots = roots if isinstance(roots, list) else [roots]
        values.append([root.data for root in roots])
        slopes.append(gradients(roots[0], w))
    return np.array(values), np.mean(slopes, axis=0)


def assert_close(got, want):
    got, want = np.asarray(got, float), np.asarray(want, float)
    assert got.shape == want.shape
    same = (got == want) | (np.isnan(got) & np.isnan(want))
    with np.errstate(invalid="ignore"):
        scale = np.maximum(1, np.abs(want))
        assert (same | (np.abs(got - want) <= TOLERANCE * scale)).all(), (got, want)


def compiled(f, theta, row=()):
    w, x = leaves(theta, "w"), leaves(row, "x")
    return autograd.compile(f(w, x), wrt=w, inputs=x)


def check(f, parameters, inputs=0, examples=4, seed=0):
    """Compile `f` at some numbers and hold the program against the eager engine at others; the program."""
    rng = np.random.default_rng(seed)
    draw = lambda *shape: rng.uniform(-1.5, 1.5, shape)  # noqa: E731
    program = compiled(f, draw(parameters).tolist(), draw(inputs).tolist())
    theta, batch = draw(parameters), draw(examples if inputs else 1, inputs)
    values, slope = eager(f, theta.tolist(), batch.tolist())
    got = program.forward(theta, batch if inputs else None)
    assert_close(got, values.squeeze(1) if inputs and values.shape[1] == 1 else values if inputs else values.squeeze())
    if values.shape[1] == 1:
        cost, gradient = program.value_and_grad(theta, batch if inputs else None)
        assert type(cost) is float
        assert_close(cost, values.mean())
        assert_close(gradient, slope)
    # A Program falls back on scalars where its arrays meet an error; these numbers have none, so its source must do.
    try:
        result = run_source(program.source, theta, batch if inputs else None)
    except ArithmeticError:  # a zero whose sign atan2 may ask for
        assert "atan2" in program.source or "arctan2" in program.source
        return program
    if values.shape[1] == 1:
        assert_close(result[0], values.mean())
        assert_close(result[1], slope)
    else:
        assert_close(np.stack([np.broadcast_to(column, len(values)) for column in result], axis=-1), values)
    return program


# Every operation


def call(name, operands):
    """An operation of the table, its operands given one after the other; lists get those that are over."""
    row = TABLE[name]
    each = (len(operands) - len(row.operands) + len(row.lists)) // max(1, len(row.lists))
    waiting = iter(operands)
    return OPERATIONS[name](
        *[[next(waiting) for _ in range(each)] if x in row.lists else next(waiting) for x in row.operands]
    )


def takes(name, many=3):
    return sum(many if x in TABLE[name].lists else 1 for x in TABLE[name].operands)


WITHIN = {  # where an operation is not defined for all numbers: a function that brings any number into its domain
    **dict.fromkeys("log log2 log10 sqrt pow".split(), lambda x: 0.2 + x * x),
    "log1p": lambda x: x * x - 0.5,
    **dict.fromkeys("asin acos atanh".split(), lambda x: 0.4 * x),
    "acosh": lambda x: 1.5 + x * x,
}


def within(name, x):
    return WITHIN[name](x) if name in WITHIN else x


@pytest.mark.parametrize("name", DECLARED)
def test_an_operation_alone(name):
    n = takes(name)
    for seed in range(5):
        check(lambda w, x: call(name, [within(name, v) for v in w]), parameters=n, seed=seed)


@pytest.mark.parametrize("name", DECLARED)
def test_an_operation_on_many_values_at_once(name):
    n = takes(name)

    def f(w, x):
        return autograd.sum([(k + 1) * call(name, [within(name, v) for v in w[k * n : k * n + n]]) for k in range(30)])

    program = check(f, parameters=30 * n)
    assert program.kernels < 30 + 10 * n  # arrays, not thirty times the same


@pytest.mark.parametrize("name", DECLARED)
def test_an_operation_on_every_example_of_a_batch(name):
    n = takes(name)
    check(lambda w, x: call(name, [within(name, a * b) for a, b in zip(w, x)]), parameters=n, inputs=n, examples=9)


@pytest.mark.parametrize("name", [name for name in DECLARED if takes(name) > 1])
def test_an_operation_with_plain_numbers_among_its_operands(name):
    n = takes(name)
    for which in itertools.product([False, True], repeat=n):
        if any(which):
            f = lambda w, x: call(name, [within(name, v if v_is else 0.75) for v, v_is in zip(w, which)])  # noqa: B023, E731
            check(f, parameters=n)


def outcome(run):
    """What a call gives, or what it raises, and the warnings it issues."""
    with warnings.catch_warnings(record=True) as issued:
        warnings.simplefilter("always")
        try:
            result = run()
        except (ArithmeticError, ValueError) as error:
            return type(error), str(error)
    return result, [str(warning.message) for warning in issued]


def by_backward(cost, w):
    cost.backward()
    return cost.data, [v.grad for v in w]


def check_outcome(f, theta, safe):
    """The same value, gradient and warnings, or the same error, at `theta` for a program compiled at `safe`."""
    w = leaves(theta, "p")
    want = outcome(lambda: by_backward(f(w), w))
    w = leaves(safe, "p")
    program = autograd.compile(f(w), wrt=w)
    got = outcome(lambda: program.value_and_grad(theta))
    if isinstance(want[0], tuple):
        assert isinstance(got[0], tuple), (theta, got, want)
        assert_close(got[0][0], want[0][0])
        assert_close(got[0][1], want[0][1])
        assert got[1] == want[1]
    else:
        assert got == want, theta


SAFE = {"acosh": 1.5}  # where 0.5 is outside the domain
EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, 1e-300, -1e-300, 1e300, -1e300, 710.0, -745.0, math.inf, math.nan]


@pytest.mark.parametrize("name", DECLARED)
def test_kinks_extremes_infinities_and_errors_are_those_of_the_eager_engine(name):
    n = takes(name, many=2)
    points = list(itertools.product(EDGES, repeat=n)) if n <= 2 else []
    rng = random.Random(name)
    points = rng.sample(points, min(len(points), 40)) or [tuple(rng.choice(EDGES) for _ in range(n)) for _ in range(40)]
    for point in points:
        check_outcome(lambda w: call(name, w), list(point), [SAFE.get(name, 0.5)] * n)


@pytest.mark.parametrize("name", DECLARED)
def test_one_extreme_element_among_thirty_does_as_in_the_eager_engine(name):
    n = takes(name, many=2)
    rng = random.Random(name)
    for _ in range(4):
        theta = [0.25 + 0.02 * k for k in range(30) for _ in range(n)]
        theta[17 * n : 18 * n] = [rng.choice(EDGES) for _ in range(n)]
        f = lambda w: autograd.sum([call(name, w[k * n : k * n + n]) for k in range(30)])  # noqa: E731
        check_outcome(f, theta, [SAFE.get(name, 0.5)] * (30 * n))


@pytest.mark.parametrize(
    ("f", "theta", "error", "message"),
    [
        (lambda w: autograd.log(w[0]), [-0.3], ValueError, r"log is not defined at x = -0.3 \(label 'p_0'\)"),
        (lambda w: 1.0 / w[0], [0.0], ZeroDivisionError, r"div divides by zero at x = 1.0, y = 0.0 \(label 'p_0'\)"),
        (lambda w: w[0].exp(), [1000.0], OverflowError, r"exp overflows at x = 1000.0 \(label 'p_0'\)"),
        (lambda w: w[0] ** w[1], [-8.0, 1 / 3], ValueError, r"pow is not defined at x = -8.0 \(label 'p_0'\)"),
        (lambda w: autograd.sum([v.log() for v in w]), [1.0] * 20 + [-2.0], ValueError, r"-2.0 \(label 'p_20'\)"),
    ],
)  # fmt: skip
def test_a_domain_error_names_operation_value_and_label(f, theta, error, message):
    w = leaves([0.5] * len(theta), "p")
    program = autograd.compile(f(w), wrt=w)
    with pytest.raises(error, match=message):
        program.value_and_grad(theta)
    with pytest.raises(error, match=message):
        program.forward(theta)
    assert np.isfinite(program.forward([0.5] * len(theta)))  # and the program is as good as before


def test_a_batch_that_is_known_to_be_finite_gives_the_same_numbers():
    w, b, x = Value(-2.0), Value(0.5), Value(1.0)
    program = autograd.compile(autograd.relu(w * x + b) + 3 * x, wrt=[w, b], inputs=[x])
    for batch in ([[1.0], [-3.0]], [[1e200], [-1e200], [0.0]]):  # numbers whose squares overflow are finite, too
        cost, gradient = program.value_and_grad([-2.0, 0.5], batch, finite=True)
        expected, slopes = program.value_and_grad([-2.0, 0.5], batch)
        assert (cost, *gradient) == pytest.approx((expected, *slopes), rel=1e-15)
        assert np.isfinite([cost, *gradient]).all()
    w.data = 2.0
    root = autograd.compile(autograd.sqrt(w * x), wrt=[w], inputs=[x])
    with pytest.warns(RuntimeWarning, match="gradient"):
        assert root.value_and_grad([0.0], [[1.0], [2.0]])[1] == [math.inf]
    with pytest.warns(RuntimeWarning), pytest.raises(OverflowError, match="the norm of its gradient inf"):
        root.value_and_grad([0.0], [[1.0], [2.0]], finite=True)


def test_an_error_in_one_example_of_a_batch_names_the_operation_and_its_value():
    w, x = Value(1.0, "w"), Value(1.0, "x")
    program = autograd.compile(autograd.log(w * x), wrt=[w], inputs=[x])
    with pytest.raises(ValueError, match=r"log is not defined at x = -3\.0"):
        program.value_and_grad([1.0], [[2.0], [-3.0], [4.0]])


def test_a_nan_that_an_operation_makes_raises():
    w = leaves([1.0] * 16, "w")
    difference = autograd.sum([a * 10.0 - b * 10.0 for a, b in zip(w[:8], w[8:])])
    program = autograd.compile(difference, wrt=w)
    with pytest.raises(ValueError, match=r"sub is not a number \(nan\) at x = inf, y = inf"):
        program.forward([math.inf] * 16)


def test_a_declared_operation_is_compiled_like_any_other():
    bump = primitive("bump", "exp(-x * x) if x > y else y", "-2 * x * out if x > y else 0", "0 if x > y else 1")
    check(lambda w, x: bump(w[0], w[1]), parameters=2)
    program = check(lambda w, x: autograd.mean([bump(v, 0.1) for v in w]), parameters=40)
    assert program.kernels < 30
    check(lambda w, x: bump(w[0] * x[0], w[1]), parameters=2, inputs=1, examples=9)


# Any graph


def expression(seed, n_nodes):
    """A function of leaves that builds the same random graph whatever the leaves are worth."""

    def f(w, x):
        rng = random.Random(seed)
        nodes = [*w, *x]
        pick = lambda: rng.choice(nodes[-25:] if rng.random() < 0.7 else nodes)  # noqa: E731
        bounded = lambda: autograd.tanh(pick())  # noqa: E731
        for _ in range(n_nodes):
            node = rng.choice(KINDS)(rng, pick, bounded)
            nodes.append(node if isinstance(node, Value) else node * w[0])
        return nodes

    return f


def unary(rng, pick, bounded):
    name = rng.choice("tanh sin cos sigmoid relu softplus gelu silu elu leaky_relu softsign atan erf sign step".split())
    return OPERATIONS[name](pick())


KINDS = [
    *[lambda rng, pick, bounded: pick() + pick()] * 2,
    *[lambda rng, pick, bounded: bounded() * pick()] * 2,
    *[unary] * 4,
    lambda rng, pick, bounded: pick() - bounded(),
    lambda rng, pick, bounded: pick() / (bounded() ** 2 + 1.0),
    lambda rng, pick, bounded: rng.choice([-1.0, 0.0, 2.0, 0.5]) * pick() + rng.choice([0.0, 1.0]),
    lambda rng, pick, bounded: rng.choice([2.0, 0.5, 1.0]) ** bounded(),
    lambda rng, pick, bounded: (bounded() ** 2 + 0.1) ** rng.choice([2, 3, -1, 0.5, 0, 1, 2.5]),
    lambda rng, pick, bounded: -abs(bounded()),
    lambda rng, pick, bounded: bounded().exp() + autograd.log(2.0 + bounded()),
    lambda rng, pick, bounded: autograd.maximum(pick(), rng.choice([bounded(), 0.1])),
    lambda rng, pick, bounded: autograd.where(bounded() - bounded(), bounded(), pick()),
    lambda rng, pick, bounded: autograd.clip(pick(), -0.5, rng.choice([1.0, bounded() + 1.0])),
    lambda rng, pick, bounded: autograd.hypot(pick(), 1.5) - autograd.atan2(pick(), bounded() + 3.0),
    *[
        lambda rng, pick, bounded: weighted_sum(
            [bounded() for _ in range(4)], [rng.choice([bounded(), 0.3]) for _ in range(4)], rng.choice([pick(), 0.0])
        )
    ] * 2,
    lambda rng, pick, bounded: OPERATIONS[rng.choice(["sum", "mean", "prod", "logsumexp"])](
        [bounded() for _ in range(rng.randint(1, 6))]
    ),
    lambda rng, pick, bounded: autograd.softmax([bounded() for _ in range(3)])[1],
]  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_random_graphs_of_parameters(seed):
    rng = random.Random(seed)
    f = expression(seed, rng.choice([3, 12, 60, 250]))
    check(lambda w, x: autograd.tanh(f(w, x)[-1]), parameters=rng.randint(1, 9), seed=seed)


@pytest.mark.parametrize("seed", range(40))
def test_random_graphs_of_parameters_and_a_batch(seed):
    rng = random.Random(-seed)
    f = expression(seed, rng.choice([3, 12, 60, 250]))
    examples, inputs = rng.choice([1, 2, 7]), rng.randint(1, 6)
    check(lambda w, x: autograd.tanh(f(w, x)[-1]), rng.randint(1, 6), inputs, examples, seed)


@pytest.mark.parametrize("seed", range(30))
def test_random_graphs_with_several_roots(seed):
    rng = random.Random(seed)
    f, n_roots = expression(seed, 40), rng.randint(2, 5)

    def roots(w, x):
        nodes = f(w, x)
        picked = random.Random(seed)
        return [picked.choice([*nodes[-8:], nodes[0]]) for _ in range(n_roots)]

    check(roots, parameters=3, inputs=seed % 3, examples=5, seed=seed)


SUMS = {
    "products, then the bias": lambda w, a, b: sum(x * y for x, y in zip(w, a)) + b,
    "the bias, then products": lambda w, a, b: sum((y * x for x, y in zip(w, a)), b),
    "one node": autograd.weighted_sum,
    "no bias": lambda w, a, b: autograd.weighted_sum(w, a),
}
COSTS = [
    lambda out: sum((a - 0.5) ** 2 for a in out),
    lambda out: autograd.logsumexp(out) - 0.5 * out[0],
    lambda out: autograd.logsumexp([a - out[-1] for a in out]),
    lambda out: autograd.relu(1 - 0.5 * out[0]) + autograd.mean(out),
]


def network(seed):
    """The cost of a random network of up to 60 parameters: of one example x, or the mean of some given ones."""

    def cost(w, x):
        rng, unused = random.Random(seed), iter(w)
        sizes = [len(x) or 3, *rng.choices(range(1, 5), k=rng.randint(1, 3))]
        layers = [([[next(unused) for _ in range(n)] for _ in range(m)], [next(unused) for _ in range(m)])
                  for n, m in itertools.pairwise(sizes)]  # fmt: skip
        add, of = rng.choice(list(SUMS.values())), rng.choice(COSTS)
        activations = [rng.choice([autograd.tanh, autograd.relu, autograd.softplus, lambda z: z]) for _ in layers]
        number = rng.choice([float, Value])
        examples = [x] if x else [[number(rng.gauss(0, 1)) for _ in range(3)] for _ in range(rng.choice([1, 2, 5]))]
        shared, residual, penalty = rng.random() < 0.3, rng.random() < 0.3, rng.random() < 0.5
        costs = []
        for a in examples:
            for (rows, biases), activation in zip(layers, activations):
                z = [activation(add(row, a, biases[0] if shared else b)) for row, b in zip(rows, biases)]
                a = [p + q for p, q in zip(z, a)] if residual and len(z) == len(a) else z
            costs.append(of(a))
        total = costs[0] if x else rng.choice([autograd.mean, lambda xs: sum(xs) / len(xs)])(costs)
        return total + 0.01 * sum(v * v for v in w) + w[0] * w[1] if penalty else total

    return cost


@pytest.mark.parametrize("inputs", [0, 1, 3])
@pytest.mark.parametrize("seed", range(40))
def test_random_networks(seed, inputs):
    check(network(seed), parameters=60, inputs=inputs, examples=1 + seed % 5, seed=seed)


@pytest.mark.parametrize("seed", range(10))
def test_a_penalty_on_the_weights_beside_a_cost_per_example(seed):
    f = expression(seed, 60)

    def cost(w, x):
        return autograd.tanh(f(w, x)[-1]) ** 2 + 0.1 * autograd.sum([v * v for v in w]) + autograd.exp(-abs(w[0]))

    check(cost, parameters=6, inputs=3, examples=6, seed=seed)


def test_unused_parameters_and_inputs_have_gradient_zero_and_no_influence():
    program = check(lambda w, x: w[1] * x[2], parameters=4, inputs=4)
    _, gradient = program.value_and_grad(np.ones(4), np.full((3, 4), 2.0))
    assert gradient.tolist() == [0.0, 2.0, 0.0, 0.0]
    check(lambda w, x: w[0] * w[0], parameters=2, inputs=2)
    check(lambda w, x: x[0] * x[0], parameters=2, inputs=2)


def test_a_leaf_as_the_cost():
    check(lambda w, x: w[1], parameters=3)
    check(lambda w, x: x[1], parameters=3, inputs=2)
    check(lambda w, x: w[1], parameters=3, inputs=2)
    check(lambda w, x: [w[1], x[0], w[1]], parameters=3, inputs=2)


def test_a_constant_cost():
    constant, w = Value(7.0), Value(1.0)
    program = autograd.compile(constant, wrt=[w])
    cost, gradient = program.value_and_grad()
    assert (cost, gradient.tolist()) == (7.0, [0.0])
    program = autograd.compile(constant * 2.0 + 1.0, wrt=[w], inputs=[Value(0.0)])
    assert program.forward([1.0], [[1.0], [2.0]]).tolist() == [15.0, 15.0]


def test_repeated_leaves():
    check(lambda w, x: w[0] * w[0] * w[0], parameters=1)
    check(lambda w, x: weighted_sum(w + w, [*w[::-1], *w], w[0]), parameters=5)
    check(lambda w, x: autograd.prod([w[0], w[0], w[1], w[0]]), parameters=2)
    check(lambda w, x: weighted_sum([w[0], w[0]], [x[0], x[0]], x[0]), parameters=1, inputs=1)
    two = autograd.compile((v := Value(2.0)) ** 3 + v * v * v, wrt=[v])
    assert two.value_and_grad()[1].tolist() == [24.0]


@pytest.mark.parametrize("inputs", [0, 2])
def test_a_deep_chain(inputs):
    def f(w, x):
        state = w[0]
        for _ in range(600):
            state = autograd.tanh(w[1] * state + (x[0] if x else w[2]))
        return state

    check(f, parameters=3, inputs=inputs)


def test_two_coupled_chains_that_read_a_different_leaf_at_each_step():
    def f(w, x):
        p, q = w[0], w[1]
        for k in range(200):
            p, q = autograd.sin(p * w[2 + k % 7] + q), p - 0.1 * q
        return p * q

    check(f, parameters=9)


def test_a_leaky_recurrence_over_a_sequence_of_inputs():
    def f(w, x):
        h = [0.0, 0.0]
        for value in x:
            h = [autograd.tanh(weighted_sum(w[3 * i : 3 * i + 3], [value, *h])) for i in range(2)]
        return (h[0] - h[1]) ** 2

    check(f, parameters=6, inputs=40)


def test_wide_sums():
    check(lambda w, x: autograd.sum([v * v for v in w]), parameters=3000)
    check(lambda w, x: sum(w), parameters=3000)
    check(lambda w, x: autograd.logsumexp([*w, *[a * b for a, b in zip(w, x)]]), parameters=50, inputs=50)


def test_doubling_does_not_take_exponential_time():
    def f(w, x):
        for _ in range(200):
            w = [w[0] + w[0]]
        return w[0]

    value, slope = compiled(f, [1.0]).value_and_grad([3.0])
    assert (value, slope.tolist()) == (3.0 * 2.0**200, [2.0**200])


def test_sums_with_unequal_numbers_of_terms():
    def f(w, x):
        lengths = [1, 2, 2, 3, 7, 1, 4]
        return autograd.mean([weighted_sum(w[:n], x[:n], w[n]).tanh() for n in lengths] + [w[0] * x[0]])

    check(f, parameters=8, inputs=8)


def test_equal_subexpressions_are_computed_once():
    twice = check(lambda w, x: autograd.exp(w[0] * w[1]) + autograd.sin(autograd.exp(w[0] * w[1])), parameters=2)
    assert twice.source.count("exp(") == 1


def test_compiling_leaves_little_to_the_garbage_collector():
    rng = random.Random(1)
    w = leaves([rng.uniform(-1, 1) for _ in range(200)], "w")
    level = w
    for _ in range(10):
        level = [rng.choice([autograd.tanh, autograd.sin, lambda a: a * w[0]])(a + rng.choice(w)) for a in level]
    cost = autograd.mean(level)
    autograd.compile(cost, wrt=w)
    gc.collect()
    gc.disable()
    try:
        program = autograd.compile(cost, wrt=w)
        assert gc.collect() < 100 < program.nodes
    finally:
        gc.enable()


@pytest.mark.parametrize("depth", [1, 5, 50])
def test_equal_subexpressions_of_any_depth_are_computed_once(depth):
    def f(w):
        x = w[0]
        for _ in range(depth):
            x = autograd.sin(autograd.sum([x, w[1], 0.5]) * w[0]) / 2.0
        return x

    w = leaves([0.3, -0.2], "w")
    once, _ = trace([f(w)], w)
    twice, _ = trace([f(w) * f(w)], w)
    assert (twice.names, len(twice)) == (once.names, len(once) + 1)
    check(lambda w, _: f(w) * f(w), parameters=2)


@pytest.mark.parametrize("inputs", [0, 1])
@pytest.mark.parametrize("name", ["sum", "mean", "prod", "logsumexp"])
def test_equal_operands_of_many_count_each(name, inputs):
    for n, times in itertools.product([1, 2, 5, 30], [2, 3]):

        def f(w, x, times=times):
            terms = [autograd.tanh(v * x[0]) if x else autograd.tanh(v) for v in w]
            return OPERATIONS[name](terms * times) + autograd.sum([OPERATIONS[name]([t] * times) for t in terms])

        check(f, n, inputs)


def test_negative_zero_and_zero_are_different_constants():
    w = Value(-1.0)
    program = autograd.compile([autograd.atan2(w * 0.0, -1.0), autograd.atan2(w * -0.0, -1.0)], wrt=[w])
    assert program.forward([1.0]).tolist() == [math.pi, -math.pi]


def test_a_gradient_that_is_a_graph_compiles():
    rng = random.Random(0)

    def slope(w, x):
        hidden = [autograd.tanh(weighted_sum(w[3 * i : 3 * i + 2], x, w[3 * i + 2])) for i in range(4)]
        cost = (weighted_sum(w[12:16], hidden) - 0.5) ** 2
        first = gradients(cost, w, create_graph=True)
        return weighted_sum([rng.uniform(-1, 1) for _ in first] and list(range(1, 17)), first)

    check(slope, parameters=16, inputs=2)


@pytest.mark.parametrize("name", [name for name in DECLARED if not TABLE[name].lists and takes(name) == 1])
def test_second_derivatives_of_an_operation_compile(name):
    def f(w, x):
        [slope] = gradients(call(name, [within(name, w[0])]), w, create_graph=True)
        return slope if isinstance(slope, Value) and slope.op else w[0] * 0.0 + float(slope)

    check(f, parameters=1)


# Attention, and what else has the structure of arrays


def attention(w, x, size=4):
    """Causal attention over rows of `size` inputs, queries and keys and values by three matrices."""
    rows = [x[i : i + size] for i in range(0, len(x), size)]
    matrix = lambda k: [w[k * size * size + r * size :][:size] for r in range(size)]  # noqa: E731
    queries, keys, values = ([[weighted_sum(m, row) for m in matrix(k)] for row in rows] for k in range(3))
    result = []
    for t, query in enumerate(queries):
        scores = [weighted_sum(query, key) * 0.5 for key in keys[: t + 1]]
        result += [weighted_sum(autograd.softmax(scores), [v[i] for v in values[: t + 1]]) for i in range(size)]
    return autograd.mean([a * a for a in result])


def test_attention_over_a_short_sequence():
    program = check(attention, parameters=48, inputs=24)
    assert program.kernels < program.nodes / 4


def test_attention_with_the_rows_as_parameters():
    check(lambda w, x: attention(w[:48], w[48:]), parameters=48 + 20)


def test_a_bias_beside_a_sum_of_squares_counts_once():
    x, y, z = leaves([3.0, 5.0, 7.0], "p")
    for cost in (x * x + y * y + z, autograd.weighted_sum([x, y], [x, y], z), autograd.weighted_sum([x], [x], z)):
        program = autograd.compile(cost, wrt=[x, y, z])
        assert program.value_and_grad()[1].tolist() == autograd.gradients(cost, [x, y, z])


def test_a_list_of_one_root_gives_a_column():
    w, x = Value(2.0), Value(3.0)
    listed = autograd.compile([w * x], wrt=[w], inputs=[x])
    alone = autograd.compile(w * x, wrt=[w], inputs=[x])
    assert listed.forward([2.0], [[3.0], [4.0]]).tolist() == [[6.0], [8.0]]
    assert alone.forward([2.0], [[3.0], [4.0]]).tolist() == [6.0, 8.0]


def test_a_compiled_function_says_what_it_is():
    assert repr(autograd.compile(lambda x: x * x + 1)).startswith("<Function <lambda> of 1: ")


@pytest.mark.parametrize(
    ("f", "theta"),
    [
        (lambda w: 1.0 / (1.0 + w[0].exp()), [1000.0]),
        (lambda w: autograd.sum([1.0 / (1.0 + (v + 0.1 * k).exp()) for k in range(20) for v in w]), [1000.0]),
        (lambda w: autograd.sum([(v * v - k).log() for k in range(20) for v in w]), [2.0]),
        (lambda w: autograd.sum([autograd.tanh(1.0 / (v - k)) for k in range(20) for v in w]), [2.0]),
        (lambda w: autograd.tanh(autograd.sum([*w, 1.0])), [1.5e308, 1.5e308]),
    ],
)
def test_where_numpy_says_nothing_of_floating_point_errors_results_are_looked_at(f, theta, monkeypatch):
    monkeypatch.setattr("autograd.compiler.guards.SAYS_ERRORS", False)  # as in WebAssembly
    monkeypatch.setattr("autograd.compiler.program._STRICT", {"all": "ignore"})
    check_outcome(f, theta, [30.5] * len(theta))


def test_places_are_of_the_type_that_numpy_indexes_by_on_this_platform(monkeypatch):
    monkeypatch.setattr(np, "intp", np.int32)  # as in WebAssembly, where NumPy 2.0 refuses to index by 64 bits
    w = leaves([0.1 * k for k in range(12)], "w")
    program = autograd.compile(
        autograd.sum([(a * b).tanh() for a, b in zip(w, [w[k] for k in (3, 1, 4, 1, 5)])]), wrt=w
    )
    assert {x.dtype for x in program._written.arrays.values() if x.dtype.kind == "i"} == {np.dtype(np.int32)}


def test_weights_that_are_all_single_values_there_are():
    f = autograd.compile(lambda x, y: sum(autograd.tanh(weighted_sum([1.0, 0.0], [1.0, v])) for v in (x, y)))
    assert f.value_and_grad(0.5, 0.25) == (2 * math.tanh(1.0), 0.0, 0.0)
