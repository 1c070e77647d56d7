"""The slopes of rows as rows: derivatives of derivatives where slopes are infinite, split, or end."""

import math
import pickle
import random
import subprocess
import sys
import warnings

import pytest
from conftest import DECLARED
from mpmath import mp, mpf
from oracles import ORACLES

import autograd
from autograd import Value, compile, grad, gradients, hessian, jacobian, primitive
from autograd.calculus.slopes import derivative, is_tame, is_total
from autograd.core.graph import topological_order
from autograd.core.table import TABLE
from autograd.core.value import OPERATIONS

INF, NAN = math.inf, math.nan
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of infinite slopes, which are looked for here


def same(x, y, rel=1e-12):
    return (math.isnan(x) and math.isnan(y)) or x == y or math.isclose(x, y, rel_tol=rel, abs_tol=1e-300)


def nth(f, order):
    for _ in range(order):
        f = grad(f)
    return f


# Right values -------------------------------------------------------------------------------------------------------

AT_SPECIAL_POINTS = [  # closed forms
    ("sqrt''", autograd.sqrt, 2, 0.0, -INF),
    ("sqrt'''", autograd.sqrt, 3, 0.0, INF),
    ("asin''", autograd.asin, 2, 1.0, INF),
    ("asin'' below", autograd.asin, 2, -1.0, -INF),
    ("acos''", autograd.acos, 2, 1.0, -INF),
    ("asin'' near 0 is x", autograd.asin, 2, 1e-12, 1e-12),
    ("acos'' near 0 is -x", autograd.acos, 2, -3e-20, 3e-20),
    ("asin''' at 0", autograd.asin, 3, 0.0, 1.0),
    ("atan'' near 0 is -2x", autograd.atan, 2, 1e-15, -2e-15),
    ("(x ** 0.5)''", lambda x: x**0.5, 2, 0.0, -INF),
    ("(x ** 1.5)''", lambda x: x**1.5, 2, 0.0, INF),
    ("(x ** 1.5)'''", lambda x: x**1.5, 3, 0.0, -INF),
    ("(x ** 3)'''", lambda x: x**3, 3, 0.0, 6.0),
    ("(x ** 3)''''", lambda x: x**3, 4, 0.0, 0.0),
    ("(x ** Value(3))'''", lambda x: x ** Value(3.0), 3, 0.0, 6.0),
    ("(x ** Value(2))''", lambda x: x ** Value(2.0), 2, 0.0, 2.0),
    ("x ** 0", lambda x: x**0, 1, 0.0, 0.0),
    ("(x ** 0)''", lambda x: x**0, 2, 0.0, 0.0),
    ("(x ** Value(0))''", lambda x: x ** Value(0.0), 2, 3.0, 0.0),
    ("(0 ** y)''", lambda y: 0.0**y, 2, 2.0, 0.0),
    ("((-2) ** y)'", lambda y: (-2.0) ** y, 1, 3.0, NAN),
    ("((-2) ** y)''", lambda y: (-2.0) ** y, 2, 3.0, NAN),
    ("(2 ** y)''", lambda y: 2.0**y, 2, 3.0, 8 * math.log(2) ** 2),
    ("(1 / x)'' where it overflows", lambda x: 1 / x, 2, 1e-200, INF),
    ("log'' where it overflows", autograd.log, 2, 1e-200, -INF),
    ("gelu'' at 0", autograd.gelu, 2, 0.0, 2 / math.sqrt(2 * math.pi)),
    ("tan'' at pi / 4", autograd.tan, 2, math.pi / 4, 4.0),
    ("sinh''''", autograd.sinh, 4, 1.0, math.sinh(1)),
    ("expm1'''", autograd.expm1, 3, 1.0, math.e),
    ("relu''", autograd.relu, 2, 0.0, 0.0),
    ("elu'' below", autograd.elu, 2, -1.0, math.exp(-1)),
    ("a product with a slope that is infinite", lambda x: autograd.sqrt(x) ** 2, 1, 0.0, NAN),
    ("0 times an infinite slope", lambda x: 0 * autograd.sqrt(x), 1, 0.0, NAN),
    ("sqrt of a step", lambda x: autograd.sqrt(autograd.floor(x)), 1, 0.5, NAN),
]


