"""Losses: closed forms, PyTorch's figures, stability, and targets refused."""

import functools
import inspect
import math

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
import nn
import nn.losses
from autograd import Value
from nn import (
    MLP,
    SGD,
    absolute_error,
    binary_cross_entropy,
    cross_entropy,
    fit,
    hinge,
    huber,
    l1_penalty,
    l2_penalty,
    mean_squared_error,
    moons,
    squared_error,
)

Z = [1.5, -0.25, 3.0, -2.0]
Y = [1.0, 0.5, -1.0, 0.0]
ALL = [squared_error, mean_squared_error, absolute_error, huber, hinge, binary_cross_entropy]


def gradient(loss, outputs, target):
    outputs = [Value(z) for z in outputs]
    cost = loss(outputs, target)
    cost.backward()
    return cost.data, [z.grad for z in outputs]


# Recorded from torch.nn.functional, PyTorch 2, float64
def test_losses_of_several_outputs_equal_pytorchs():
    assert mean_squared_error(Z, Y) == pytest.approx(5.203125, rel=1e-14)
    assert absolute_error(Z, Y) == pytest.approx(1.8125, rel=1e-14)
    assert huber(Z, Y) == pytest.approx(1.3515625, rel=1e-14)
    assert huber(Z, Y, delta=0.3) == pytest.approx(0.49875, rel=1e-14)


def test_binary_cross_entropy_equals_pytorchs_with_logits():
    cost, slopes = gradient(binary_cross_entropy, Z, [1.0, 0.0, 0.25, 0.0])
    assert cost == pytest.approx(0.8007170151195777, rel=1e-14)
    expected = [-0.04560638095158909, 0.10945587477855048, 0.17564353170560834, 0.029800730505529387]
    assert slopes == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize(
    ("target", "cost", "slopes"),
    [
        (
            0,
            1.7379472853126707,
            [-0.8241189360358978, 0.030563546063302003, 0.7882442420473467, 0.0053111479252493194],
        ),
        (
            2,
            0.2379472853126708,
            [0.17588106396410214, 0.030563546063302003, -0.21175575795265333, 0.0053111479252493194],
        ),
        (
            [0.1, 0.2, 0.3, 0.4],
            3.0379472853126708,
            [0.07588106396410213, -0.169436453936698, 0.4882442420473467, -0.3946888520747507],
        ),
    ],
)
def test_cross_entropy_equals_pytorchs(target, cost, slopes):
    got, gradients = gradient(cross_entropy, Z, target)
    assert got == pytest.approx(cost, rel=1e-14)
    assert gradients == pytest.approx(slopes, rel=1e-13)


def test_squared_error_is_the_textbooks_sum_over_outputs():
    cost, slopes = gradient(squared_error, [1.0, 3.0], [0.5, 1.0])
    assert cost == 0.25 + 4.0
    assert slopes == [1.0, 4.0]


def test_squared_error_of_one_output_is_the_expression_of_the_textbook():
    a = Value(0.75, label="a")
    C = squared_error(a, 0.25)
    assert (C.op, C.parents[0].op, C.parents[0].parents) == ("pow", "sub", (a,))


@pytest.mark.parametrize("loss", ALL)
def test_an_output_and_a_list_of_one_are_the_same(loss):
    assert loss(0.5, 1) == loss([0.5], [1]) == loss([0.5], 1) == loss(Value(0.5), 1).data


@pytest.mark.parametrize(("a", "y", "expected"), [(0.25, 1, 0.75), (0.25, -1, 1.25), (1.0, 1, 0.0), (3.0, 1, 0.0)])
def test_hinge_is_the_distance_to_the_margin(a, y, expected):
    assert hinge(a, y) == expected


def test_hinge_is_flat_on_the_margin():
    assert gradient(hinge, [1.0], [1]) == (0.0, [0.0])


@pytest.mark.parametrize(
    ("error", "slope"), [(0.5, 0.5), (1.0, 1.0), (7.0, 1.0), (-7.0, -1.0), (0.0, 0.0), (1e200, 1.0)]
)
def test_hubers_slope_is_the_error_clipped_to_delta(error, slope):
    cost, slopes = gradient(huber, [error], [0.0])
    assert slopes == [slope]
    assert cost == (error**2 / 2 if abs(error) <= 1 else abs(error) - 0.5)


