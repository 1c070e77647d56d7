import math
import random

import numpy as np
import pytest

import autograd
from autograd import Value, gradcheck, primitive
from autograd.calculus.checking import numerical_derivatives


def test_agreement_is_true_and_prints_a_table():
    report = gradcheck(lambda x, y: x * autograd.tanh(y), 3.0, 2.0)
    assert report
    assert [row.argument for row in report.rows] == ["x", "y"]
    assert [row.reverse for row in report.rows] == [math.tanh(2), pytest.approx(3 * (1 - math.tanh(2) ** 2))]
    assert all(row.numeric == pytest.approx(row.reverse, rel=1e-9) for row in report.rows)
    lines = repr(report).splitlines()
    assert lines[0].split() == ["argument", "reverse", "numeric", "error"]
    assert lines[-1].startswith("2 agree; the worst: ")
    assert str(report) == repr(report)


def test_a_derivative_wrong_by_a_thousandth_is_rejected_and_named():
    wrong = primitive("wrong", "sin(x)", "1.001 * cos(x)")
    report = gradcheck(lambda x, y: x * wrong(y), 3.0, 0.7)
    assert not report
    assert report.worst.argument == "y"
    assert report.worst.error == pytest.approx(1e-3, rel=0.01)
    assert "wrong by 1.0e-03" in repr(report)
    assert "1 of 2 disagree; the worst: y" in repr(report)


@pytest.mark.parametrize("x", [1e-6, 0.7, 300.0])
@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_the_size_of_arguments_and_results_does_not_matter(x, scale):
    right = primitive("right", "log(x)", "1 / x")
    wrong = primitive("wrong", "log(x)", "0.999 / x")
    assert gradcheck(lambda x: scale * right(x), x)
    assert not gradcheck(lambda x: scale * wrong(x), x)


def test_a_wrong_sign_is_rejected():
    wrong = primitive("wrong", "cos(x)", "sin(x)")
    assert not gradcheck(wrong, 0.7)


def test_a_dropped_path_is_rejected():
    wrong = primitive("wrong", "x * y", "y", "0")
    assert not gradcheck(lambda x: wrong(x, x), 0.7)
    assert not gradcheck(lambda x: x * x.data, 0.7)


def test_a_softmax_with_a_constant_denominator_is_rejected():
    def softmax(xs):
        total = math.fsum(math.exp(x.data) for x in xs)
        return [x.exp() / total for x in xs]

    assert not gradcheck(softmax, [1.0, 2.0])
    assert gradcheck(autograd.softmax, [1.0, 2.0], order=2)


def test_a_wrong_second_derivative_is_rejected_by_order_two_alone():
    wrong = primitive("wrong", "x * x * x", "3 * x * x + 0 * x if x > 5 else 3 * floor(x) * x")
    assert gradcheck(wrong, 2.0)
    assert not gradcheck(wrong, 2.0, order=2)
    assert not gradcheck(autograd.grad(wrong), 2.0)
    right = primitive("right", "x * x * x", "3 * x * x")
    assert gradcheck(right, 2.0, order=3)


def test_arguments_of_any_shape_are_named():
    def f(p, x, *more):
        return p["w"][0] * x[1] + p["b"] + more[0]

    report = gradcheck(f, {"w": [2.0], "b": 1.0}, np.array([3.0, 4.0]), 5.0)
    assert report
    assert [row.argument for row in report.rows] == ["p['w'][0]", "p['b']", "x[0]", "x[1]", "more[0]"]
    assert [row.reverse for row in report.rows] == [4.0, 1.0, 0.0, 2.0, 1.0]


def test_every_result_is_compared():
    wrong = primitive("wrong", "x * x", "2.01 * x")
    report = gradcheck(lambda x: {"right": x * x, "wrong": [wrong(x)]}, 2.0)
    assert not report
    assert [row.argument for row in report.rows] == ["x, result 0", "x, result 1"]
    assert report.worst is report.rows[1]


