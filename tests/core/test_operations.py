"""The functions that users call: sum in place of Python's, softmax whatever its operands have in common, primitive."""

import fractions
import math
import random

import numpy as np
import pytest
from mpmath import mp, mpf

import autograd
from autograd import Value, gradients, log_softmax, logsumexp, primitive, softmax
from autograd import sum as total
from autograd.core import floats
from autograd.core.table import ATOMS


@pytest.mark.parametrize("offset", [0.0, 1.0, -40.0, 1e3, 1e6, -1e9, 1e9, 1e12])
def test_softmax_and_the_slopes_of_logsumexp_keep_their_digits_at_any_common_offset(offset):
    rng = random.Random(7)
    for _ in range(20):
        xs = [offset + rng.choice([rng.uniform(-3, 3), rng.randrange(-5, 6), -30.0]) for _ in range(5)]
        with mp.workdps(60):
            powers = [mp.exp(mpf(x) - mpf(max(xs))) for x in xs]
            truth = [float(p / mp.fsum(powers)) for p in powers]
            logs = [float(mp.log(p / mp.fsum(powers))) for p in powers]
        values = [Value(x) for x in xs]
        assert softmax(xs) == pytest.approx(truth, rel=1e-13, abs=0)
        assert [p.data for p in softmax(values)] == pytest.approx(truth, rel=1e-13, abs=0)
        assert gradients(logsumexp(values), values) == pytest.approx(truth, rel=1e-13, abs=0)
        assert log_softmax(xs) == pytest.approx(logs, rel=1e-13, abs=1e-16)
        for k, p in enumerate(softmax(values)):
            want = [truth[k] * ((i == k) - truth[i]) for i in range(5)]
            assert gradients(p, values) == pytest.approx(want, rel=1e-12, abs=1e-16)
        for k, p in enumerate(log_softmax(values)):
            assert gradients(p, values) == pytest.approx([(i == k) - truth[i] for i in range(5)], rel=1e-12, abs=1e-15)


def test_errors_of_softmax_name_it():
    for name in ("softmax", "log_softmax"):
        for wrong in (["a"], [[1.0]], [None, 1.0]):
            with pytest.raises(TypeError, match=f"^{name} takes one real number"):
                getattr(autograd, name)(wrong)
        with pytest.raises(ValueError, match=f"^{name} of nothing"):
            getattr(autograd, name)([])


def test_softmax_of_equal_logits_is_equal_and_of_masked_ones_exact():
    assert softmax([1e17, 1e17]) == [0.5, 0.5]
    assert softmax([-1e9, 0.0, 1.0]) == [0.0, *softmax([0.0, 1.0])]
    assert math.fsum(softmax([1e9, 1e9 + 1])) == pytest.approx(1, rel=1e-15)
    for function in (softmax, log_softmax):
        with pytest.raises(ValueError, match="of nothing has no value"):
            function([])
        with pytest.raises(TypeError, match="takes one iterable of Values or numbers"):
            function(1.0)


def test_logsumexp_at_infinities_and_with_one_dominating_term():
    assert logsumexp([-math.inf, math.inf]) == logsumexp([math.inf, 1.0]) == math.inf
    assert logsumexp([-math.inf, -math.inf]) == -math.inf
    assert math.isnan(logsumexp([math.inf, math.nan]))
    assert logsumexp([0.0, -40.0]) == np.logaddexp(0.0, -40.0) == autograd.logaddexp(0.0, -40.0)
    assert autograd.logaddexp(math.inf, math.inf) == math.inf
    assert autograd.logaddexp(-math.inf, -math.inf) == -math.inf


@pytest.mark.parametrize(
    ("name", "operands"),
    [
        ("floor", [-0.0]), ("ceil", [-0.5]), ("ceil", [-0.0]), ("trunc", [-0.5]), ("sum", [[-0.0, -0.0]]),
        ("weighted_sum", [[-0.0], [1.0], -0.0]), ("mean", [[-0.0, -0.0]]), ("sign", [-0.0]), ("prod", [[-0.0, 1.0]]),
    ],
)  # fmt: skip
def test_zeros_keep_the_sign_that_ieee_754_gives_them(name, operands):
    f = autograd.OPERATIONS[name]
    values = [[Value(x) for x in xs] if isinstance(xs, list) else Value(xs) for xs in operands]
    assert str(f(*operands)) == str(f(*values).data) == "-0.0"


