"""Programs that compiled code once got wrong, each for a kind of them, with the values they have.

The values are worked out by hand where that is short, else they are the eager engine's, which is checked against fifty
digits elsewhere. The random programs of `programs.py` hold these ingredients, too.
"""

import itertools
import math
import pickle
import warnings

import numpy as np
import pytest
from standalone import run_source

import autograd
from autograd import Value, gradients, mean, primitive, weighted_sum
from autograd.assigning import again
from autograd.compiler import loops, passes
from autograd.compiler.trace import GENTLE
from autograd.core.table import TABLE
from nn import SGD, Module, Neuron, fit, hinge, moons, squared_error


def leaves(*data, labels=()):
    return [Value(x, label) for x, label in zip(data, labels or [""] * len(data))]


def check(cost, wrt, inputs=(), value=None, slopes=None):
    """Compile a cost and compare it with the eager engine, and with what is known; alone, as a batch and as text."""
    program = autograd.compile(cost, wrt=wrt, inputs=inputs)
    want, wanted = cost.data, gradients(cost, wrt)
    if value is not None:
        assert want == pytest.approx(value, rel=1e-12)
    if slopes is not None:
        assert wanted == pytest.approx(slopes, rel=1e-12, abs=1e-300)
    rows = [[x.data for x in inputs]] * 3 if inputs else None
    results = [program.value_and_grad(batch=rows), pickle.loads(pickle.dumps(program)).value_and_grad(batch=rows)]
    results.append(run_source(program.source, [w.data for w in wrt], rows))
    for got, gradient in results:
        assert got == pytest.approx(want, rel=1e-12)
        np.testing.assert_allclose(gradient, wanted, rtol=1e-12, atol=1e-15 * max(map(abs, wanted)))
    return program


# Squares beside other terms


def test_a_term_beside_squares_keeps_its_slope():
    x, y, b = leaves(0.5, 0.7, 0.25)
    for cost in (x * x + y * y + b, autograd.sum([x * x, b]), weighted_sum([x, y], [x, y], b)):
        check(cost, [b], [x, y], slopes=[1.0])
    check(autograd.tanh(x * x + y * y + b), [x, y, b])
    f = autograd.compile(lambda x, y, z: x * x + y * y + z)
    assert f.value_and_grad(0.3, 0.5, 0.75) == pytest.approx((1.09, 0.6, 1.0, 1.0))


def test_a_number_beside_its_square():
    w, x = leaves(0.25, 0.5)
    a = autograd.tanh(w * x)
    slope = 0.5 * (1 - math.tanh(0.125) ** 2) * (1 + 2 * math.tanh(0.125))
    check(autograd.sum([a, a * a]), [w], [x], slopes=[slope])


def test_radial_basis_functions_beside_a_bias():
    c, b = leaves(0.1, 0.2), Value(0.3)
    points = [[0.5, 1.0], [1.5, -0.5], [0.0, 2.0]]
    bumps = [autograd.exp(-(sum((k - x) * (k - x) for k, x in zip(c, row)) + b)) for row in points]
    check(autograd.sum(bumps), [*c, b])


def test_a_capped_penalty():
    w = leaves(1.0, 2.0)
    squares = autograd.sum([p * p for p in w])
    check(autograd.minimum(squares, 1.0) + 0.1 * squares, w, slopes=[0.2, 0.4])


# Sums of different lengths


def test_sums_of_different_lengths_keep_their_terms_apart():
    w = leaves(2.0, 5.0)
    sums = [weighted_sum([w[1], w[0]], [10.0, 1.0], 0.5), weighted_sum([w[0]], [100.0], 0.5)]
    assert autograd.compile(sums, wrt=w).forward().tolist() == [52.5, 200.5]
    check(mean(sums), w, slopes=[50.5, 5.0])


def test_a_filter_whose_last_value_comes_first():
    h, x = leaves(1.0, 2.0, 3.0), [5.0, 7.0, 11.0]
    ys = [weighted_sum([h[k] for k in range(t, -1, -1)], [x[t - k] for k in range(t, -1, -1)]) for t in (2, 1, 0)]
    assert autograd.compile(ys, wrt=h).forward().tolist() == [11 + 14 + 15, 7 + 10, 5]
    check(autograd.sum(ys), h, slopes=[23.0, 12.0, 5.0])


def test_a_zero_weight_between_others_is_no_end_of_a_row():
    w = leaves(2.0, 3.0, 5.0)
    rows = [weighted_sum(w, [1.0] * 3), weighted_sum([w[0], 0.0, w[1]], [1.0] * 3), weighted_sum([w[0]], [1.0])]
    assert autograd.compile(rows, wrt=w).forward().tolist() == [10, 5, 2]
    p, q, r, s = leaves(0.39, -0.44, -0.02, 0.2)
    terms = autograd.tanh(sum([q * p, r * 0.0])) + autograd.tanh(weighted_sum([s, 1.0, 1.0], [p, 1.0, 1.0]))
    check(terms, [p, q, r, s])


