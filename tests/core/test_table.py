import ast
import itertools
import math
import random

import pytest
from conftest import DECLARED
from mpmath import mp, mpf
from oracles import ORACLES

import autograd
from autograd import Value, gradients
from autograd.compatibility import infix
from autograd.core.table import ATOMS, TABLE, others
from autograd.core.value import OPERATIONS

LARGEST = 1.7976931348623157e308
OPERANDS_OF_MANY = 3


def takes(name):
    """How many numbers an operation is tested with."""
    row = TABLE[name]
    return sum(OPERANDS_OF_MANY if x in row.lists else 1 for x in row.operands)


def call(name, operands):
    """The operation on numbers or Values that are given one after the other."""
    row, waiting = TABLE[name], iter(operands)
    return OPERATIONS[name](
        *[[next(waiting) for _ in range(OPERANDS_OF_MANY)] if x in row.lists else next(waiting) for x in row.operands]
    )


def oracle(name, point):
    """The true value, or None outside the real domain."""
    try:
        value = ORACLES[name](*map(mpf, point))
    except (ZeroDivisionError, ValueError):
        return None
    return value if isinstance(value, mpf) and mp.isfinite(value) else None


def true_partial(name, point, *order):
    """The derivative, of order[i] in the operand i, by differences of 50 and more digits."""
    return mp.diff(ORACLES[name], tuple(map(mpf, point)), tuple(order))


def close(got, want, tolerance=1e-12):
    return abs(got - want) <= tolerance * max(1, abs(want))


POINTS = [-7.25, -2.6, -0.7, -0.3, 0.2, 0.45, 0.9, 1.3, 3.4, 8.1]
KINKED = (
    "floor ceil trunc sign step abs relu leaky_relu elu softsign maximum minimum clip where".split()
)  # none of them in POINTS


def sample_points(name):
    """Points within the domain, away from kinks."""
    n = takes(name)
    rng = random.Random(name)
    points = [
        tuple(rng.sample(POINTS, n)) if n <= 2 else tuple(rng.uniform(-4, 4) for _ in range(n)) for _ in range(30)
    ]
    within = [p for p in points if oracle(name, p) is not None and not (name == "pow" and p[0] < 0)]
    return sorted(set(within))


def test_every_row_has_an_oracle():
    assert set(ORACLES) == set(DECLARED)


@pytest.mark.parametrize("name", DECLARED)
def test_value_and_derivatives_agree_with_fifty_digits(name):
    points = sample_points(name)
    assert len(points) >= 3
    n = takes(name)
    with mp.workdps(50):
        for point in points:
            xs = [Value(x) for x in point]
            out = call(name, xs)
            assert close(out.data, oracle(name, point), 1e-14), point
            assert close(call(name, point), oracle(name, point), 1e-14), point
            assert out.parents == tuple(xs)
            slopes = gradients(out, xs, create_graph=True)
            for i, slope in enumerate(slopes):
                first = [int(k == i) for k in range(n)]
                want = true_partial(name, point, *first)
                assert close(out.partials[i], want), (point, i, out.partials[i], want)
                assert slope.data == out.partials[i]
                for j, curvature in enumerate(gradients(slope, xs)):
                    second = [first[k] + (k == j) for k in range(n)]
                    want = true_partial(name, point, *second)
                    assert close(curvature, want), (point, i, j, curvature, want)


@pytest.mark.parametrize("name", [name for name in DECLARED if takes(name) > 1])
def test_plain_numbers_among_the_operands_change_neither_value_nor_slopes(name):
    n = takes(name)
    point = sample_points(name)[0]
    whole = call(name, [Value(x) for x in point])
    for which in itertools.product([False, True], repeat=n):
        operands = [Value(x) if v else x for x, v in zip(point, which)]
        out = call(name, operands)
        if not any(which):
            assert out == whole.data
            assert type(out) is float
            continue
        assert out.data == whole.data
        assert out.operands == tuple(operands)
        assert out.parents == tuple(x for x in operands if isinstance(x, Value))
        assert out.partials == tuple(p for p, v in zip(whole.partials, which) if v)


EDGES = [0.0, -0.0, 1.0, -1.0, 5e-324, -5e-324, 2.5e-310, 1e-300, -1e-300, 1e300, -1e300, 700.0, -700.0, 0.5, -0.5]


@pytest.mark.parametrize("name", [name for name in DECLARED if takes(name) == 1])
def test_value_and_slope_at_the_edges_of_the_numbers(name):
    with mp.workdps(700):
        for x in EDGES:
            check_edge(name, (x,))