def test_argnums_chooses_arguments_and_leaves_the_others_alone():
    report = gradcheck(lambda x, n: x**n, 2.0, 3, argnums=0)
    assert report
    assert [row.argument for row in report.rows] == ["x"]
    assert len(gradcheck(lambda x, y: x * y, 2.0, 3.0, argnums=(1,)).rows) == 1
    for last in (-1, (-1,), np.int64(1), [np.int8(-1)]):
        report = gradcheck(lambda x, y: x * y * y, 2.0, 3.0, argnums=last)
        assert report
        assert [(row.argument, row.reverse) for row in report.rows] == [("y", 12.0)]
    for wrong in (1.0, "0", 2, np.array([0])):
        with pytest.raises(TypeError, match="argnums"):
            gradcheck(lambda x, y: x * y, 2.0, 3.0, argnums=wrong)


@pytest.mark.parametrize(
    ("f", "x", "note"),
    [
        (autograd.relu, 0.0, "a kink: slope 0 before, 1 after"),
        (abs, 0.0, "a kink: slope -1 before, 1 after"),
        (lambda x: autograd.maximum(x, 1.0), 1.0, "a kink: slope 0 before, 1 after"),
        (lambda x: autograd.clip(x, -2.0, 3.0), 3.0, "a kink: slope 1 before, 0 after"),
        (lambda x: autograd.relu(1 - x) + x * x, 1.0, "a kink: slope 1 before, 2 after"),
        (lambda x: x * x + abs(x - 2) / 1000, 2.0, "a kink: slope 3.999 before, 4.001 after"),
        (lambda x: abs(x - 1e6), 1e6, "a kink"),
        (lambda x: 1e9 + abs(x), 0.0, "a kink"),
        (lambda x: 1e11 + autograd.relu(x), 0.0, "a kink"),
        (lambda x: autograd.maximum(x, 1.0) - 1e10, 1.0, "a kink"),
        (autograd.floor, 123.0, "a jump: 122 before, 123 here, 123 after"),
        (autograd.step, 0.0, "a jump: 0 before, 0 here, 1 after"),
        (lambda x: autograd.atan2(x, -1.0), 0.0, "a jump: -3.14"),
    ],
)
def test_kinks_and_jumps_are_disagreement_and_named(f, x, note):
    report = gradcheck(f, x)
    assert not report
    assert report.worst.note.startswith(note)
    assert "< 1e-10" not in str(report)  # by chance both methods may give the same number


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: x**3, 0.0),
        (lambda x: x**2 + x**3, 0.0),
        (lambda x: x - autograd.sin(x), 0.0),
        (lambda x: autograd.cos(x) - 1, 0.0),
        (lambda x: (x - 1) ** 3, 1.0),
        (lambda x: x * x * x - 3 * x * x + 3 * x - 1, 1.0),
        (lambda x: x * abs(x), 0.0),
        (lambda x: autograd.relu(x) ** 2, 0.0),
        (lambda x: x**3, 1e-9),
        (lambda x: x * x, 1e-20),
        (lambda x: 1 / x, 1e-9),
        (lambda x: x**-3, 1e-6),
        (autograd.tan, math.pi / 2 - 1e-6),
        (lambda x: 1 / (x - 1), 1 - 1e-12),
        (autograd.asin, 1 - 1e-14),
        (autograd.acosh, 1 + 1e-13),
        (autograd.log1p, -1 + 1e-9),
        (autograd.log1p, -1 + 1e-12),
        (autograd.sqrt, 1e-12),
        (autograd.floor, 123.4),
        (autograd.floor, -0.5),
        (abs, 1e-3),
        (autograd.relu, 1e-9),
        (lambda x: autograd.relu(x - 1e-9), 0.0),
        (lambda x: 1e11 + x * x, 1.0),
        (lambda x: (1e11 + x * x) - 1e11, 1.0),
        (lambda x: (1 + x * x) - 1, 1e-3),
        (lambda x: autograd.sigmoid(0.1 * x + 0.2 * x - 0.3), 1.0),
        (autograd.sigmoid, -50.0),
        (autograd.gelu, -10.0),
        (autograd.sin, 1e6),
        (lambda x: x * 1e-300, 1.0),
        (lambda x: x * 1e300, 1.0),
    ],
)
def test_right_derivatives_agree_where_they_are_0_near_poles_and_beside_kinks(f, x):
    report = gradcheck(f, x)
    assert report, report