@pytest.mark.parametrize(
    ("f", "order", "x", "truth"), [row[1:] for row in AT_SPECIAL_POINTS], ids=[row[0] for row in AT_SPECIAL_POINTS]
)
def test_derivatives_at_special_points_eager_and_compiled(f, order, x, truth):
    assert same(nth(f, order)(x), truth)
    program = compile(nth(f, order))
    assert same(program(x), truth)
    built_here = Value(x)
    [slope] = gradients(nth(f, order - 1)(built_here), [built_here], create_graph=True)
    assert same(slope.data, truth)


@pytest.mark.parametrize("point", [(0.0, 0.0), (0.0, 1.0), (3.0, 0.0)])
def test_the_hessian_of_an_angle_does_not_exist_at_the_origin_alone(point):
    found = [x for row in hessian(lambda p: autograd.atan2(p[0], p[1]))(list(point)) for x in row]
    y, x = point
    r = x * x + y * y
    truth = [-2 * x * y, y * y - x * x, y * y - x * x, 2 * x * y]
    assert all(same(a, b / (r * r) if r else NAN) for a, b in zip(found, truth))


@pytest.mark.parametrize(("x", "y"), [(2.0, 0.0), (2.0, 1.0), (0.5, -1.5), (0.0, 2.0), (0.0, 3.0)])
def test_mixed_derivatives_of_a_power_agree_in_both_orders(x, y):
    truth = x ** (y - 1) * (1 + y * math.log(x)) if x else 0.0
    [[_, xy], [yx, _]] = hessian(lambda p: p[0] ** p[1])([x, y])
    assert (xy, yx) == (pytest.approx(truth), pytest.approx(truth))


UNARY = [name for name, row in DECLARED.items() if len(row.operands) == 1 and not row.lists]
WITHIN = {"acosh": [1.3, 3.4, 8.1], "log": [0.2, 1.3], "log2": [0.2, 1.3], "log10": [0.2, 1.3], "sqrt": [0.2, 1.3]}


@pytest.mark.parametrize("name", UNARY)
def test_third_derivatives_agree_with_fifty_digits(name):
    f = TABLE[name].name
    f = abs if f == "abs" else (lambda x: -x) if f == "neg" else getattr(autograd, f)
    with mp.workdps(50):
        for x in WITHIN.get(name, [-0.7, -0.3, 0.2, 0.45, 0.9]):
            truth = float(mp.diff(ORACLES[name], mpf(x), 3))
            assert nth(f, 3)(x) == pytest.approx(truth, rel=1e-10, abs=1e-12), x


# Built at one point, run at another ---------------------------------------------------------------------------------

SPECIAL = [-1.0, -0.0, 0.0, 0.5, 1.0, 2.0]


def builds(f, order):
    """Gradient graphs of f built wherever it has a value, as programs."""
    for x in SPECIAL:
        v = Value(x)
        try:
            slope = f(v)
        except (ArithmeticError, ValueError):
            continue
        for _ in range(order):
            [slope] = gradients(slope, [v], create_graph=True)
        yield x, compile(slope, wrt=[v])


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("name", [*UNARY, "sinc", "halves"])
def test_a_gradient_graph_is_right_wherever_it_was_built(name, order):
    sinc = primitive("sinc", "sin(x) / x if x != 0 else 1", "(cos(x) - out) / x if x != 0 else 0")
    halves = primitive("halves", "x * x if x >= 0.5 else log(x + 3)", "2 * x if x >= 0.5 else 1 / (x + 3)")
    own = {"sinc": sinc, "halves": halves, "abs": abs, "neg": lambda x: -x}
    f = own.get(name) or getattr(autograd, name)
    for built, program in builds(f, order):
        for x in SPECIAL:
            try:
                truth = nth(f, order)(x)
            except (ArithmeticError, ValueError) as error:
                with pytest.raises(type(error)):
                    program.forward(theta=[x])
                continue
            assert same(program.forward(theta=[x]), truth, 1e-9), (built, x)


@pytest.mark.parametrize("op", [autograd.hypot, autograd.atan2, autograd.maximum, lambda x, y: x**y])
def test_a_gradient_graph_of_two_operands_is_right_wherever_it_was_built(op):
    points = [(0.0, 0.0), (1.0, 1.0), (3.0, 4.0), (0.0, 2.0), (2.0, -1.5), (0.5, 0.0)]
    for built in points:
        leaves = [Value(x) for x in built]
        slopes = gradients(op(*leaves), leaves, create_graph=True)
        program = compile(slopes, wrt=leaves)
        for other in points:
            fresh = [Value(x) for x in other]
            truth = gradients(op(*fresh), fresh)
            assert all(map(same, program.forward(theta=list(other)), truth)), (built, other)