@pytest.mark.parametrize("name", [name for name in DECLARED if takes(name) == 2])
def test_value_and_slopes_of_two_operands_at_the_edges_of_the_numbers(name):
    with mp.workdps(700):
        for point in itertools.product([0.0, 1.0, -2.5, 5e-324, -1e-300, 1e-300, 1e300, -1e300], repeat=2):
            check_edge(name, point)


def arithmetic_overflows(name, xs):
    """Whether the result is infinite, as that of Python's own + - * / and hypot: only functions raise OverflowError."""
    return name in ("add", "sub", "mul", "div", "hypot", "leaky_relu") and math.isinf(call(name, xs).data)


def check_edge(name, point):
    if name == "atan2" and (point[0] == 0.0 and point[1] <= 0.0):
        return  # the origin has no angle, and mpmath cannot difference across the cut
    want = oracle(name, point)
    xs = [Value(x) for x in point]
    if want is None or abs(want) > LARGEST:
        if want is not None and arithmetic_overflows(name, xs):
            return
        with pytest.raises((ValueError, ZeroDivisionError, OverflowError), match=name):
            call(name, xs)
        return
    out = call(name, xs)
    assert abs(out.data - want) <= 1e-13 * abs(want) + mpf(1e-323), (point, want)
    if name in KINKED and (
        0 in point or len(set(point)) < len(point) or (name in ("floor", "ceil", "trunc") and point[0] % 1 == 0)
    ):
        return  # kinks are tested below
    if name == "mod" and math.fmod(*point) == 0:
        return  # a jump
    if name in ("pow", "hypot") and 5e-324 in point and abs(out.data) < 2:
        return  # the result, or x ** (y - 1), is itself rounded to a few bits or to none
    for i, got in enumerate(out.partials):
        try:
            slope = true_partial(name, point, *[int(k == i) for k in range(len(point))])
        except (ZeroDivisionError, ValueError):
            slope = mp.nan
        if isinstance(slope, mpf) and mp.isfinite(slope) and abs(slope) < LARGEST:
            assert close(got, slope), (point, i, got, slope)
        else:
            assert not math.isfinite(got) or got == 0.0, (point, i, got, slope)


@pytest.mark.parametrize(
    ("name", "point", "slopes"),
    [
        ("abs", (0.0,), (0.0,)),
        ("relu", (0.0,), (0.0,)),
        ("leaky_relu", (0.0, 0.1), (0.1, 0.0)),
        ("elu", (0.0, 0.5), (0.5, 0.0)),
        ("softsign", (0.0,), (1.0,)),
        ("sign", (0.0,), (0.0,)),
        ("step", (0.0,), (0.0,)),
        ("floor", (2.0,), (0.0,)),
        ("ceil", (2.0,), (0.0,)),
        ("maximum", (3.0, 3.0), (0.5, 0.5)),
        ("minimum", (3.0, 3.0), (0.5, 0.5)),
        ("clip", (1.0, 1.0, 2.0), (1.0, 0.0, 0.0)),
        ("clip", (2.0, 1.0, 2.0), (1.0, 0.0, 0.0)),
        ("clip", (0.0, 1.0, 2.0), (0.0, 1.0, 0.0)),
        ("clip", (3.0, 1.0, 2.0), (0.0, 0.0, 1.0)),
        ("clip", (0.0, 2.0, 1.0), (0.0, 0.0, 1.0)),
        ("clip", (3.0, 2.0, 1.0), (0.0, 0.0, 1.0)),
        ("clip", (1.5, 2.0, 1.0), (0.0, 0.0, 1.0)),
        ("clip", (0.0, 1.0, 1.0), (0.0, 1.0, 0.0)),
        ("clip", (2.0, 1.0, 1.0), (0.0, 0.0, 1.0)),
        ("where", (5e-324, 5.0, 7.0), (0.0, 1.0, 0.0)),
        ("where", (0.0, 5.0, 7.0), (0.0, 0.0, 1.0)),
        ("where", (-0.0, 5.0, 7.0), (0.0, 0.0, 1.0)),
        ("hypot", (0.0, 0.0), (0.0, 0.0)),
        ("pow", (0.0, 0.0), (0.0, math.nan)),
        ("pow", (3.0, 0.0), (0.0, math.log(3.0))),
        ("pow", (5e-324, 0.0), (0.0, math.log(5e-324))),
        ("pow", (0.0, 1.0), (1.0, 0.0)),
        ("pow", (0.0, 2.0), (0.0, 0.0)),
        ("pow", (0.0, 0.5), (math.inf, 0.0)),
        ("pow", (-2.0, 3.0), (12.0, math.nan)),
        ("sqrt", (0.0,), (math.inf,)),
        ("asin", (1.0,), (math.inf,)),
        ("asin", (-1.0,), (math.inf,)),
        ("acos", (1.0,), (-math.inf,)),
        ("acos", (-1.0,), (-math.inf,)),
        ("atan2", (0.0, 0.0), (math.nan, math.nan)),
        ("prod", (0.0, 3.0, 5.0), (15.0, 0.0, 0.0)),
        ("prod", (0.0, 3.0, 0.0), (0.0, 0.0, 0.0)),
    ],
)
def test_slopes_at_kinks_and_ends_of_a_domain_follow_the_conventions(name, point, slopes):
    partials = call(name, [Value(x) for x in point]).partials
    assert partials == pytest.approx(slopes, rel=1e-15, abs=0, nan_ok=True)