def test_polynomials_of_different_degrees_highest_power_first():
    c = leaves(1.0, 2.0, 3.0)
    values = [sum(c[k] * (2.0 + n) ** k for k in range(n, -1, -1)) for n in (2, 1, 0)]
    assert autograd.compile(values, wrt=c).forward().tolist() == [57, 7, 1]
    check(autograd.sum(values), c, slopes=[3.0, 7.0, 16.0])


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_recurrence_over_sequences_of_different_lengths(length):
    neuron, out = Neuron(2, "tanh", seed=1), Neuron(1, "linear", seed=2)

    def model(xs):
        h = 0.0
        for x in xs:
            h = neuron([x, h])
        return out([h])

    data = [([1.0, 0.0, -1.0][:length], 1.0), ([1.0], 1.0), ([1.0, 0.0], -1.0)]
    check(mean([squared_error(model(x), y) for x, y in data]), [*neuron.parameters(), *out.parameters()])


# Slopes with choices, every pair, constants among operands


@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (lambda u: u + autograd.leaky_relu(u), 2.02),
        (lambda u: u + autograd.clip(u, -1.0, 1.0), 4.0),
        (lambda u: u + autograd.elu(u), 2.0 + 2.0 * math.exp(-0.6)),
        (lambda u: u + autograd.maximum(u, 1.0), 2.0),
        (lambda u: u + autograd.where(u - 1, u, 2.0), 2.0),
        (lambda u: autograd.maximum(u, 1.0) - u, -2.0),
        (lambda u: u + autograd.hypot(u, 1.0), 2.0 - 1.2 / math.sqrt(1.36)),
        (lambda u: autograd.maximum(u, u) - u, 0.0),
    ],
)
def test_a_residual_around_a_choice(f, slope):
    w = Value(-0.3)
    check(f(2.0 * w), [w], slopes=[slope])


@pytest.mark.parametrize(
    ("f", "slopes"),
    [
        (lambda a, b: a * b - 1.0, [7.0, 7.0, 3.0, 3.0]),
        (lambda a, b: -(a * b), [-7.0, -7.0, -3.0, -3.0]),
        (lambda a, b: a * b / 4.0, [1.75, 1.75, 0.75, 0.75]),
        (lambda a, b: a * b - a, [5.0, 5.0, 3.0, 3.0]),
        (lambda a, b: a * b, [7.0, 7.0, 3.0, 3.0]),
    ],
)
def test_every_pair_of_two_vectors_then_something_linear(f, slopes):
    u, v = leaves(1.0, 2.0), leaves(3.0, 4.0)
    check(autograd.sum([f(a, b) for a in u for b in v]), [*u, *v], slopes=slopes)
    check(mean([f(a, b) for a in u for b in v]), [*u, *v], slopes=[s / 4 for s in slopes])


def test_a_neuron_that_sees_a_one():
    w, x, b = leaves(0.1, 0.2, 0.3), leaves(0.5, 0.75), Value(0.4)
    check(weighted_sum(w, [*x, 1.0], b), [*w, b], x, value=0.9, slopes=[0.5, 0.75, 1.0, 1.0])

    class WithOne(Module):
        def __init__(self):
            self.neuron = Neuron(3, "tanh", seed=0)

        def __call__(self, x):
            return self.neuron([*x, 1.0])

    X, y = moons(20)
    costs = []
    for compiled in (True, False):
        model = WithOne()
        settings = {"loss": hinge, "optimizer": SGD(model.parameters()), "epochs": 3, "progress": False}
        costs.append(fit(model, X, 2 * y - 1, compiled=compiled, **settings).cost)
    assert costs[0] == pytest.approx(costs[1], rel=1e-12)


# Constants


def test_constants_that_are_no_numbers_beside_others_in_an_array():
    x = leaves(0.5, 1.5, 2.5)
    terms = [autograd.where(v, autograd.tanh(v * c), c) for v, c in zip(x, (1.0, 2.0, 3.0))]
    cost = autograd.sum([*terms, *(autograd.where(v, v, c) for v, c in zip(x, (math.nan, math.inf, 0.0)))])
    check(cost, x)


