"""fit(backend="jax"): the losses of the NumPy backend, to rounding, and what it refuses."""

import sys

import numpy as np
import pytest

from autograd import Value
from nn import (
    MLP,
    SGD,
    Adam,
    AdamW,
    RMSprop,
    accuracy,
    cross_entropy,
    fit,
    hinge,
    l2_penalty,
    moons,
    squared_error,
)


@pytest.fixture
def jax(monkeypatch):
    module = pytest.importorskip("jax")
    module.config.update("jax_enable_x64", True)
    return module


def theta_of(model):
    return np.array([p.data for p in model.parameters()])


def on_moons(backend, optimizer=SGD, lr=0.1, epochs=6, loss=hinge, **settings):
    X, y = moons(50, seed=1)
    model = MLP(2, [8, 8, 1], seed=3)
    settings = {"batch_size": 16, "progress": False, **settings}
    moves = optimizer(model.parameters(), lr=lr)
    return model, fit(
        model, X, 2 * y - 1, loss=loss, optimizer=moves, epochs=epochs, backend=backend, **settings
    )  # fmt: skip


def same(settings):
    """Train on both; the model and the history of JAX, once all numbers agree."""
    model, history = on_moons("numpy", **settings)
    other, on_jax = on_moons("jax", **settings)
    assert on_jax.cost == pytest.approx(history.cost, rel=1e-10)
    assert theta_of(other) == pytest.approx(theta_of(model), rel=1e-8, abs=1e-10)
    return other, on_jax, history


@pytest.mark.parametrize("optimizer", [SGD, Adam, AdamW, RMSprop])
def test_moons_train_as_on_numpy(jax, optimizer):
    same({"optimizer": optimizer, "lr": 0.05})


def test_penalty_clipping_validation_metrics_and_weights_are_those_of_numpy(jax):
    settings = {
        "penalty": lambda model: l2_penalty(model.parameters(), 1e-3), "clip_norm": 0.5, "metrics": [accuracy],
        "validation": (moons(20, seed=2)[0], 2 * moons(20, seed=2)[1] - 1), "sample_weight": np.arange(50) % 3,
        "batch_size": None,
    }  # fmt: skip
    _, on_jax, history = same(settings)
    assert on_jax.validation_cost == pytest.approx(history.validation_cost, rel=1e-10)
    assert on_jax.metrics == history.metrics


def test_digits_train_as_on_numpy(jax):
    datasets = pytest.importorskip("sklearn.datasets")
    X, y = datasets.load_digits(return_X_y=True)
    costs = []
    for backend in ("numpy", "jax"):
        model = MLP(64, [32, 10], seed=0)
        moves = Adam(model.parameters(), lr=0.01)
        history = fit(
            model, X[:512] / 16, y[:512], loss=cross_entropy, optimizer=moves, epochs=4, batch_size=64,
            backend=backend, progress=False,
        )  # fmt: skip
        costs.append(history.cost)
    assert costs[1] == pytest.approx(costs[0], rel=1e-9)
    assert costs[1][-1] < 0.5 * costs[1][0]


def test_leaves_that_a_callback_changes_count_from_then_on(jax):
    costs = []
    for backend in ("numpy", "jax"):
        scale, w = Value(1.0, "scale"), MLP(1, [1], seed=0)

        def callback(epoch, history, model, scale=scale):
            scale.data += 1.0

        model = type("Scaled", (), {"parameters": lambda self, w=w: w.parameters(), "__call__": None})()
        type(model).__call__ = lambda self, x, w=w, scale=scale: w(x) * scale
        history = fit(
            model, [[0.0], [1.0]], [1.0, 2.0], loss=squared_error, optimizer=SGD(w.parameters(), lr=0.01), epochs=4,
            backend=backend, callbacks=[callback], progress=False,
        )  # fmt: skip
        costs.append(history.cost)
    assert costs[1] == pytest.approx(costs[0], rel=1e-12)


def test_an_interruption_leaves_the_last_complete_step(jax):
    def interrupt(epoch, history, model):
        if epoch == 2:
            raise KeyboardInterrupt

    model, history = on_moons("jax", epochs=50, callbacks=[interrupt])
    reached, _ = on_moons("jax", epochs=3)
    assert (len(history), history.stopped) == (3, "interrupted")
    assert (theta_of(model) == theta_of(reached)).all()


def test_a_cost_that_overflows_names_the_node_and_keeps_the_last_step(jax):
    model, seen = MLP(1, [1], seed=0), []
    with pytest.raises(OverflowError, match=r"epoch \d+, example 0: pow overflows"):
        fit(
            model, [[1.0], [2.0], [1000.0]], [1.0, 2.0, 3.0], loss=squared_error, backend="jax", epochs=100,
            optimizer=SGD(model.parameters(), lr=100.0), progress=False,
            callbacks=[lambda epoch, history, model: seen.append(theta_of(model))],
        )  # fmt: skip
    assert (theta_of(model) == seen[-1]).all()


def test_what_a_backend_cannot_do_is_refused():
    with pytest.raises(ValueError, match="there is no backend 'torch'; choose one of numpy, jax"):
        on_moons("torch")
    with pytest.raises(ValueError, match="neither compiled=False nor a client"):
        on_moons("jax", compiled=False)


def test_jax_in_32_bits_is_refused(jax):
    jax.config.update("jax_enable_x64", False)
    try:
        with pytest.raises(ValueError, match="JAX computes in 32 bits here"):
            on_moons("jax")
    finally:
        jax.config.update("jax_enable_x64", True)


def test_without_jax_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'glassgrad\[jax\]'"):
        on_moons("jax")