@pytest.mark.parametrize(
    ("value", "partial", "context", "x"),
    [
        ("x * x", "3 * x", lambda y: 1e11 + y, 1.0),
        ("x * x", "2.002 * x", lambda y: 1e11 + y, 1.0),
        ("x * x", "2.002 * x", lambda y: y, 1.0001),
        ("x * x * x", "3 * x * x + 1e-9", lambda y: y, 0.0),
        ("x * x * x", "3.003 * x * x", lambda y: y, 1e-9),
        ("1 / x", "-1.001 / (x * x)", lambda y: y, 1e-9),
        ("1 / x", "1 / (x * x)", lambda y: y, 1e-9),
        ("x * x", "0", lambda y: 5 + y, 0.01),
        ("floor(x)", "0.001", lambda y: y, 123.4),
    ],
)
def test_wrong_derivatives_are_rejected_beside_large_constants_near_0_and_near_poles(value, partial, context, x):
    wrong = primitive("wrong", value, partial)
    report = gradcheck(lambda x: context(wrong(x)), x)
    assert not report
    assert report.worst.note.startswith("wrong by")


def test_what_rounding_hides_is_not_agreement():
    half_more = primitive("half_more", "x * x", "3 * x")
    for f in (lambda x: x * x, half_more):
        report = gradcheck(lambda x: 1e11 + 1e-5 * f(x), 1.0)  # noqa: B023
        assert not report
        assert "no numerical derivative to trust" in report.worst.note


def test_ends_of_the_domain_and_wild_functions_are_not_agreement():
    with pytest.warns(RuntimeWarning, match="inf"):
        report = gradcheck(autograd.sqrt, 0.0)
    assert not report
    assert "not defined on both sides" in report.worst.note
    rng = random.Random(0)
    noise = {}
    report = gradcheck(lambda x: x * 0.0 + noise.setdefault(x.data, rng.random()), 0.5)
    assert not report
    assert "no numerical derivative to trust" in report.worst.note


def test_a_function_of_chance_is_refused():
    rng = random.Random(0)
    with pytest.raises(ValueError, match="returns the same values whenever its arguments are the same"):
        gradcheck(lambda x: x * rng.random(), 2.0)


def test_nothing_compared_is_not_agreement():
    assert not gradcheck(lambda: 3.0)
    assert "nothing was compared" in repr(gradcheck(lambda: 3.0))


def test_a_constant_function_agrees():
    assert gradcheck(lambda x: 3.0, 2.0)
    assert gradcheck(lambda x: x * 0.0, 2.0)


def test_wrong_uses():
    with pytest.raises(ValueError, match="order is 1 for first derivatives"):
        gradcheck(abs, 1.0, order=0)
    with pytest.raises(TypeError, match="gradcheck takes a function and the arguments"):
        gradcheck(Value(2.0))
    with pytest.raises(TypeError, match="is a return statement missing"):
        gradcheck(lambda x: None, 2.0)


def test_builtin_functions_without_a_signature_have_numbered_arguments():
    assert gradcheck(max, 1.0, 2.0).rows[1].argument == "args[1]"


@pytest.mark.parametrize(
    ("f", "x", "slope"),
    [
        (math.exp, 1.0, math.e),
        (math.sin, 0.0, 1.0),
        (lambda x: math.sin(100 * x), 0.3, 100 * math.cos(30)),
        (lambda x: 1 / x, 1e-4, -1e8),
        (math.log, 1e-8, 1e8),
        (lambda x: abs(x), 0.01, 1.0),
    ],
)
def test_central_differences_find_ten_digits_and_say_so(f, x, slope):
    [found] = numerical_derivatives(lambda t: [f(t)], x, [f(x)], [0.0])
    assert found.slope == pytest.approx(slope, rel=1e-9)
    assert found.uncertainty < 1e-7 * abs(slope)
