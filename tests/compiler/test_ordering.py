"""Parameters, gradients and examples are moved in blocks as they are one by one; large batches part by part."""

import tracemalloc
from itertools import pairwise

import numpy as np
import pytest

import autograd
from autograd import Value, gradients
from autograd.compiler.ordering import Ordering, blocks
from autograd.compiler.program import set_columns
from nn import MLP, squared_error


def biases_first(*sizes):
    """Which parameter lies at each place, where every bias lies before its weights and in `wrt` after all of them."""
    order, start = [], 0
    for n, m in pairwise(sizes):
        for row in range(m):
            order += [start + n * m + row, *range(start + n * row, start + n * (row + 1))]
        start += (n + 1) * m
    return np.array(order)


def shuffled(n, stretch):
    """Stretches of several lengths in any order."""
    rng = np.random.default_rng(n)
    parts = np.split(np.arange(n), np.sort(rng.choice(np.arange(1, n), n // stretch, replace=False)))
    return np.concatenate([parts[k] for k in rng.permutation(len(parts))])


ORDERS = {
    "a small network": biases_first(2, 8, 1),
    "a network": biases_first(64, 32, 10),
    "layers of one size": biases_first(50, 50, 50, 50),
    "backwards": np.arange(2000)[::-1],
    "halves": np.roll(np.arange(4000), 2000),
    "rows backwards": np.arange(4000).reshape(4, 1000)[::-1].ravel(),
    "a few stretches": shuffled(8000, 1000),
    "many stretches": shuffled(5000, 50),
    "any": np.random.default_rng(0).permutation(3000),
}


@pytest.mark.parametrize("name", ORDERS)
def test_parameters_come_to_their_places_and_gradients_back(name):
    order, rng = ORDERS[name], np.random.default_rng(1)
    theta, slopes, given = np.zeros(len(order)), rng.normal(size=len(order)), rng.normal(size=len(order))
    ordering = Ordering(order, blocks(order), theta, slopes)
    ordering.set(given)
    assert np.array_equal(theta, given[order])
    found = ordering.ordered()
    assert np.array_equal(found[order], slopes)
    slopes[:] = 0.0
    assert found.any()  # a new array
    assert np.array_equal(ordering.ordered(), slopes)


def test_weights_and_biases_of_a_network_are_a_block_for_each_layer():
    found = blocks(ORDERS["a network"])
    assert [(block.rows, block.n) for block in found] == [(32, 1), (32, 64), (10, 1), (10, 32)]


def test_parameters_are_moved_one_by_one_where_blocks_would_take_longer():
    assert [blocks(ORDERS[name]) for name in ("a small network", "many stretches", "any", "backwards")] == [None] * 4


def test_a_network_whose_parameters_are_moved_in_blocks_has_its_gradient():
    model, x = MLP(40, [40, 2], "tanh", seed=1), [Value(0.01 * k) for k in range(40)]
    for wrt in (model.parameters(), model.parameters()[::-1]):
        cost = squared_error(model(x), [0.1, 0.2])
        program = autograd.compile(cost, wrt=wrt)
        assert np.allclose(program.value_and_grad()[1], gradients(cost, wrt), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("shape", [(1, 1), (5, 40), (256, 40), (257, 31), (257, 32), (300, 33), (1000, 64)])
def test_examples_become_columns(shape):
    batch, columns = np.random.default_rng(0).normal(size=shape), np.full(shape[::-1], np.nan)
    set_columns(columns, batch)
    assert np.array_equal(columns, batch.T)
    set_columns(columns, np.asfortranarray(-batch)[::-1])
    assert np.array_equal(columns, -batch[::-1].T)


# Large batches, part by part


@pytest.fixture
def parts(monkeypatch):
    monkeypatch.setattr(
        "autograd.compiler.program._VALUES", 0
    )  # parts of about 256 examples, if there are more than four


def two_roots():
    w, x = [Value(0.3, "w"), Value(-0.2, "b")], [Value(1.0, "x"), Value(2.0, "y")]
    return [autograd.tanh(w[0] * x[0] + w[1]) * x[1], w[0] * x[1]], w, x


@pytest.mark.parametrize("n", [1024, 1025, 3001])
def test_a_large_batch_has_the_values_and_the_mean_gradient_of_its_parts(n, parts):
    roots, w, x = two_roots()
    batch, theta = np.random.default_rng(0).normal(size=(n, 2)), np.array([0.3, -0.2])
    slope = 1 - np.tanh(batch[:, 0] * 0.3 - 0.2) ** 2
    expected = np.tanh(batch[:, 0] * 0.3 - 0.2) * batch[:, 1]
    program = autograd.compile(roots[0], wrt=w, inputs=x)
    value, gradient = program.value_and_grad(theta, batch)
    assert value == pytest.approx(expected.mean(), rel=1e-12)
    assert gradient == pytest.approx([(slope * batch.prod(1)).mean(), (slope * batch[:, 1]).mean()], rel=1e-12)
    assert np.allclose(program.forward(theta, batch), expected, rtol=1e-13, atol=0)
    both = autograd.compile(roots, wrt=w, inputs=x).forward(theta, batch)
    assert np.allclose(both, np.stack([expected, 0.3 * batch[:, 1]], axis=-1), rtol=1e-13, atol=0)


def test_an_overflow_in_one_part_is_what_the_eager_engine_makes_of_it(parts):
    x, w = Value(1.0, "x"), Value(1.0, "w")
    program = autograd.compile(autograd.exp(w * x), wrt=[w], inputs=[x])
    batch = np.zeros((2000, 1))
    batch[1700] = 1000.0
    for run in (program.value_and_grad, program.forward):
        with pytest.raises(OverflowError):
            run([1.0], batch)
    assert program.value_and_grad([0.5], batch[:1700])[0] == pytest.approx(1.0, rel=1e-15)


def test_a_function_of_long_arrays_is_computed_in_parts(parts):
    f = autograd.compile(lambda x, y: autograd.sin(x) * y)
    x, y = np.random.default_rng(1).normal(size=(2, 2001))
    assert np.allclose(f(x, y), np.sin(x) * y, rtol=1e-14, atol=0)
    value, dx, dy = f.value_and_grad(x, y)
    assert np.allclose(value, np.sin(x) * y, rtol=1e-14, atol=0)
    assert np.allclose(dx, np.cos(x) * y, rtol=1e-14, atol=0)
    assert np.allclose(dy, np.sin(x), rtol=1e-14, atol=0)
    assert all(column.shape == (2001,) for column in (value, dx, dy))


def test_a_million_examples_take_the_memory_of_a_part():
    f = autograd.compile(lambda x: autograd.tanh(x) * x)
    x = np.linspace(-3, 3, 1_000_000)
    tracemalloc.start()
    try:
        y = f(x)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert np.allclose(y, np.tanh(x) * x, rtol=1e-14, atol=0)
    assert most < 6 * x.nbytes  # arguments, results, and one part's values
