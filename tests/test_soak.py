import gc
import os
import random
import sys
import time

import pytest

import autograd
from autograd import Value, grad, gradients, hessian
from nn import MLP, SGD, hinge

SECONDS = float(os.environ.get("SOAK_SECONDS", "600"))


def one_round(model, optimizer, rng):
    """A little of everything that makes and drops nodes."""
    for _ in range(5):
        x = [rng.uniform(-1, 1), rng.uniform(-1, 1)]
        cost = autograd.mean([hinge(model(x), rng.choice([-1, 1])), hinge(model(x), 1)])
        optimizer.zero_grad()
        cost.backward()
        optimizer.step()
    leaves = [Value(rng.uniform(0.5, 2)) for _ in range(3)]
    cost = autograd.prod(leaves).log() + autograd.logsumexp(leaves) ** 2
    for slope in gradients(cost, leaves, create_graph=True):
        gradients(slope, leaves)
    hessian(lambda x: x[0] ** 3 * x[1])([rng.random(), 2.0])
    grad(lambda x: x * grad(lambda y: x * y * y)(x))(rng.random())
    with pytest.raises(ValueError, match="log is not defined"):
        autograd.log(leaves[0] * -1)


@pytest.mark.slow
def test_memory_stays_flat_for_ten_minutes():
    rng, model = random.Random(0), MLP(2, [8, 8, 1], "tanh", seed=0)
    optimizer = SGD(model.parameters(), lr=0.01)
    blocks, end = [], time.monotonic() + SECONDS
    while time.monotonic() < end or len(blocks) < 4:
        for _ in range(20):
            one_round(model, optimizer, rng)
        gc.collect()
        blocks.append(sys.getallocatedblocks())
    early, late = min(blocks[1 : len(blocks) // 2]), min(blocks[len(blocks) // 2 :])
    assert late - early < 500, (early, late)


def test_nothing_is_left_of_a_few_rounds():
    rng, model = random.Random(0), MLP(2, [4, 1], "tanh", seed=0)
    optimizer = SGD(model.parameters(), lr=0.01)
    counts = []
    for _ in range(6):
        one_round(model, optimizer, rng)
        gc.collect()
        counts.append(sum(issubclass(type(x), Value) for x in gc.get_objects()))
    assert counts[-1] == counts[1]