@given(st.floats(-800, 800), st.sampled_from([0, 1]))
def test_binary_cross_entropy_is_exact_for_logits_of_any_size(z, y):
    with mpmath.workdps(400):
        exact = mpmath.log1p(mpmath.exp(-z if y else z))
        slope = 1 / (1 + mpmath.exp(-z)) - y
        cost, (got,) = gradient(binary_cross_entropy, [z], [y])
        assert cost == pytest.approx(float(exact), rel=1e-14, abs=1e-307)
        assert got == pytest.approx(float(slope), rel=1e-12, abs=1e-307)


@given(st.lists(st.floats(-1e4, 1e4), min_size=2, max_size=5), st.data())
def test_cross_entropy_is_exact_for_logits_of_any_size(z, data):
    k = data.draw(st.integers(0, len(z) - 1))
    with mpmath.workdps(60):
        others = mpmath.fsum(mpmath.exp(mpmath.mpf(x) - z[k]) for i, x in enumerate(z) if i != k)
        exact = float(mpmath.log1p(others))
    assert cross_entropy(z, k) == pytest.approx(exact, rel=1e-12, abs=1e-307)
    one_hot = [float(i == k) for i in range(len(z))]
    assert cross_entropy(z, one_hot) == pytest.approx(exact, rel=1e-12, abs=1e-12)


def test_cross_entropy_of_a_float_index_is_that_of_the_integer():
    assert cross_entropy(Z, 2.0) == cross_entropy(Z, 2)


def test_cross_entropys_gradient_is_the_probabilities_less_the_target():
    _, slopes = gradient(cross_entropy, Z, 1)
    chances = autograd.softmax(Z)
    assert slopes == pytest.approx([p - (i == 1) for i, p in enumerate(chances)], rel=1e-12)


def test_penalties():
    w = [Value(1.0), Value(-3.0)]
    l1_penalty(w, 0.5).backward()
    assert [v.grad for v in w] == [0.5, -0.5]
    autograd.zero_grad(w)
    C = l2_penalty(w, 0.5)
    C.backward()
    assert (C.data, [v.grad for v in w]) == (5.0, [1.0, -3.0])
    assert l2_penalty([], 1.0) == l1_penalty([], 1.0) == 0.0
    with pytest.raises(ValueError, match="strength is at least 0, not -1"):
        l2_penalty(w, -1)


@pytest.mark.parametrize("loss", ALL)
def test_outputs_and_targets_of_different_number_are_refused(loss):
    with pytest.raises(ValueError, match="the model returned 3 outputs but the target has 2"):
        loss([1.0, 2.0, 3.0], [1, 1])
    with pytest.raises(ValueError, match="the model returned 3 outputs but the target has 1"):
        loss([1.0, 2.0, 3.0], 1)


@pytest.mark.parametrize("loss", [*ALL, cross_entropy])
@pytest.mark.parametrize("target", ["1", None])
def test_a_target_is_a_number(loss, target):
    with pytest.raises(TypeError, match="target"):
        loss([0.5, 0.5], target if loss is cross_entropy else [target, target])


@pytest.mark.parametrize(
    ("loss", "output", "target", "message"),
    [
        (hinge, 0.5, 0, r"takes targets -1 and 1, not 0; .* 2 \* y - 1"),
        (binary_cross_entropy, 0.5, -1, r"takes targets 0 and 1 .*, not -1; .* \(y \+ 1\) / 2"),
        (binary_cross_entropy, 0.5, math.nan, "takes targets 0 and 1"),
        (cross_entropy, Z, 4, "4 logits, so the target class is one of 0 to 3, not 4"),
        (cross_entropy, Z, -1, "one of 0 to 3, not -1"),
        (cross_entropy, Z, [1.0, 1.0, 0.0, 0.0], "sum to 1"),
        (cross_entropy, Z, [1.0, 0.0], "4 outputs but the target has 2"),
        (cross_entropy, [1.0], 0, "use binary_cross_entropy"),
        (cross_entropy, 1.0, 0, "use binary_cross_entropy"),
    ],
)
def test_targets_out_of_range_are_refused(loss, output, target, message):
    with pytest.raises(ValueError, match=message):
        loss(output, target)


def test_a_fractional_class_is_refused():
    with pytest.raises(TypeError, match="the index of a class"):
        cross_entropy(Z, 1.5)


