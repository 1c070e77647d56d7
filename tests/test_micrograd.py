"""Code written for micrograd, with only its import lines changed.

What micrograd computes on its own README expression and its two test expressions was derived here by hand: each is
written a second time in plain numbers, and its slopes by the chain rule on paper.
"""

import random

import numpy as np
import pytest
from mpmath import mp, mpf

from autograd import Value
from nn import MLP, Layer, Module, Neuron

# Expressions, each for Values and for any other kind of number


def positive_part(x):
    return x.relu() if isinstance(x, Value) else max(x, mpf(0))


def readme(a, b):
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + positive_part(b + a)
    d += 3 * d + positive_part(b - a)
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    return g


def sanity(x):
    z = 2 * x + 2 + x
    q = positive_part(z) + z * x
    h = positive_part(z * z)
    return h + q + q * x


def slopes_by_differences(f, *point):
    with mp.workdps(50):
        n = len(point)
        return [float(mp.diff(f, tuple(map(mpf, point)), tuple(int(i == j) for j in range(n)))) for i in range(n)]


def test_the_readme_example_prints_the_numbers_of_the_readme():
    a, b = Value(-4.0), Value(2.0)
    g = readme(a, b)
    assert f"{g.data:.4f}" == "24.7041"
    g.backward()
    assert f"{a.grad:.4f}" == "138.8338"
    assert f"{b.grad:.4f}" == "645.5773"
    # by hand: c = -1, d = 6, e = -7, f = 49, g = 49/2 + 10/49; dg/df = 1/2 - 10/49**2
    assert g.data == 49 / 2 + 10 / 49
    assert [a.grad, b.grad] == pytest.approx(slopes_by_differences(readme, -4, 2), rel=1e-13)


def test_the_first_test_expression():
    x = Value(-4.0)
    y = sanity(x)
    y.backward()
    # z = -10, q = 40, h = 100, y = 100 + 40 - 160; dz = 3, dq = 3x + z = -22, dh = 2z * 3 = -60
    assert y.data == -20.0
    assert x.grad == -60 - 22 + (-22 * -4 + 40)
    assert x.grad == 46.0


def test_the_second_test_expression_is_the_readme_one_at_1e_6():
    a, b = Value(-4.0), Value(2.0)
    g = readme(a, b)
    g.backward()
    for got, want in zip((g.data, a.grad, b.grad), (readme(mpf(-4), mpf(2)), *slopes_by_differences(readme, -4, 2))):
        assert abs(got - want) < 1e-6


def test_every_operator_of_micrograd():
    a, b = Value(3.0), Value(-2.0)
    c = (a + b) * (a - b) / (b**2) + (-a) * 2 + 2 * b + 1 - a + 3 / a + a / 3 + sum([a, b])
    c.backward()
    # c = (a^2 - b^2) / b^2 - 2a + 2b + 1 - a + 3/a + a/3 + a + b
    assert c.data == pytest.approx((9 - 4) / 4 - 6 - 4 + 1 - 3 + 1 + 1 + 1)
    assert a.grad == pytest.approx(2 * 3 / 4 - 2 - 1 - 3 / 9 + 1 / 3 + 1)
    assert b.grad == pytest.approx(-2 * 9 / (-8) + 2 + 1)
    assert repr(a).startswith("Value(data=3.0, grad=")


# The training loop of its demo


def moons(n=60):
    rng = random.Random(7)
    angles = np.array([rng.uniform(0, np.pi) for _ in range(n)])
    upper = np.arange(n) % 2 == 0
    X = np.where(upper[:, None], np.c_[np.cos(angles), np.sin(angles)], np.c_[1 - np.cos(angles), 0.5 - np.sin(angles)])
    return X + np.array([[rng.gauss(0, 0.05) for _ in range(2)] for _ in range(n)]), np.where(upper, 1, -1)


def loss(model, X, y):
    """The hinge loss with a weight penalty, and the accuracy."""
    inputs = [list(map(Value, xrow)) for xrow in X]
    scores = list(map(model, inputs))
    losses = [(1 + -yi * scorei).relu() for yi, scorei in zip(y, scores)]
    data_loss = sum(losses) * (1.0 / len(losses))
    alpha = 1e-4
    reg_loss = alpha * sum(p * p for p in model.parameters())
    total_loss = data_loss + reg_loss
    accuracy = [(yi > 0) == (scorei.data > 0) for yi, scorei in zip(y, scores)]
    return total_loss, sum(accuracy) / len(accuracy)


def train(model, X, y, steps):
    history = []
    for k in range(steps):
        total_loss, accuracy = loss(model, X, y)
        model.zero_grad()
        total_loss.backward()
        learning_rate = 1.0 - 0.9 * k / 100
        for p in model.parameters():
            p.data -= learning_rate * p.grad
        history.append((total_loss.data, accuracy))
    return history


def train_by_hand(weights, X, y, steps):
    """The same training in matrices, with the gradient written out."""
    history = []
    for k in range(steps):
        activations = [X]
        for i, (W, b) in enumerate(weights):
            z = activations[-1] @ W.T + b
            activations.append(np.maximum(z, 0) if i < len(weights) - 1 else z)
        margin = 1 - y * activations[-1][:, 0]
        penalty = 1e-4 * sum((W**2).sum() + (b**2).sum() for W, b in weights)
        history.append((np.maximum(margin, 0).mean() + penalty, np.mean((activations[-1][:, 0] > 0) == (y > 0))))
        delta = (np.where(margin > 0, -y, 0) / len(y))[:, None]
        for i in reversed(range(len(weights))):
            W, b = weights[i]
            slopes = delta.T @ activations[i] + 2e-4 * W, delta.sum(0) + 2e-4 * b
            delta = (delta @ W) * (activations[i] > 0)
            weights[i] = tuple(p - (1.0 - 0.9 * k / 100) * slope for p, slope in zip((W, b), slopes))
    return history


def test_the_training_loop_of_the_demo_follows_the_same_training_written_in_matrices():
    X, y = moons()
    model = MLP(2, [8, 8, 1], seed=4)
    weights = [
        (
            np.array([[w.data for w in neuron.w] for neuron in layer.neurons]),
            np.array([n.b.data for n in layer.neurons]),
        )
        for layer in model.layers
    ]
    history = train(model, X, y, 30)
    by_hand = train_by_hand(weights, X, y, 30)
    assert np.array(history[:8]) == pytest.approx(np.array(by_hand[:8]), rel=1e-9)
    assert history[-1][0] < 0.5 * history[0][0]
    assert history[-1][1] > 0.85


def test_neurons_layers_and_modules_have_micrograds_names():
    model = MLP(3, [4, 4, 1])
    assert isinstance(model, Module)
    assert len(model.parameters()) == 4 * 4 + 4 * 5 + 5
    assert isinstance(model.layers[0], Layer)
    neuron = model.layers[0].neurons[0]
    assert isinstance(neuron, Neuron)
    assert (len(neuron.w), neuron.b.data) == (3, 0.0)
    out = model([1.0, 2.0, 3.0])
    out.backward()
    model.zero_grad()
    assert all(p.grad == 0.0 for p in model.parameters())
    x = [2.0, 3.0, -1.0]
    assert isinstance(Neuron(3)(x), Value)
    assert len(Layer(3, 2)(x)) == 2
    assert isinstance(MLP(2, [3, 1, 1])([1.0, 2.0]), Value)
