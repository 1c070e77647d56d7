"""Optimizers: PyTorch's figures after 50 steps, schedules, clipping, refusals."""

import math
import pickle

import numpy as np
import pytest

import autograd
import nn
import nn.optimizers
import nn.storage
from autograd import Value
from nn import SGD, Adam, AdamW, Optimizer, RMSprop, clip_gradient_norm, cosine_decay, linear_decay, warmup

# The parameters after 50 steps on `cost` from (0.5, -1.5, 2), by torch.optim of PyTorch 2 in float64
TORCH = [
    (SGD, {"lr": 0.01}, [1.617885452301997, -2.4765571858116675, 0.5129129260817596]),
    (SGD, {"lr": 0.01, "momentum": 0.9}, [1.6673759989164119, -2.5210160284323577, 0.7303548994132449]),
    (
        SGD,
        {"lr": 0.01, "momentum": 0.9, "nesterov": True},
        [1.6782706152967408, -2.5098248931588807, 0.6273701256699628],
    ),
    (
        SGD,
        {"lr": 0.01, "momentum": 0.8, "weight_decay": 0.1},
        [1.6365421826457032, -2.477202215994206, 0.5581988904636502],
    ),
    (
        SGD,
        {"lr": 0.01, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1},
        [1.6345635111495829, -2.4754089278640277, 0.5537526013603724],
    ),
    (RMSprop, {}, [1.6667840683196573, -2.545034753312869, 1.0772840614831143]),
    (
        RMSprop,
        {"lr": 0.02, "alpha": 0.9, "eps": 0.1, "weight_decay": 0.1, "momentum": 0.5},
        [1.6841301676614635, -2.5007043636262316, 0.7094775280881545],
    ),
    (
        RMSprop,
        {"lr": 0.02, "alpha": 0.9, "centered": True},
        [1.7421516978684866, -2.541745776664512, 0.8211992789125031],
    ),
    (Adam, {}, [0.5507338067990648, -1.5507630598959343, 1.9502180047012367]),
    (
        Adam,
        {"lr": 0.1, "betas": (0.8, 0.95), "eps": 0.01, "weight_decay": 0.1},
        [1.6253801430167056, -2.4728114266775902, 0.5526335199862807],
    ),
    (AdamW, {}, [0.5504632179185661, -1.5499900404449736, 1.9492343153000293]),
    (AdamW, {"lr": 0.1, "weight_decay": 0.5}, [1.3883339440542417, -2.0233556352542976, 0.25014571381365786]),
]


def cost(theta):
    bowl = autograd.sum(k * (t - c) ** 2 for k, t, c in zip((0.5, 2.0, 7.0), theta, (1.0, -2.0, 0.25)))
    return bowl + autograd.sum(autograd.sin(3 * t) for t in theta) + autograd.prod(theta)


def start():
    return [Value(0.5), Value(-1.5), Value(2.0)]


@pytest.mark.parametrize(("optimizer", "settings", "expected"), TORCH)
def test_fifty_steps_equal_pytorchs(optimizer, settings, expected):
    theta = start()
    optimizer = optimizer(theta, **settings)
    for _ in range(50):
        optimizer.zero_grad()
        cost(theta).backward()
        optimizer.step()
    assert [t.data for t in theta] == pytest.approx(expected, rel=1e-12, abs=1e-12)
    assert optimizer.steps == 50


@pytest.mark.parametrize(("optimizer", "settings", "expected"), TORCH)
def test_update_on_arrays_takes_the_steps_that_step_takes_on_values(optimizer, settings, expected):
    theta = np.array([t.data for t in start()])
    optimizer = optimizer(start(), **settings)
    for _ in range(50):
        leaves = [Value(t) for t in theta]
        cost(leaves).backward()
        before = theta.copy()
        after = optimizer.update(theta, np.array([t.grad for t in leaves]))
        assert (theta == before).all(), "update changed its argument"
        theta = after
    np.testing.assert_allclose(theta, expected, rtol=1e-12)


def test_a_rule_of_your_own_is_a_pure_function():
    class SignDescent(Optimizer):
        def rule(self, theta, g, state, lr, t):
            return theta - lr * np.sign(g), {}

    w = Value(1.0)
    optimizer = SignDescent([w], lr=0.25)
    w.grad = 100.0
    optimizer.step()
    assert w.data == 0.75
    with pytest.raises(NotImplementedError, match="needs a rule"):
        Optimizer([w], lr=0.1).step()