def test_sums_of_zeros_of_both_signs_are_positive():
    for xs in ([0.0, -0.0], [-0.0, 0.0], [1.0, -1.0], [-1.0, 1.0, -0.0]):
        assert str(total(xs)) == str(total([Value(x) for x in xs]).data) == "0.0"
    assert str(autograd.weighted_sum([-0.0], [1.0])) == "0.0"  # the bias, 0.0, is one of the terms


def test_the_remainder_has_pythons_sign_and_jumps_where_its_quotient_is_whole():
    for x, y in ((5.5, 3.0), (-5.5, 3.0), (5.5, -3.0), (1.0, 0.1), (0.3, 0.1)):
        node = Value(x) % Value(y)
        assert node.data == x % y
        assert node.partials == (1.0, -math.floor(fractions.Fraction(x) / fractions.Fraction(y)))
        assert (7.0 % Value(y)).data == 7.0 % y
    with pytest.raises(ZeroDivisionError, match=r"mod divides by zero at x = 1\.0, y = 0\.0"):
        Value(1.0) % 0


def test_sum_serves_in_place_of_pythons():
    x = Value(2.0)
    assert total([x, 1.0], start=3).operands == (3.0, x, 1.0)
    assert total([1.0], x).parents == (x,)
    assert (total([1, 2]), type(total([1, True]))) == (3, int)
    assert total([0.1] * 10) == 1.0
    assert (total([]), total([], 5), total([], 0.5)) == (0.0, 5, 0.5)
    assert total([[1], [2]], []) == [1, 2]
    assert total([fractions.Fraction(1, 3)] * 3) == 1
    assert total([np.array([1.0, 2.0]), np.array([3.0, 4.0])]).tolist() == [4.0, 6.0]
    assert [v.data for v in total(np.array([[x, x], [x, 3.0]]))] == [4.0, 5.0]
    for wrong in (["a", "b"], [None], [1.0, [2.0]], [x, "a"]):
        with pytest.raises(TypeError, match="sum takes one real number"):
            total(wrong)


# Operations of functions


def digamma(x):
    return float(mp.digamma(x))


def test_an_operation_of_functions_of_floats():
    log_gamma = primitive("log_gamma", math.lgamma, digamma, note="log of the gamma function")
    x = Value(2.5)
    assert (log_gamma(2.5), x.log_gamma().partials) == (math.lgamma(2.5), (digamma(2.5),))
    assert autograd.gradcheck(log_gamma, 2.5)
    assert autograd.grad(lambda x: log_gamma(x * x))(1.5) == pytest.approx(3 * digamma(2.25), rel=1e-14)
    with pytest.raises(ValueError, match=r"log_gamma is not defined at x = -1\.0"):
        log_gamma(-1)
    with pytest.raises(TypeError, match="declare it as an operation of its own"):
        gradients(gradients(log_gamma(x) * x, [x], create_graph=True)[0], [x], create_graph=True)


def test_a_partial_that_is_an_operation_itself_can_be_differentiated_again():
    psi1 = lambda x: float(mp.psi(1, x))  # noqa: E731
    di = primitive("di_gamma", digamma, psi1)
    log_gamma = primitive("log_gamma", math.lgamma, di)
    assert autograd.grad(autograd.grad(log_gamma))(2.5) == pytest.approx(psi1(2.5), rel=1e-14)
    scaled = primitive("scaled", lambda x, slope: slope * x, "slope", lambda x, slope: x, operands="x, slope=2.0")
    assert scaled(Value(3.0)).partials == (2.0,)
    assert scaled(3.0, 5.0) == 15.0


