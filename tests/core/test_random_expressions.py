"""Random expressions over all operations: value, gradient and Hessian against mpmath's fifty digits."""

import random

import pytest
from conftest import DECLARED
from mpmath import mp, mpf
from oracles import ORACLES

from autograd import Value, gradients
from autograd.core.value import OPERATIONS

LEAVES, NODES, OPERANDS_OF_MANY = 3, 8, 3
BLOCK, BLOCKS, SLOW_BLOCKS = 50, 10, 200  # 500 expressions by default, 10,000 with the slow ones
TOLERANCE = 1e-11


class Expression:
    """A list of operations on leaves, constants and earlier results; it can be computed in any kind of number.

    Each step is (name, operands), an operand the position of an earlier result or a float. Steps are drawn such that
    neither a kink nor a pole is near, because there the floats' own rounding decides about the result.
    """

    def __init__(self, seed):
        rng = random.Random(seed)
        self.point = [rng.uniform(-2, 2) for _ in range(LEAVES)]
        self.steps = []
        values = [Value(x) for x in self.point]
        while len(self.steps) < NODES:
            name = rng.choice(list(DECLARED))
            operands = self.draw(rng, name, len(values))
            try:
                node = self.apply(name, operands, values)
            except (ArithmeticError, ValueError):
                continue
            data = [values[x].data if isinstance(x, int) else x for x in operands]
            if isinstance(node, Value) and is_tame(node) and not near_kink(name, data):
                self.steps.append((name, operands))
                values.append(node)

    def draw(self, rng, name, n):
        """Operands: mostly recent results, sometimes a number."""
        row = DECLARED[name]
        count = sum(OPERANDS_OF_MANY if x in row.lists else 1 for x in row.operands)
        operands = [rng.choice([rng.randrange(n), n - 1, rng.randrange(n), rng.uniform(-2, 2)]) for _ in range(count)]
        if name == "pow" and rng.random() < 0.5:
            operands[1] = rng.choice([0.0, 1.0, 2.0, 3.0, -1.0, -2.0])
        return operands

    def apply(self, name, operands, values):
        """One operation of ours."""
        row, waiting = DECLARED[name], iter(values[x] if isinstance(x, int) else x for x in operands)
        count = dict.fromkeys(row.lists, OPERANDS_OF_MANY)
        return OPERATIONS[name](
            *[[next(waiting) for _ in range(count[x])] if x in count else next(waiting) for x in row.operands]
        )

    def in_values(self):
        """(leaves, cost)."""
        values = [Value(x) for x in self.point]
        for name, operands in self.steps:
            values.append(self.apply(name, operands, values))
        return values[:LEAVES], values[-1]

    def __call__(self, *point):
        """The truth."""
        values = list(point)
        for name, operands in self.steps:
            values.append(ORACLES[name](*[values[x] if isinstance(x, int) else mpf(x) for x in operands]))
        return values[-1]

    def true_derivative(self, *order):
        return mp.diff(self, tuple(map(mpf, self.point)), order)


def is_tame(node):
    """Whether a result and its slopes exist and are moderate, so that rounding stays far below the tolerance."""
    return abs(node.data) < 20 and all(abs(partial) < 50 for partial in node.partials)


def near_kink(name, data):
    distances = {
        **dict.fromkeys(["abs", "relu", "leaky_relu", "elu", "softsign", "sign", "step"], lambda x, *_: abs(x)),
        **dict.fromkeys(["floor", "ceil"], lambda x: abs(x - round(x))),
        **dict.fromkeys(["maximum", "minimum"], lambda x, y: abs(x - y)),
        **dict.fromkeys(["hypot", "atan2"], lambda x, y: min(max(abs(x), abs(y)), abs(x) if y < 0 else 1)),
        "clip": lambda x, low, high: min(abs(x - low), abs(x - high), abs(low - high)),
        "where": lambda condition, x, y: abs(condition),
        "pow": lambda x, y: max(x, 0.0) if y % 1 else abs(x),  # d/dy needs a positive base
        "sqrt": abs,
        "log": abs,
        "div": lambda x, y: abs(y),
    }
    return name in distances and distances[name](*data) < 0.05


def agree(got, want):
    return abs(got - want) <= TOLERANCE * max(1, abs(want))


@pytest.mark.parametrize(
    "block", [*range(BLOCKS), *(pytest.param(b, marks=pytest.mark.slow) for b in range(BLOCKS, SLOW_BLOCKS))]
)
def test_random_expressions_agree_with_fifty_digits(block):
    for seed in range(block * BLOCK, (block + 1) * BLOCK):
        expression = Expression(seed)
        leaves, cost = expression.in_values()
        with mp.workdps(50):
            assert agree(cost.data, expression(*map(mpf, expression.point))), (seed, expression.steps)
            slopes = gradients(cost, leaves)
            for i, slope in enumerate(slopes):
                want = expression.true_derivative(*[int(i == k) for k in range(LEAVES)])
                assert agree(slope, want), (seed, i, slope, want, expression.steps)
            if seed % 10 == 0:
                for i, graph in enumerate(gradients(cost, leaves, create_graph=True)):
                    assert agree(graph.data, slopes[i])
                    for j, curvature in enumerate(gradients(graph, leaves)):
                        want = expression.true_derivative(*[(i == k) + (j == k) for k in range(LEAVES)])
                        assert agree(curvature, want), (seed, i, j, curvature, want, expression.steps)


def test_random_expressions_use_every_operation():
    used = {name for seed in range(BLOCK * BLOCKS) for name, _ in Expression(seed).steps}
    assert used == set(DECLARED)