def test_a_learning_rate_may_be_a_function_of_the_step_counted_from_zero():
    w = Value(0.0)
    seen = []
    optimizer = SGD([w], lr=lambda step: seen.append(step) or 10.0**-step)
    for _ in range(3):
        w.grad = -1.0
        optimizer.step()
    assert seen == [0, 1, 2]
    assert w.data == pytest.approx(1.11, rel=1e-15)


def test_schedules_and_rates_may_come_from_numpy():
    w = Value(0.0)
    w.grad = -1.0
    SGD([w], lr=lambda step: np.float32(0.5)).step()
    assert w.data == 0.5
    n = np.int64(4)
    assert [linear_decay(1.0, n)(2), cosine_decay(1.0, n)(4), warmup(1.0, n)(1)] == [0.5, 0.0, 0.5]


def test_a_learning_rate_may_be_changed_between_steps():
    w = Value(0.0)
    optimizer = SGD([w], lr=1.0)
    w.grad = -1.0
    optimizer.step()
    optimizer.lr = 0.5
    optimizer.step()
    assert w.data == 1.5


def test_schedules():
    linear, cosine = linear_decay(1.0, 10, end=0.5), cosine_decay(0.8, 10, end=0.2)
    assert [linear(step) for step in (0, 5, 10, 99)] == pytest.approx([1.0, 0.75, 0.5, 0.5])
    assert [cosine(step) for step in (0, 5, 10, 99)] == pytest.approx([0.8, 0.5, 0.2, 0.2])
    assert cosine(2) == pytest.approx(0.2 + 0.3 * (1 + math.cos(math.pi / 5)))
    ramp = warmup(linear_decay(1.0, 100), 4)
    assert [ramp(step) for step in range(5)] == pytest.approx([0.25, 0.5 * 0.99, 0.75 * 0.98, 0.97, 0.96])


@pytest.mark.parametrize("make", [linear_decay, cosine_decay])
def test_impossible_schedules_are_refused(make):
    with pytest.raises(ValueError, match="whole number of steps"):
        make(0.1, 0)
    with pytest.raises(ValueError, match=r"lr is a finite number of at least 0, not -1"):
        make(-1, 10)
    with pytest.raises(ValueError, match="whole number of steps"):
        warmup(0.1, 0)


def test_clipping_scales_a_long_gradient_to_the_limit_and_returns_its_norm():
    theta = start()
    for parameter, slope in zip(theta, (2.0, -3.0, 6.0)):
        parameter.grad = slope
    assert clip_gradient_norm(theta, 3.5) == 7.0
    assert [t.grad for t in theta] == pytest.approx([1.0, -1.5, 3.0], rel=1e-15)
    assert clip_gradient_norm(theta, 10.0) == pytest.approx(3.5)
    assert [t.grad for t in theta] == pytest.approx([1.0, -1.5, 3.0], rel=1e-15)


def test_clipping_a_gradient_of_zero_leaves_it():
    w = Value(1.0)
    assert (clip_gradient_norm([w], 1.0), w.grad) == (0.0, 0.0)


def test_clipping_does_not_overflow():
    w, b = Value(0.0), Value(0.0)
    w.grad = b.grad = 1e200
    clip_gradient_norm([w, b], 1.0)
    assert w.grad == pytest.approx(math.sqrt(0.5), rel=1e-15)


def test_clipping_refuses_what_has_no_norm():
    w = Value(1.0)
    w.grad = math.inf
    with pytest.raises(ValueError, match="norm is inf"):
        clip_gradient_norm([w], 1.0)
    with pytest.raises(ValueError, match="above 0, not 0"):
        clip_gradient_norm([w], 0)


def test_a_step_that_overflows_names_the_parameter_and_changes_nothing():
    w, b = Value(1e308, label="w"), Value(1.0, label="b")
    optimizer = SGD([b, w], lr=1.0, momentum=0.9)
    b.grad, w.grad = 1.0, -1e308
    with pytest.raises(OverflowError, match=r"step 0 would make the parameter w inf, .* smaller lr"):
        optimizer.step()
    assert (b.data, w.data, optimizer.steps, optimizer.state) == (1.0, 1e308, 0, {})


@pytest.mark.parametrize("optimizer", [SGD, RMSprop, Adam, AdamW])
def test_what_cannot_be_moved_is_refused(optimizer):
    w = Value(1.0)
    with pytest.raises(TypeError, match=r"as in model.parameters\(\), not Value"):
        optimizer(w)
    with pytest.raises(TypeError, match=r"but it holds 1\.0"):
        optimizer([w, 1.0])
    with pytest.raises(ValueError, match="the list is empty"):
        optimizer([])
    with pytest.raises(ValueError, match="computed from other Values"):
        optimizer([w * 2])
    with pytest.raises(ValueError, match="occurs twice"):
        optimizer([w, w])
    with pytest.raises(ValueError, match=r"lr is a finite number of at least 0"):
        optimizer([w], lr=-0.1)
    with pytest.raises(TypeError, match=r"lr is a number, not '0.1'"):
        optimizer([w], lr="0.1")