@pytest.mark.parametrize(
    ("f", "value", "slope"),
    [
        (lambda x: autograd.maximum(x, -math.inf), 0.5, 1.0),
        (lambda x: autograd.minimum(x, math.inf), 0.5, 1.0),
        (lambda x: autograd.clip(x, 0.0, math.inf), 0.5, 1.0),
        (lambda x: autograd.exp(autograd.where(x, x, -math.inf)), math.exp(0.5), math.exp(0.5)),
        (lambda x: autograd.exp(x + -math.inf), 0.0, 0.0),
        (lambda x: x / math.inf, 0.0, 0.0),
        (lambda x: autograd.where(x, x, math.nan), 0.5, 1.0),
    ],
)
def test_infinite_constants_and_those_that_are_none(f, value, slope):
    compiled = autograd.compile(f)
    assert compiled(0.5) == value
    assert compiled.value_and_grad(0.5) == (value, slope)
    assert compiled(np.array([0.5, 0.5])).tolist() == [value, value]
    x = Value(0.5)
    assert autograd.compile(f(x), wrt=[x]).value_and_grad()[0] == value


def test_a_choice_between_constants_outside_a_domain_is_traced():
    assert autograd.compile(lambda x: autograd.log(autograd.where(x, 1.0, -1.0)))(2.0) == 0.0
    assert autograd.compile(lambda x: autograd.prod([0.0, autograd.where(x, 1.0, -math.inf)]))(2.0) == 0.0
    with pytest.raises(ValueError, match="log is not defined"):
        autograd.compile(lambda x: autograd.log(autograd.where(x, 1.0, -1.0)))(-2.0)
    with pytest.raises(ZeroDivisionError):
        autograd.compile(lambda x: 1.0 / (x * 0.0 / x))(1.0)


def test_the_source_of_a_program_with_an_infinite_leaf_runs_on_its_own():
    w, mask = leaves(0.1, 0.2), leaves(0.0, -math.inf)
    program = autograd.compile(autograd.logsumexp([a + b for a, b in zip(w, mask)]), wrt=w)
    assert run_source(program.source, [0.1, 0.2])[0] == program.value_and_grad()[0] == pytest.approx(0.1)


def test_plain_bases_at_and_below_zero():
    assert autograd.compile(lambda v: 0.0**v)(2.0) == 0.0
    assert autograd.compile(lambda v: 0.0**v).value_and_grad(2.0) == (0.0, 0.0)
    assert autograd.compile(lambda v: (-2.0) ** v)(3.0) == -8.0
    assert autograd.compile(lambda v: (-2.0) ** v)(np.array([2.0, 3.0])).tolist() == [4.0, -8.0]
    with pytest.raises(ValueError, match="pow is not defined at x = -2"):
        autograd.compile(lambda v: (-2.0) ** v)(0.5)
    with pytest.raises(ZeroDivisionError, match="pow divides by zero"):
        autograd.compile(lambda v: 0.0**v)(-1.0)


def test_a_power_of_0_is_1_with_slope_0():
    for x in (0.0, -2.0, 3.0):
        assert autograd.compile(lambda x: x**0 + 2 * x).value_and_grad(x) == (1 + 2 * x, 2.0)


def test_constants_of_own_operations_keep_their_parentheses():
    v = Value(3.0)
    minus_two = primitive("minus_two_squared_times", "(-2) ** 2 * x", "(-2) ** 2")
    check(minus_two(v), [v], value=12.0, slopes=[4.0])
    square = primitive("square_plus", "x ** 2 + y", "2 * x", "1")
    check(square(-3.0, v), [v], value=12.0, slopes=[1.0])
    sloped = primitive("sloped", "slope ** 2 * x", "slope ** 2", "2 * slope * x", operands="x, slope=-2.0")
    check(sloped(v), [v], value=12.0, slopes=[4.0])
    with pytest.raises(ValueError, match="has no value"):
        primitive("cube_root_of_minus_eight_times", "(-8) ** (1 / 3) * x", "1")


def test_an_operation_made_of_functions_is_compiled_by_the_scalars():
    half_square = primitive("half_square", lambda x: 0.5 * x * x, lambda x: x)
    w, x = leaves(3.0, 2.0)
    program = autograd.compile(autograd.tanh(half_square(w) * x), wrt=[w], inputs=[x])
    value, slope = program.value_and_grad([0.5], [[1.0], [2.0]])
    assert value == pytest.approx((math.tanh(0.125) + math.tanh(0.25)) / 2)
    assert slope == pytest.approx([(0.5 / math.cosh(0.125) ** 2 + 1.0 / math.cosh(0.25) ** 2) / 2])
    f = autograd.compile(lambda x: half_square(x) + 1)
    assert f(np.array([1.0, 2.0])).tolist() == [1.5, 3.0]
    assert f.value_and_grad(2.0) == (3.0, 2.0)


# Names