# What is refused


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("mine", "1 / 0 * x", "1"), {}, r"'1 / 0' in '1 / 0 \* x' has no value"),
        (("mine", "log(-1) * x", "1"), {}, "has no value"),
        (("mine", "x + 9 ** 9 ** 9 ** 9", "1"), {}, "has no value"),
        (("mine", "x", "(-8) ** (1 / 3)"), {}, "has no value"),
        (("mine", "1" + "0" * 400 + " * x", "1"), {}, "has no value|is inf"),
        (("mine", "1" + "0" * 5000 + " * x", "1"), {}, "is not an expression"),
        (("mine", "1e999 * x", "1"), {}, "is inf, not a finite number"),
        (("mine", "(" * 300 + "x" + ")" * 300, "1"), {}, "is not an expression"),
        (("mine", "+".join(["x"] * 9000), "1"), {}, "is not an expression"),
        (("mine", "slope * x", "slope", "x"), {"operands": "x, slope=inf"}, "the default inf of slope is not a finite"),
        (("mine", "slope * x", "slope", "x"), {"operands": "x, slope=nan"}, "the default nan of slope is not a finite"),
        (("mine", "slope * x", "slope", "x"), {"operands": "slope=1.0, x"}, "a default stands before one without"),
        (("mine", "\ud800", "1"), {}, "is not an expression"),
        (("mineʹx", "x", "1"), {}, "cannot name an operation"),
    ],
)
def test_constants_without_a_value_are_refused_at_once_and_leave_nothing_behind(arguments, options, message):
    before = dict(autograd.PRIMITIVES), dict(ATOMS), dict(floats.VALUES), dir(Value)
    with pytest.raises(ValueError, match=message):
        primitive(*arguments, **options)
    assert (dict(autograd.PRIMITIVES), dict(ATOMS), dict(floats.VALUES), dir(Value)) == before
    assert primitive("mine", "2 * x", "2")(3.0) == 6.0


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda: 1.0, "called with floats, its operands x, which .* does not take: too many positional"),
        (math.comb, "missing a required argument"),
        (lambda x: None, "mine takes one real number"),
        (lambda x: [x], "mine takes one real number"),
        (lambda x: "1.5", "mine takes one real number"),
        (lambda x: x + 1j, "complex numbers are not supported"),
    ],
)
def test_functions_that_give_no_number_are_refused_and_the_operation_before_stays(function, message):
    old = primitive("mine", math.lgamma, digamma)
    before = dict(autograd.PRIMITIVES), dir(Value)
    with pytest.raises(TypeError, match=message):
        primitive("mine", function, "1")
    assert (dict(autograd.PRIMITIVES), dir(Value)) == before
    assert (old(2.5), Value(2.5).mine().partials) == (math.lgamma(2.5), (digamma(2.5),))
    with pytest.raises(TypeError, match="mine_slope_x takes one real number"):
        primitive("mine", "x", function if message.startswith("mine") else lambda x: None)(Value(1.0))


def test_a_function_may_raise_what_it_likes_outside_its_domain():
    entries = primitive("entries", lambda x: {3.0: 9.0}[x], lambda x: 6.0)
    assert (entries(Value(3.0)).data, entries(Value(3.0)).partials) == (9.0, (6.0,))
    with pytest.raises(KeyError):
        entries(0.5)


def test_constants_are_folded_as_numbers():
    x = Value(3.0)
    assert primitive("f06", "(-2) ** 2 * x", "(-2) ** 2")(x).data == 12.0
    squared = primitive("s06", "slope ** 2 * x", "slope ** 2", "2 * slope * x", operands="x, slope=-2.0")
    assert (squared(x).data, squared(x).partials) == (12.0, (4.0,))
    assert primitive("q06", "x ** 2 + y", "2 * x", "1")(-3.0, x).data == 12.0


def test_an_operation_of_ones_own_keeps_its_words_when_another_one_is_declared():
    first = primitive("own_first", math.lgamma, lambda x: 0.42)
    primitive("own_second", math.lgamma, lambda x: 0.42)
    x = Value(3.0)
    assert first(x).data == math.lgamma(3.0)
    assert first(x).partials == (0.42,)


@pytest.mark.parametrize("masked", [np.ma.masked, np.ma.array(-999.0, mask=True)])
def test_a_masked_number_after_values_is_refused(masked):
    v, w = Value(2.0), Value(3.0)
    calls = (
        lambda: autograd.mean([v, masked, w]),
        lambda: autograd.prod([v, masked]),
        lambda: logsumexp([v, w, masked]),
        lambda: softmax([v, masked]),
        lambda: autograd.weighted_sum([v, w], [v, masked], w),
        lambda: autograd.weighted_sum([v, masked], [v, w], w),
    )
    for call in calls:
        with pytest.raises(TypeError, match=r"(?s)takes one real number.*masked"):
            call()


def test_a_number_in_an_array_that_could_be_masked_is_that_number():
    v, w, two = Value(2.0), Value(3.0), np.ma.array(2.0)
    s = autograd.mean([v, two, w])
    assert (s.data, s.parents, s.operands) == (7 / 3, (v, w), (v, 2.0, w))
    z = autograd.weighted_sum([v, w], [w, two], v)
    assert (z.data, z.parents) == (2 * 3 + 3 * 2 + 2, (v, w, w, v))
    assert gradients(z, [v, w]) == [4.0, 4.0]