def test_hubers_delta_is_above_zero():
    with pytest.raises(ValueError, match="delta"):
        huber(1.0, 0.0, delta=0.0)


@pytest.mark.parametrize("loss", ALL)
def test_losses_can_be_traced_with_a_target_that_is_a_value(loss):
    output, target = Value(0.75), Value(1.0)
    with autograd.recording.tracing():
        cost = loss(output, target)
    assert target in cost.parents or target in autograd.core.graph.topological_order(cost)
    assert cost.data == loss(0.75, 1.0)


def test_cross_entropy_can_be_traced_with_a_one_hot_target():
    target = [Value(0.0), Value(1.0)]
    with autograd.recording.tracing():
        cost = cross_entropy([Value(0.5), Value(-1.0)], target)
    assert cost.data == pytest.approx(cross_entropy([0.5, -1.0], 1), rel=1e-15)


# Settings


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("target", [0, 2, [0.0, 0.25, 0.0, 0.75]])
def test_label_smoothing_is_cross_entropy_with_a_spread_target(smoothing, target):
    chances = target if isinstance(target, list) else [float(k == target) for k in range(4)]
    spread = [(1 - smoothing) * y + smoothing / 4 for y in chances]
    log_sum = float(mpmath.log(mpmath.fsum(mpmath.exp(z) for z in Z)))
    expected = math.fsum(y * (log_sum - z) for y, z in zip(spread, Z))
    cost, slopes = gradient(lambda a, y: cross_entropy(a, y, label_smoothing=smoothing), Z, target)
    assert cost == pytest.approx(expected, rel=1e-13)
    assert slopes == pytest.approx([math.exp(z - log_sum) - y for z, y in zip(Z, spread)], rel=1e-12)


def test_pos_weight_multiplies_the_part_of_target_1():
    loss = lambda a, y: binary_cross_entropy(a, y, pos_weight=3.0)  # noqa: E731
    assert loss(0.7, 1) == pytest.approx(3 * math.log1p(math.exp(-0.7)), rel=1e-14)
    assert loss(0.7, 0) == pytest.approx(math.log1p(math.exp(0.7)), rel=1e-14)
    assert loss(0.7, 0.25) == pytest.approx(0.25 * loss(0.7, 1) + 0.75 * loss(0.7, 0), rel=1e-14)
    assert gradient(loss, [0.7], 1)[1][0] == pytest.approx(-3 / (1 + math.exp(0.7)), rel=1e-14)


def test_settings_of_losses_compile_in_fit():
    X, y = moons(20, seed=0)
    for loss, sizes in (
        (functools.partial(cross_entropy, label_smoothing=0.1), [3, 2]),
        (functools.partial(binary_cross_entropy, pos_weight=2.0), [3, 1]),
    ):
        costs = []
        for compiled in (False, True):
            model = MLP(2, sizes, "tanh", seed=0)
            optimizer = SGD(model.parameters(), lr=0.2)
            history = fit(model, X, y, loss=loss, optimizer=optimizer, epochs=3, compiled=compiled, progress=False)
            costs.append(history.cost)
        assert costs[0] == pytest.approx(costs[1], rel=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cross_entropy([1.0, 2.0], 0, label_smoothing=1.0), "label_smoothing is a part of the target"),
        (lambda: cross_entropy([1.0, 2.0], 0, label_smoothing=-0.1), "label_smoothing is a part of the target"),
        (lambda: binary_cross_entropy(1.0, 1, pos_weight=0.0), "pos_weight is a finite number above 0"),
        (lambda: binary_cross_entropy(Value(1.0).sigmoid(), 1), "applies the sigmoid itself"),
    ],
)
def test_settings_that_cannot_be_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_every_loss_is_public_and_tested():
    losses = {
        name
        for name, function in inspect.getmembers(nn.losses, inspect.isfunction)
        if function.__module__ == "nn.losses"
        and list(inspect.signature(function).parameters)[:2] == ["output", "target"]
    } - {"pairs"}
    assert losses == {loss.__name__ for loss in (*ALL, cross_entropy)}
    for name in losses:
        assert name in nn.__all__, f"{name} is not in __all__ of nn/__init__.py"
        assert getattr(nn, name) is getattr(nn.losses, name)
