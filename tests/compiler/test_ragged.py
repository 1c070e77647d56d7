"""Softmaxes over lists of different lengths, drawn at random, against the eager engine: arrays with holes."""

import math
import random

import numpy as np
import pytest

import autograd
from autograd import Value, gradients
from autograd.compiler import passes
from autograd.compiler.roll import Vectorizer


def drawn(rng, leaves):
    """A cost of some lists: their softmaxes, weighted, squared or mixed, or their logsumexps."""
    lengths = [rng.randint(1, 6) for _ in range(rng.randint(2, 6))]
    if rng.random() < 0.5:
        lengths = range(1, len(lengths) + 1)
    factor, pick = rng.choice([0.5, 2.0, -1.0, 0.001, 20.0]), lambda: rng.choice(leaves)
    scaled = rng.choice([lambda x: x * factor, lambda x: factor * x, lambda x: x / factor, lambda x: x])
    score = rng.choice([
        lambda: pick() * pick() + pick() * pick() + pick() * pick(),
        lambda: (pick() * pick()).tanh(),
        lambda: pick() * 0.5 + pick(),
    ])  # fmt: skip
    lists = [[scaled(score()) for _ in range(n)] for n in lengths]
    if rng.random() < 0.2:
        lists[-1].append(lists[0][0])  # an element of two lists
    read = rng.choice([
        lambda xs, ws: autograd.weighted_sum(ws, [pick() for _ in ws]),
        lambda xs, ws: autograd.sum([w * w for w in ws]),
        lambda xs, ws: sum(w * pick() for w in ws) + 0.1 * autograd.logsumexp(xs),
        lambda xs, ws: sum((k + 1.0) * w for k, w in enumerate(ws)) + 0.1 * xs[0],
        lambda xs, ws: autograd.sum(autograd.log_softmax(xs)) + ws[-1] / (1.0 + pick() ** 2),
    ])  # fmt: skip
    return autograd.sum([read(xs, autograd.softmax(xs)) ** 2 for xs in lists])


def differs(seed):
    """Whether the program of a seed differs from the eager engine, with or without passes, at two points."""
    data, n = random.Random(seed), (4, 12, 40)[seed % 3]
    points = [[data.gauss(0, 1) for _ in range(n)] for _ in range(2)]
    leaves = list(map(Value, points[0]))
    cost = drawn(random.Random(seed), leaves)
    for chosen in ((), passes.PASSES):
        with passes.only(*chosen):
            program = autograd.compile(cost, wrt=leaves)
        for point in points:
            fresh = list(map(Value, point))
            same = drawn(random.Random(seed), fresh)
            value, slope = program.value_and_grad(point)
            want = np.array(gradients(same, fresh))
            if not math.isclose(value, same.data, rel_tol=1e-11, abs_tol=1e-13):
                return True
            if not np.allclose(slope, want, rtol=1e-9, atol=1e-11 * max(1.0, np.abs(want).max())):
                return True
    return False


def test_softmaxes_of_different_lengths_are_those_of_the_eager_engine(monkeypatch):
    dug, dig = [], Vectorizer._dig
    monkeypatch.setattr(Vectorizer, "_dig", lambda self, *args: dug.append(dig(self, *args)))
    assert [seed for seed in range(60) if differs(seed)] == []
    assert len(dug) > 60  # arrays with holes


@pytest.mark.slow
def test_three_thousand_of_them():
    assert [seed for seed in range(1000, 4000) if differs(seed)] == []