@pytest.mark.parametrize("name", [name for name in KINKED if takes(name) == 1])
def test_value_at_a_kink(name):
    for x in (0.0, 2.0, -2.0):
        assert call(name, [Value(x)]).data == oracle(name, (x,))


def test_where_takes_its_second_choice_at_zero():
    for condition, value in ((5e-324, 5.0), (0.0, 7.0), (-0.0, 7.0), (-1.0, 7.0)):
        assert autograd.where(condition, 5.0, 7.0) == autograd.where(Value(condition), 5.0, 7.0).data == value


@pytest.mark.parametrize(
    ("expression", "error", "message"),
    [
        (lambda x: (x - 0.8).log(), ValueError, r"log is not defined at x = -0\.3"),
        (lambda x: 1 / (x - 0.5), ZeroDivisionError, r"div divides by zero at x = 1\.0, y = 0\.0"),
        (lambda x: (2000 * x).exp(), OverflowError, r"exp overflows at x = 1000\.0"),
        (lambda x: (x - 8.5) ** (1 / 3), ValueError, r"pow is not defined at x = -8\.0, y = 0\.333"),
        (lambda x: (x - 0.5) ** -1, ZeroDivisionError, r"pow divides by zero at x = 0\.0, y = -1\.0"),
        (lambda x: (2e300 * x) ** 2, OverflowError, r"pow overflows at x = 1e\+300"),
        (lambda x: (x - 1).sqrt(), ValueError, r"sqrt is not defined at x = -0\.5"),
        (lambda x: (x + 1).asin(), ValueError, r"asin is not defined at x = 1\.5"),
        (lambda x: (x - 1.5).log1p(), (ValueError, ZeroDivisionError), r"log1p .* at x = -1\.0"),
        (lambda x: x * math.inf - math.inf, ValueError, r"sub is not a number \(nan\) at x = inf, y = inf"),
        (lambda x: (x - 0.5) * math.inf, ValueError, r"mul is not a number \(nan\) at x = 0\.0, y = inf"),
        (lambda x: autograd.sum([x * math.inf, -math.inf]), ValueError, r"sum .* at x\[0\] = inf, x\[1\] = -inf"),
        (lambda x: (x * math.inf).sin(), ValueError, "sin is not defined at x = inf"),
    ],
)
def test_outside_the_domain_an_error_names_operation_and_operands(expression, error, message):
    with pytest.raises(error, match=message):
        expression(Value(0.5))


def test_error_names_the_label():
    with pytest.raises(ValueError, match=r"log is not defined at x = -0\.3 \(label 'p'\)"):
        Value(-0.3, label="p").log()
    weights = [Value(1e308, label="w_0"), Value(1e308, label="w_1")]
    with pytest.raises(
        OverflowError, match=r"weight\[0\] = 1e\+308 \(label 'w_0'\), .*, input\[0\] = 1\.0, input\[1\] = 1"
    ):
        autograd.weighted_sum(weights, [1.0, 1.0])


def test_plain_numbers_outside_the_domain_get_the_same_errors():
    with pytest.raises(ValueError, match=r"log is not defined at x = -1\.0"):
        autograd.log(-1)
    with pytest.raises(ValueError, match=r"sum is not a number \(nan\) at x\[0\] = inf"):
        autograd.sum([math.inf, -math.inf])
    with pytest.raises(TypeError, match=r"hypot takes one real number .* not 'a'"):
        autograd.hypot("a", 1)


def test_nan_among_the_data_passes_through():
    for name in DECLARED:
        out = call(name, [Value(math.nan)] * takes(name))
        assert math.isnan(out.data) or name in ("where", "pow"), name
    assert call("where", [Value(math.nan), Value(1.0), Value(2.0)]).data == 2.0