@pytest.mark.parametrize("labels", [("dt", "t"), ("dk", "k"), ("range", "t"), ("zip", "t"), ("reversed", "float")])
@pytest.mark.parametrize("rounds", [600, 700])
def test_labels_of_a_loop_are_nobody_elses_variables(labels, rounds):
    step, start, k = leaves(0.01, 0.3, 1.5, labels=(*labels, "k" if "k" not in labels else "t"))
    t, y = start, Value(1.0)
    for _ in range(rounds):
        y = y + step * (autograd.sin(t) - k * y)
        t = t + step
    check(y, [step, start, k])


@pytest.mark.parametrize(
    "labels",
    [("xµ", "xμ"), ("x1", "x１"), ("xfi", "xﬁ"), ("x²", "x2"), ("t", "dt"), ("dt", "t"), ("λ", "dλ"), ("np", "lambda"),
     ("x;y", "7"), ("v", "g"), ("e", "es"), ("\n", '"""'), ("exp", "math"), ("v_1", "v"), ("d", "dd")],
)  # fmt: skip
def test_no_label_becomes_a_name_that_matters(labels):
    a, b = leaves(2.0, 5.0, labels=labels)
    check(autograd.tanh(a) * 3 - b * b / a, [a, b])
    many = [autograd.tanh(a * k) * b for k in range(1, 5)]
    for k, z in enumerate(many):
        z.label = labels[k % 2]
    check(mean([z * z for z in many]), [a, b])


def test_an_operand_named_e_is_not_the_e_of_a_small_number():
    small = primitive("with_e", "x * 0.5 + 1e-05 * e", "0.5", "1e-05", operands="x, e")
    x = y = Value(0.3)
    for _ in range(2500):
        y = autograd.tanh(small(y, 0.25))
    assert autograd.compile(y, wrt=[x]).forward() == pytest.approx(y.data, rel=1e-12)


