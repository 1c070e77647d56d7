"""Parameters, gradients and examples are moved in blocks as they are one by one."""

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