def test_stable_forms_are_exact_where_the_textbook_form_breaks():
    assert autograd.sigmoid(-1000) == 0.0
    assert autograd.sigmoid(1000) == 1.0
    assert autograd.sigmoid(-700) == pytest.approx(float(mp.exp(-700)), rel=1e-14)
    assert autograd.softplus(1000) == 1000.0
    assert autograd.softplus(-700) == pytest.approx(float(mp.exp(-700)), rel=1e-14)
    assert autograd.tanh(1000) == 1.0
    assert autograd.logsumexp([1000.0, 1000.0]) == pytest.approx(1000 + math.log(2), rel=1e-15)
    assert autograd.logsumexp([-1000.0, -1001.0]) == pytest.approx(-1000 + math.log1p(math.exp(-1)), rel=1e-15)
    assert autograd.silu(-1000) == 0.0
    assert autograd.gelu(-1000) == 0.0
    assert autograd.expm1(1e-20) == 1e-20
    assert autograd.sum([1e16, 1.0, -1e16]) == 1.0
    x = Value(-1000.0)
    autograd.sigmoid(x).backward()
    assert x.grad == 0.0


def test_pow_slopes_of_slopes_are_symmetric_where_the_exponent_is_zero():
    x, y = Value(3.0), Value(0.0)
    in_x, in_y = gradients(x**y, [x, y], create_graph=True)
    assert gradients(in_x, [y])[0] == pytest.approx(1 / 3)
    assert gradients(in_y, [x])[0] == pytest.approx(1 / 3)
    [in_x_y] = gradients(in_x, [y], create_graph=True)
    assert gradients(in_x_y, [y])[0] == pytest.approx(2 * math.log(3) / 3)
    assert gradients(in_x_y, [x])[0] == pytest.approx(-1 / 9)


def test_products_of_others_need_no_division():
    assert others([2.0, 0.0, 5.0]) == [0.0, 10.0, 0.0]
    assert others([7.0]) == [1.0]


def test_defaults_of_operands():
    assert autograd.leaky_relu(-2.0) == -0.02
    assert autograd.leaky_relu(Value(-2.0), slope=0.5).data == -1.0
    assert autograd.elu(-1.0) == math.expm1(-1)
    assert autograd.weighted_sum([2.0], [3.0]) == 6.0


def test_of_many_on_nothing():
    assert autograd.sum([]) == 0.0
    assert autograd.prod([]) == 1.0
    for name in ("mean", "logsumexp", "softmax"):
        with pytest.raises(ValueError, match=f"{name} of nothing has no value"):
            getattr(autograd, name)([])
    with pytest.raises(ValueError, match="weighted_sum needs as many inputs as weights: 2 weights, 1 inputs"):
        autograd.weighted_sum([Value(1), 2], [3])


def test_of_many_takes_any_iterable_but_not_a_number():
    assert autograd.sum(Value(i) for i in range(4)).data == 6.0
    for wrong in (Value(1.0), 3.0, "ab", {"a": 1}):
        with pytest.raises(TypeError, match="sum takes one iterable of Values or numbers"):
            autograd.sum(wrong)


def test_softmax_sums_to_one_and_its_denominator_is_differentiated():
    xs = [Value(x) for x in (1.0, 2.0, 3.0)]
    p = autograd.softmax(xs)
    assert math.fsum(q.data for q in p) == pytest.approx(1.0, rel=1e-15)
    assert autograd.softmax([1000.0, 1000.0]) == pytest.approx([0.5, 0.5], rel=1e-13)
    for i, q in enumerate(p):
        want = [q.data * ((i == j) - p[j].data) for j in range(3)]
        assert gradients(q, xs) == pytest.approx(want, rel=1e-13)


def test_rows_speak_only_the_words_that_readers_know():
    words = {*ATOMS, *TABLE, "out", "n", "rest", "total", "nan", "pi"}
    for row in DECLARED.values():
        elements = {x[:-1] for x in row.lists}
        assert len(row.partials) == len(row.operands)
        for expression in (row.value, *row.partials):
            names = {node.id for node in ast.walk(ast.parse(expression)) if isinstance(node, ast.Name)}
            assert names <= words | set(row.operands) | elements, (row.name, names)
    assert {name for name, row in DECLARED.items() if infix(row)} == {"add", "sub", "mul", "div", "pow", "neg"}


def test_every_function_that_the_package_promises_exists():
    promised = (
        "exp expm1 log log1p log2 log10 sqrt sin cos tan asin acos atan sinh cosh tanh erf sigmoid relu leaky_relu elu "
        "gelu silu softplus softsign sign step floor ceil maximum minimum hypot atan2 clip where "
        "asinh acosh atanh exp2 cbrt trunc log_sigmoid logaddexp mod "
        "sum mean prod logsumexp softmax log_softmax weighted_sum"
    ).split()
    for name in promised:
        assert callable(getattr(autograd, name))
        assert name in dir(autograd)
        assert name in autograd.__all__
    assert autograd.tanh.__doc__
    with pytest.raises(AttributeError, match="module 'autograd' has no attribute 'tanhh'"):
        autograd.tanhh  # noqa: B018