# The domain ---------------------------------------------------------------------------------------------------------

OUTSIDE = [
    (autograd.log, -1.0),
    (autograd.log, 0.0),
    (autograd.log1p, -2.0),
    (autograd.log2, -0.5),
    (autograd.log10, -3.0),
    (autograd.sqrt, -1.0),
    (autograd.asin, 1.5),
    (autograd.acos, -2.0),
    (autograd.exp, 1000.0),
    (autograd.expm1, 1000.0),
    (autograd.cosh, -1000.0),
    (lambda x: 1 / x, 0.0),
    (lambda x: x**-2, 0.0),
    (lambda x: x**0.5, -1.0),
    (lambda x: x * autograd.log(x) - x, -1.0),
    (lambda x: 3 * x + 0 * autograd.log(x), -1.0),
]


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize(("f", "x"), OUTSIDE)
def test_a_compiled_derivative_raises_what_the_function_raises(f, x, order):
    with pytest.raises((ArithmeticError, ValueError)) as raised:
        nth(f, order)(x)
    program = compile(nth(f, order))
    with pytest.raises(type(raised.value), match=str(raised.value).partition(" at ")[0]):
        program(x)
    with pytest.raises(type(raised.value)):
        program([0.5, x])


def test_a_derivative_that_is_0_has_the_domain_of_its_function():
    program = compile(lambda x, y: grad(grad(lambda t: t / y))(x))
    assert program(1.0, 2.0) == 0.0
    with pytest.raises(ZeroDivisionError, match="div divides by zero"):
        program(1.0, 0.0)


def test_all_derivatives_compile():
    def f(x):
        return autograd.tanh(x) * x**2 + autograd.maximum(x, 0.2) ** 1.5

    for x in (-0.7, 0.2, 0.9):
        assert compile(jacobian(f))(x) == pytest.approx(jacobian(f)(x) if x > 0 else NAN, nan_ok=True) or x < 0
        assert compile(lambda x: hessian(f)(x))(0.9) == pytest.approx(hessian(f)(0.9))