def test_the_text_of_a_loop_grows_with_its_operations_only():
    sizes = []
    for k in (5, 10):
        w, y = Value(2.0), Value(0.3)
        for _ in range(2400 // k):
            for _ in range(k - 1):
                y = autograd.sigmoid(y)
            y = autograd.silu(y)
        sizes.append(len(check(y * w, [w]).source))
    assert sizes[1] < 2 * sizes[0] < 10_000


# Operations that are declared again


def test_a_program_keeps_the_operations_that_it_was_compiled_with():
    x = Value(3.0)
    for old, new in (
        (("x * x", "2 * x"), ("x + 100", "1")),
        ((lambda x: x * x, lambda x: 2 * x), (lambda x: x + 100, lambda x: 1.0)),
    ):
        own = primitive("own_again", *old)
        program, function = autograd.compile(own(x), wrt=[x]), autograd.compile(lambda x: own(x))  # noqa: B023
        primitive("own_again", *new)
        assert program.value_and_grad() == (9.0, [6.0])
        assert function(np.array([3.0, 4.0])).tolist() == [9.0, 16.0]
        with pytest.raises(ValueError, match="compiled with an operation own_again that has been declared again"):
            program.value_and_grad([math.inf])
    assert autograd.OPERATIONS["own_again"](3.0) == 103.0


def test_a_pickled_program_knows_whether_its_operations_are_declared_as_they_were():
    x = Value(3.0)
    data = pickle.dumps(autograd.compile(primitive("own_again", "x * x * x", "3 * x * x")(x), wrt=[x]))
    primitive("own_again", "x", "1")
    with pytest.raises(ValueError, match="own_again"):
        pickle.loads(data).value_and_grad([math.inf])
    primitive("own_again", "x * x * x", "3 * x * x")
    assert pickle.loads(data).forward([-math.inf]) == -math.inf


# Many rounds


@pytest.mark.parametrize("rounds", [40, 1500])
@pytest.mark.parametrize("total", [autograd.sum, mean, sum, lambda ys: weighted_sum(ys, ys[::-1], 0.5)])
def test_a_cost_of_every_round_of_a_long_recurrence(rounds, total):
    w, y = leaves(0.7, 0.3)
    z, ys = y, []
    for _ in range(rounds):
        z = autograd.tanh(w * z + 0.1 * z * z)
        ys.append(z)
    program = check(total(ys), [w, y])
    assert len(program.source) < 600 * rounds + 5000  # linear in the graph


def test_numbers_are_not_put_into_a_sum_that_is_too_long_for_them_one_by_one(monkeypatch):
    w, y = leaves(0.7, 0.3)
    z, squares, sizes = y, [], []
    for _ in range(900):
        z = autograd.tanh(w * z)
        squares.append(z * z)
    put = passes.put
    monkeypatch.setattr(passes, "put", lambda x, *more: sizes.append(passes.weight(x)) or put(x, *more))
    check(autograd.sum(squares), [w, y])
    assert max(sizes) <= passes.LARGEST


def test_the_gradient_of_a_long_recurrence_as_a_graph():
    w, y = leaves(0.7, 0.3)
    z = y
    for _ in range(500):
        z = 3 * w * z * (1 - z)
    [slope] = gradients(z, [w], create_graph=True)
    program = autograd.compile(slope, wrt=[w, y])
    value, found = program.value_and_grad()
    assert value == pytest.approx(slope.data, rel=1e-9)
    np.testing.assert_allclose(found, gradients(slope, [w, y]), rtol=1e-6)


# What is no number, zeros, errors


def test_a_step_of_what_is_no_number_is_none():
    assert math.isnan(autograd.compile(autograd.step)(math.nan))
    found = autograd.compile(lambda x: autograd.step(x) * 3 + 1)(np.array([math.nan, 1.0, 0.0, -1.0]))
    np.testing.assert_array_equal(found, [math.nan, 4.0, 1.0, 1.0])


@pytest.mark.parametrize("name", ["relu", "sign", "step", "leaky_relu", "abs", "elu"])
def test_slopes_at_what_is_no_number(name):
    x, y = leaves(math.nan, 2.0)
    cost = autograd.where(-1.0, autograd.OPERATIONS[name](x), y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        found = autograd.compile(cost, wrt=[x, y]).value_and_grad()
        np.testing.assert_array_equal(found[1], gradients(cost, [x, y]))
    assert found[0] == 2.0


@pytest.mark.parametrize("name", ["floor", "ceil", "trunc", "sign", "neg", "sin", "atan", "abs", "cbrt", "sqrt"])
@pytest.mark.parametrize("x", [-0.0, 0.0])
def test_zeros_have_the_signs_of_the_eager_engine(name, x):
    operation = autograd.OPERATIONS[name]
    f = lambda t: autograd.atan2(operation(t), -1.0)  # noqa: E731
    want = f(Value(x)).data
    assert want == math.atan2(math.copysign(0.0, -x if name == "neg" else abs(x) if name == "abs" else x), -1.0)
    assert autograd.compile(f)(x) == want
    assert autograd.compile(f)(np.array([x, x])).tolist() == [want, want]
    leaf = Value(x)
    assert autograd.compile(f(leaf), wrt=[leaf]).forward() == want


@pytest.mark.parametrize(
    ("f", "value"),
    [
        (lambda x: x + 0.0, 0.0),
        (lambda x: x + -0.0, -0.0),
        (lambda x: x + x, -0.0),
        (lambda x: 0 + x, 0.0),
        (lambda x: autograd.sum([x, x]), -0.0),
        (lambda x: autograd.sum([x, x, x * 1.0, x, x]), -0.0),
        (lambda x: autograd.sum([x, 0.0, x]), 0.0),
        (lambda x: weighted_sum([x], [1.0], -0.0), -0.0),
        (lambda x: weighted_sum([x, x, x], [1.0, 2.0, 3.0], x), -0.0),
        (lambda x: weighted_sum([x], [1.0]), 0.0),
        (lambda x: weighted_sum([x, x], [1.0, 1.0]), 0.0),
        (lambda x: x * 1.0 + x * 2.0, -0.0),
        (lambda x: mean([x, x]), -0.0),
        (lambda x: x - 0.0, -0.0),
    ],
)
def test_sums_of_zeros(f, value):
    side = math.atan2(value, -1.0)
    leaf = Value(-0.0)
    cost = autograd.atan2(f(leaf), -1.0)
    assert cost.data == side
    assert autograd.compile(cost, wrt=[leaf]).forward() == side
    assert autograd.compile(lambda x: autograd.atan2(f(x), -1.0))(np.array([-0.0])).tolist() == [side]
    # as results they keep their signs as well
    cost, function = f(leaf), autograd.compile(lambda x: f(x))
    program = autograd.compile(cost, wrt=[leaf])
    batch = np.array([-0.0, 1.0, -0.0])
    found = [cost.data, program.forward(), program.value_and_grad()[0], program.backward(), function(-0.0)]
    found += [function.value_and_grad(-0.0)[0], *function(batch)[::2], *function.value_and_grad(batch)[0][::2]]
    found += [*autograd.compile([cost, leaf, cost], inputs=[leaf]).forward(batch=batch.reshape(3, 1))[0, ::2]]
    assert [(x, math.copysign(1.0, x)) for x in found] == [(value, math.copysign(1.0, value))] * len(found)


def test_an_error_is_raised_though_a_later_operation_would_hide_it():
    x, y = leaves(0.5, 0.5)
    power = autograd.compile(autograd.tanh(x**2), wrt=[x])
    with pytest.raises(OverflowError, match="pow overflows at x = 1e"):
        power.value_and_grad([1e200])
    total = autograd.compile(autograd.tanh(autograd.sum([x, y, 1.0])), wrt=[x, y])
    with pytest.raises(OverflowError, match="sum overflows"):
        total.value_and_grad([1.5e308, 1.5e308])
    choice = autograd.compile(autograd.where(-1.0, x - y, 3.0), wrt=[x, y])
    with pytest.raises(ValueError, match="sub is not a number"):
        choice.value_and_grad([math.inf, math.inf])
    chain = x
    for _ in range(2500):
        chain = autograd.tanh(chain * y)
    many = autograd.compile(autograd.where(-1.0, chain * y - y, 3.0) + chain, wrt=[x, y])
    with pytest.raises(ValueError, match="is not a number"):
        many.value_and_grad([0.5, math.inf])


def test_the_slope_of_a_logarithm_keeps_its_domain():
    for f, x in ((autograd.log, -1.0), (autograd.log1p, -3.0), (autograd.log2, -0.5), (autograd.log10, -3.0)):
        slope = autograd.compile(autograd.grad(f))
        for given in (x, np.array([1.0, x])):
            with pytest.raises(ValueError, match="is not defined"):
                slope(given)


def test_slopes_with_a_choice_exist_where_only_the_choice_taken_does():
    assert autograd.compile(autograd.grad(lambda x, y: x**y))(0.0, 3.0) == 0.0
    assert autograd.compile(autograd.grad(lambda x, y: autograd.hypot(x, y)))(0.0, 0.0) == 0.0
    assert autograd.compile(autograd.grad(lambda x: sum(c * x**k for k, c in enumerate([1.0, 2.0, 3.0]))))(1.5) == 11.0
    x, y = leaves(0.5, 3.0)
    [slope] = gradients(x**y, [x], create_graph=True)
    assert autograd.compile(slope, wrt=[x, y]).value_and_grad([0.0, 3.0])[0] == 0.0


def test_a_mean_of_infinities_of_both_signs_is_no_number():
    w, x = leaves(1.0, 2.0)
    program = autograd.compile(w * x, wrt=[w], inputs=[x])
    with pytest.warns(RuntimeWarning, match="backward from a cost that is"):
        assert math.isnan(program.value_and_grad([1.0], [[math.inf], [-math.inf]])[0])


def test_where_a_sum_cancels_rounding_is_that_of_its_largest_terms():
    x = leaves(1e16, 1.0, -1e16)
    assert autograd.sum(x).data == 1.0
    assert autograd.compile(autograd.sum(x), wrt=x).forward() == pytest.approx(1.0, abs=4e16 * 2**-52)


# What calls are given


def test_a_compiled_function_takes_numbers_only():
    f = autograd.compile(lambda a, b: a * b + 1)
    for given in ((None, 1.0), ("2", "3"), (1.0, [None]), (np.array(["2"]), 1.0), (Value(2.0), 1.0), (1j, 1.0)):
        with pytest.raises(TypeError, match="takes numbers or arrays of numbers"):
            f(*given)
        with pytest.raises(TypeError, match="takes numbers or arrays of numbers"):
            f.value_and_grad(*given)
    assert f(2, True) == 3.0
    assert f(np.float32(2.0), np.array([1, 2])).tolist() == [3.0, 5.0]
    assert f(2**70, 1) == 2.0**70 + 1
    w, x = leaves(1.0, 2.0)
    program = autograd.compile(w * x, wrt=[w], inputs=[x])
    with pytest.raises(TypeError, match="theta takes numbers"):
        program.value_and_grad(["1"], [[1.0]])
    with pytest.raises(TypeError, match="a batch takes numbers"):
        program.forward([1.0], [[None]])


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e6, 1e9, 1e15])
def test_softmax_and_the_slopes_of_logsumexp_keep_their_digits_at_any_offset(offset):
    x = leaves(offset, offset + 1, offset + 2)
    shares = [1 / (1 + math.e + math.e**2) * math.e**k for k in range(3)]
    total = autograd.logsumexp(x)
    np.testing.assert_allclose(gradients(total, x), shares, rtol=1e-13)
    np.testing.assert_allclose(autograd.compile(total, wrt=x).value_and_grad()[1], shares, rtol=1e-12)
    np.testing.assert_allclose(autograd.compile(autograd.softmax(x), wrt=x).forward(), shares, rtol=1e-12)