def test_impossible_settings_are_refused():
    w = [Value(1.0)]
    with pytest.raises(ValueError, match="needs a momentum above 0"):
        SGD(w, nesterov=True)
    with pytest.raises(ValueError, match=r"betas\[1\] is a rate of forgetting"):
        Adam(w, betas=(0.9, 1.0))
    with pytest.raises(ValueError, match="momentum is a finite number"):
        SGD(w, momentum=-1)
    with pytest.raises(ValueError, match="weight_decay is a finite number"):
        AdamW(w, weight_decay=math.inf)
    with pytest.raises(ValueError, match="learning rate of step 0 came out as 'a'"):
        SGD(w, lr=lambda step: "a").step()  # type: ignore[arg-type,return-value]


def test_a_repr_names_the_settings():
    assert repr(SGD([Value(1.0)], lr=0.1)) == (
        "SGD(1 parameters, lr=0.1, momentum=0.0, nesterov=False, weight_decay=0.0)"
    )


# What is given later, and what is kept


@pytest.mark.parametrize("seen", [True, False], ids=["flags", "no flags"])
@pytest.mark.parametrize("kind", [Adam, AdamW, RMSprop])
def test_a_gradient_whose_square_overflows_is_an_error_and_changes_nothing(kind, seen, monkeypatch):
    if not seen:  # as in WebAssembly
        monkeypatch.setattr("autograd.compiler.guards.SAYS_ERRORS", False)
        monkeypatch.setattr(np, "errstate", lambda errstate=np.errstate, **given: errstate(all="ignore"))
    p = Value(1.0, label="p")
    optimizer = kind([p], lr=0.1)
    p.grad = 1.0
    optimizer.step()
    before, state = p.data, {name: x.tolist() for name, x in optimizer.state.items()}
    p.grad = 1e160
    with pytest.raises(OverflowError, match=r"step 1 would make the .*clip the gradient"):
        optimizer.step()
    assert (p.data, optimizer.steps) == (before, 1)
    assert {name: x.tolist() for name, x in optimizer.state.items()} == state
    p.grad = 1.0
    optimizer.step()
    assert p.data < before


@pytest.mark.parametrize(
    ("lr", "error"), [(-0.1, ValueError), ("0.1", TypeError), (math.nan, ValueError), (lambda step: -0.1, ValueError)]
)
def test_a_learning_rate_that_is_assigned_later_is_checked(lr, error):
    p = Value(1.0)
    optimizer = SGD([p], lr=0.1)
    optimizer.lr, p.grad = lr, 1.0
    with pytest.raises(error, match=r"lr|learning rate"):
        optimizer.step()
    assert p.data == 1.0


def test_other_settings_are_checked_when_they_are_assigned():
    optimizer = Adam([Value(1.0)])
    for name, bad in (("eps", -1.0), ("weight_decay", "0.1"), ("betas", (0.9, 1.0)), ("betas", 0.9)):
        before = getattr(optimizer, name)
        with pytest.raises((TypeError, ValueError), match=name):
            setattr(optimizer, name, bad)
        assert getattr(optimizer, name) == before


@pytest.mark.parametrize(
    "schedule", [cosine_decay(0.1, 10), linear_decay(0.1, 10, end=0.01), warmup(0.1, 3), warmup(cosine_decay(1, 5), 2)]
)
def test_an_optimizer_with_a_schedule_pickles(schedule):
    twin = pickle.loads(pickle.dumps(Adam([Value(1.0)], lr=schedule)))
    assert twin.lr == schedule
    assert [twin.lr(step) for step in range(12)] == [schedule(step) for step in range(12)]


def test_every_optimizer_is_public_and_compared():
    optimizers = {
        kind for kind in vars(nn.optimizers).values() if isinstance(kind, type) and issubclass(kind, Optimizer)
    } - {Optimizer}
    assert optimizers == {kind for kind, _, _ in TORCH}
    for kind in optimizers:
        assert nn.storage.OPTIMIZERS.get(kind.__name__) is kind, f"{kind.__name__} is not in nn.storage.OPTIMIZERS"
        assert kind.__name__ in nn.__all__, f"{kind.__name__} is not in __all__ of nn/__init__.py"
        assert getattr(nn, kind.__name__) is kind