# Warnings -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [1, 2])
def test_an_infinite_slope_is_warned_of_eager_and_compiled(order):
    with pytest.warns(RuntimeWarning, match="sqrt"):
        nth(autograd.sqrt, order)(0.0)
    with pytest.warns(RuntimeWarning, match="the slope of sqrt in x"):
        compile(nth(autograd.sqrt, order))(0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compile(nth(autograd.sqrt, order))(1.0)


# The rows -----------------------------------------------------------------------------------------------------------


def test_tame_partials_are_written_out_and_all_others_are_one_node():
    x, y = Value(0.5), Value(1.5)
    for out, ops in [
        (autograd.tanh(x), {"tanh", "mul", "sub"}),
        (autograd.sigmoid(x), {"sigmoid", "mul", "sub"}),
        (x / y, {"div"}),
        (x**3, {"pow", "mul"}),
        (autograd.log(x), {"logʹx"}),
        (autograd.sqrt(x), {"sqrt", "sqrtʹx"}),
        (x**0.5, {"powʹx"}),
        (autograd.maximum(x, y), {"maximumʹx"}),
    ]:
        [slope] = gradients(out, [x], create_graph=True)
        assert {node.op for node in topological_order(slope)} - {""} == ops


def test_slopes_are_not_among_the_public_rows():
    assert TABLE["powʹxʹx"].operands == ("x", "y")
    assert not [name for name in TABLE if not name.isascii()]
    with pytest.raises(KeyError):
        TABLE["nothingʹx"]


def test_rows_know_their_domains():
    assert not is_total(TABLE["log"])
    assert is_total(TABLE["gelu"])
    assert is_tame(TABLE["tanh"], 0)
    assert not is_tame(TABLE["atan"], 0)


@pytest.mark.parametrize(
    ("expression", "truth"),
    [
        ("(1 - x) * (1 + x)", "-2.0 * x"),
        ("x * x if x > 1 else 3", "(2.0 * x if x > 1.0 else 0.0)"),
        ("nan if x > y else y", "(nan if x > y else 0.0)"),
        ("exp(2 * x)", "2.0 * exp(2.0 * x)"),
        ("y", "0.0"),
    ],
)
def test_an_expression_is_differentiated_as_text(expression, truth):
    assert derivative(expression, "x", ("x", "y")) == truth


def test_a_partial_that_only_floats_know_says_how_to_go_on():
    with pytest.raises(TypeError, match=r"unheard_of is a function of floats.* primitive\('unheard_of'"):
        derivative("unheard_of(x)", "x", ("x",))


def test_an_operation_declared_again_has_new_slopes_and_so_has_what_is_made_of_it():
    for factor in (1.0, 2.0):
        cubed = primitive("cubed", f"{factor} * x * x * x", f"3 * {factor} * x * x if x > -9 else 0")
        made = primitive("made", "x * cubed(x)", "4 * cubed(x) / 1")
        assert nth(cubed, 3)(0.5) == 6 * factor
        assert nth(made, 2)(0.5) == 12 * factor * 0.25


def test_a_gradient_graph_can_be_refreshed():
    x = Value(0.0, label="x")
    [root] = gradients(autograd.sqrt(x), [x], create_graph=True)
    [power] = gradients(x ** Value(2.5), [x], create_graph=True)
    x.data = 4.0
    assert (root.refresh().data, power.refresh().data) == (0.25, 20.0)
    y = Value(0.5, label="y")
    [slope] = gradients(autograd.log(y), [y], create_graph=True)
    y.data = -1.0
    with pytest.raises(ValueError, match=r"log is not defined at x = -1\.0 \(label 'y'\)"):
        slope.refresh()


def test_a_gradient_graph_can_be_refreshed_where_it_was_unpickled():
    x = Value(4.0)
    pickled = pickle.dumps((x, *gradients(x**2.5, [x], create_graph=True)))
    code = f"import pickle; x, slope = pickle.loads({pickled!r}); x.data = 9.0; print(slope.refresh().data)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert result.stderr == ""
    assert float(result.stdout) == pytest.approx(2.5 * 27)


def test_slopes_have_the_infinities_of_ieee_at_poles():
    entropy = primitive("entropy", "x * log(x) if x > 0 else 0", "log(x) + 1")
    assert grad(entropy)(0.0) == -INF
    assert grad(grad(entropy))(0.0) == INF
    assert math.isnan(grad(entropy)(-1.0))


# Random compositions at special points ------------------------------------------------------------------------------

BINARY = "add sub mul div pow hypot atan2 maximum minimum".split()


def composed(rng, depth):
    """A random function of one variable."""
    kind = rng.random()
    if not depth or kind < 0.15:
        constant = rng.choice([None, None, None, 0.0, 1.0, -1.0, 2.0, 0.5, -2.0])
        return (lambda x: x) if constant is None else (lambda x: constant)
    if kind < 0.6:
        name, inner = rng.choice(UNARY), composed(rng, depth - 1)
        return lambda x: OPERATIONS[name](inner(x))
    name, left, right = rng.choice(BINARY), composed(rng, depth - 1), composed(rng, depth - 1)
    return lambda x: OPERATIONS[name](left(x), right(x))


def tried(f):
    """A number, or `error`."""
    try:
        return float(f())
    except (ArithmeticError, ValueError):
        return "error"


@pytest.mark.parametrize("seed", range(80))
def test_derivatives_of_random_compositions_are_the_same_eager_as_a_graph_and_compiled(seed):
    f = composed(random.Random(seed), 3)

    def graph(x, order):
        v = Value(x)
        slope = f(v)
        for _ in range(order):
            [slope] = gradients(slope, [v], create_graph=True) if isinstance(slope, Value) else [Value(0.0)]
        return slope.data

    for order in (1, 2):
        eager = nth(f, order)
        try:
            program = compile(eager)
        except (ArithmeticError, ValueError):  # constants without a value
            assert all(tried(lambda: eager(x)) == "error" for x in SPECIAL)  # noqa: B023
            continue
        for x in SPECIAL:
            found = [tried(lambda: eager(x)), tried(lambda: program(x)), tried(lambda: graph(x, order))]  # noqa: B023
            first, *others = found
            for other in others:
                if "error" in (first, other):
                    assert first == other, (order, x, found)
                else:  # sums are rounded in another order
                    assert same(first, other, 1e-9) or abs(first - other) < 1e-12, (order, x, found)