def test_what_rounds_up_to_zero_from_below_is_negative():
    for f in (autograd.ceil, autograd.trunc):
        assert autograd.compile(lambda x: autograd.atan2(f(x), -1.0))(-0.5) == -math.pi  # noqa: B023
        assert autograd.compile(lambda x: autograd.atan2(f(x), -1.0))(np.array([-0.5])).tolist() == [-math.pi]  # noqa: B023


def test_without_parameters_and_inputs_the_scalars_may_decide_too():
    x = Value(-0.0)
    for zero in (x + 0.0, autograd.sum([x, x]), autograd.weighted_sum([x], [1.0])):
        y = autograd.atan2(zero, -1.0)
        assert autograd.compile(y).forward() == y.data
        assert autograd.compile([y, y]).forward().tolist() == [y.data, y.data]


@pytest.mark.parametrize("form", [lambda x: (1 / x) * 0.0, lambda x: weighted_sum([1 / x, x], [0.0, 1.0])])
def test_a_constant_factor_of_0_times_an_infinite_slope_is_nan_as_in_the_eager_engine(form):
    x = Value(1.5)
    cost = form(x)
    program = autograd.compile(cost, wrt=[x])
    assert program.value_and_grad()[1] == pytest.approx(gradients(cost, [x]))
    x.data = 1e-200  # 1 / x^2 overflows
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert math.isnan(gradients(form(x), [x])[0])
        assert math.isnan(program.value_and_grad()[1][0])


@pytest.mark.parametrize(
    "form",
    [
        lambda x: autograd.step(autograd.sqrt(x) - 1.0),
        lambda x: autograd.where(autograd.cbrt(x), 2.0, 3.0),
        lambda x: autograd.floor(x**0.5 + 0.5),
        lambda x: autograd.cbrt(autograd.step(x)),
        lambda x: autograd.sqrt(autograd.sign(x) * 2.0) ** 2.0,
        lambda x: autograd.sign(autograd.asin(1.0 - x)),
        lambda x: autograd.where(autograd.exp(autograd.where(0.0, x, math.nan)), 1.0, x),
        lambda x: autograd.sum([0.0 * autograd.sqrt(x), autograd.where(x - 5.0, 1.0, 2.0)]),
    ],
)
@pytest.mark.parametrize("steps", [0, 60])  # as arrays, and as a loop over single numbers
def test_a_partial_of_0_times_an_infinite_slope_is_nan_as_in_the_eager_engine(form, steps):
    x = Value(0.0)
    cost = form(x)
    for _ in range(steps):
        cost = autograd.sin(cost) + 1.0
    program = autograd.compile(cost, wrt=[x])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert math.isnan(gradients(cost, [x])[0])
        for result in (program.value_and_grad(), program.value_and_grad([0.0])):
            assert math.isnan(result[1][0])


@pytest.mark.parametrize("head", [autograd.tanh, autograd.relu, lambda z: autograd.where(z, 1.0, 2.0)])
def test_an_infinite_input_that_a_flat_unit_hides_has_the_slopes_of_the_eager_engine(head):
    """Their slope is 0 there, and 0 times the input nan; BLAS may leave out products with 0."""
    rng = np.random.default_rng(0)
    w = [[Value(x) for x in row] for row in rng.normal(size=(4, 3))]
    x = leaves(*rng.normal(size=3))
    cost = mean([head(weighted_sum(row, x)) for row in w])
    flat = [a for row in w for a in row]
    program = autograd.compile(cost, wrt=flat, inputs=x)
    x[1].data = -math.inf
    anew = mean([head(weighted_sum(row, x)) for row in w])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        want = gradients(anew, flat)
        value, gradient = program.value_and_grad(None, [[a.data for a in x]])
    assert value == pytest.approx(anew.data)
    assert any(map(math.isnan, want))
    np.testing.assert_array_equal(gradient, want)


def test_what_is_multiplied_with_0_must_be_finite():
    a, b = leaves(2.0, -1.0)
    cost = autograd.sum([0.0 * (1.0 + a * 2.0), autograd.tanh(a + b)])
    program = autograd.compile(cost, wrt=[a, b])
    with pytest.raises(ValueError, match="mul is not a number"):
        program.value_and_grad([math.inf, 1.0])


def test_an_infinite_constant_factor_is_multiplied_as_the_eager_engine_does():
    x = leaves(0.5, 0.25)
    cost = autograd.tanh(weighted_sum([math.inf, 2.0], x)) + autograd.tanh(weighted_sum([-math.inf, 1.0], x))
    program = autograd.compile(cost, wrt=x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.testing.assert_array_equal(program.value_and_grad()[1], gradients(cost, x))
    with pytest.raises(ValueError, match="not a number"):
        program.value_and_grad([0.0, 1.0])


def test_what_a_derivative_is_computed_for_in_vain_passes_nothing_back():
    f = autograd.compile(autograd.grad(autograd.grad(lambda x, y: 1.0 / y, 1), 0))
    assert f.value_and_grad(1.54, 1e-200) == (0.0, 0.0, 0.0)


def test_the_operations_whose_slope_may_be_infinite_where_they_are_finite():
    found, grid = set(), (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)
    for op, row in TABLE.items():
        if row.is_slope:
            continue
        for data in itertools.product(grid, repeat=3 if row.lists else len(row.operands)):
            try:
                node = again(op, [Value(a) for a in data])
            except (ArithmeticError, ValueError):
                continue
            if isinstance(node, Value) and not all(map(math.isfinite, node.partials)):
                found.add(op)
    assert found >= {"sqrt", "cbrt", "pow", "asin", "acos", "acosh", "atan2"}
    assert GENTLE.isdisjoint(found)


@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (lambda x: 1.0 - autograd.relu(x), [0.0, -1.0]),
        (lambda x: autograd.relu(x), [0.0, 1.0]),
        (lambda x: -autograd.relu(-autograd.relu(-x)), [0.0, 0.0]),
        (lambda x: autograd.relu(autograd.relu(x)) - autograd.relu(x) - autograd.relu(2.0 - x), [1.0, 1.0]),
        (lambda x: autograd.grad(lambda y: autograd.relu(y) - autograd.relu(-y))(x) * x, [1.0, 1.0]),
    ],
)
def test_slopes_that_are_only_conditions(f, slope):
    x = np.array([-1.5, 0.75])
    values, slopes = autograd.compile(f).value_and_grad(x)
    np.testing.assert_array_equal(slopes, slope)
    np.testing.assert_array_equal(values, [f(Value(a)).data for a in x.tolist()])
    assert [gradients(f(y), [y])[0] for y in map(Value, x.tolist())] == slope


def test_an_array_of_gradients_that_is_cleared_and_then_set_in_part():
    other = Value(-1.14)
    f = autograd.grad(lambda a, b, c, d: (b - 1.0) ** 2.0 + (0.0 - c) ** 2.0 + (other - d) ** 2.0, 1)
    assert autograd.compile(f).value_and_grad(0.08, -1.75, -0.8, -1.53) == (-5.5, 0.0, 2.0, 0.0, 0.0)


def test_one_gradient_for_a_whole_array_that_is_read_in_another_shape():
    a, b, c, d = leaves(-0.5, -0.25, 2.0, -1.0, labels="abcd")
    rows = [[1.0 / b, 1.0 / a, b / 0.5], [1.0 / d, b / 1.0, c / b], [0.0 / a, c / 0.5, d / a]]
    cost = autograd.sum([autograd.sum([x - 1.0 for x in row]) for row in rows]) * 3.0
    for wrt in ([a, b, c, d], [d], [b, d]):
        check(cost, wrt)


def test_an_overflow_that_only_a_branch_not_taken_reads_is_an_error():
    gate = primitive("gate", "a * v if v > b else b - v", "v if v > b else 0", "a if v > b else -1",
                     "0 if v > b else 1", operands="a, v, b")  # fmt: skip
    square = primitive("square_and", "x ** 2 + y", "2 * x", "1")
    (x,) = leaves(-0.5, labels="x")
    program = autograd.compile(gate(square(x * 0.5, 1.0), x, 2.0), wrt=[x])
    assert program.backward() == 2.5
    x.data = -5e199
    with pytest.raises(OverflowError, match="square_and overflows"):
        program.backward()


def test_a_sum_whose_zero_would_have_a_sign_may_stand_in_the_expression_that_reads_it():
    (x,) = leaves(-1.43)
    share = math.exp(1.0) / (math.exp(-1.43) + 1.0 + math.exp(1.0))
    check(autograd.atan2(autograd.softmax([x, 0.0, 1.0])[2], 1.0), [x], value=math.atan(share))


def test_the_last_state_of_a_loop_is_read_before_the_way_back_undoes_it(monkeypatch):
    monkeypatch.setattr(loops, "_STRAIGHT", 8)
    (x,) = leaves(-1.0, labels="x")
    h = autograd.tanh(x)
    for _ in range(19):
        h = autograd.tanh(h - x)
    program = autograd.compile(abs(x) / h, wrt=[x])
    assert "for " in program.source
    state, slope = math.tanh(-1.0), 1 - math.tanh(-1.0) ** 2
    for _ in range(19):
        state, slope = math.tanh(state + 1.0), (1 - math.tanh(state + 1.0) ** 2) * (slope - 1)
    assert program.backward() == pytest.approx(1 / state, rel=1e-12)
    assert x.grad == pytest.approx(-1 / state - slope / state**2, rel=1e-12)
