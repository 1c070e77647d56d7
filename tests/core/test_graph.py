import itertools
import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Value, weighted_sum, zero_grad
from autograd.core.graph import backpropagate, push_forward, topological_order

OPERATIONS = [
    lambda x, y, z: x * y,
    lambda x, y, z: x - y,
    lambda x, y, z: x.tanh(),
    lambda x, y, z: weighted_sum([x], [y], z),
]


def random_graph(seed, n_leaves=3, n_nodes=8):
    """Leaves, and nodes that combine two or three earlier nodes, repeats included."""
    rng = random.Random(seed)
    nodes = [Value(rng.uniform(-2, 2)) for _ in range(n_leaves)]
    for _ in range(n_nodes):
        x, y, z = (rng.choice(nodes) for _ in range(3))
        nodes.append(rng.choice(OPERATIONS)(x, y, z))
    return nodes


def sum_over_paths(cost, node):
    """d cost / d node by the definition: every path, the product of its partials."""
    if cost is node:
        return 1.0
    return sum(partial * sum_over_paths(parent, node) for parent, partial in zip(cost.parents, cost.partials))


def test_parents_come_before_the_nodes_computed_from_them_each_once():
    nodes = random_graph(1)
    order = topological_order(nodes[-1])
    assert len(set(order)) == len(order)
    assert order[-1] is nodes[-1]
    for node in order:
        assert all(order.index(parent) < order.index(node) for parent in node.parents)


def test_order_of_several_costs_is_the_union():
    x = Value(1.0)
    a, b = x + 1, x * 2
    assert set(topological_order(a, b)) == {x, a, b}
    assert topological_order(a, a, x) == [x, a]
    assert topological_order() == []
    assert topological_order(x) == [x]


def test_order_is_the_same_every_time():
    nodes = random_graph(2)
    assert topological_order(nodes[-1]) == topological_order(nodes[-1])


def test_gradient_sums_over_both_paths_of_a_diamond():
    x = Value(3.0)
    left, right = x * 2, x * 5
    gradient = backpropagate(left * right)
    assert gradient[x] == 2 * right.data + 5 * left.data
    assert gradient[left] == right.data


def test_a_repeated_parent_is_counted_twice():
    x = Value(3.0)
    assert backpropagate(x * x)[x] == 6.0
    assert backpropagate(x * x * x)[x] == 27.0
    assert backpropagate(weighted_sum([x, x], [x, x], x))[x] == 13.0


def test_gradients_come_in_topological_order_with_the_cost_last():
    nodes = random_graph(3)
    gradient = backpropagate(nodes[-1])
    assert list(gradient) == topological_order(nodes[-1])
    assert gradient[nodes[-1]] == 1.0


def test_a_constant_cost_has_no_other_gradient():
    x = Value(3.0)
    assert backpropagate(x) == {x: 1.0}


def test_a_gradient_of_zero_times_an_infinite_slope_is_nan():
    x = Value(0.0)
    assert math.isnan(backpropagate(x.sqrt() * 0.0)[x])


def test_two_hundred_doublings_give_two_to_the_two_hundred_at_once():
    x = out = Value(1.0)
    for _ in range(200):
        out = out + out
    assert backpropagate(out)[x] == 2.0**200


@given(st.integers(0, 10**6))
def test_gradient_of_a_random_graph_is_the_sum_over_its_paths(seed):
    nodes = random_graph(seed)
    gradient = backpropagate(nodes[-1])
    for node in gradient:
        assert gradient[node] == pytest.approx(sum_over_paths(nodes[-1], node), rel=1e-9, abs=1e-9)


@given(st.integers(0, 10**6))
def test_forward_and_backward_mode_agree_on_a_random_graph(seed):
    nodes = random_graph(seed)
    order = topological_order(nodes[-1])
    gradient = backpropagate(nodes[-1])
    for leaf in (node for node in order if not node.op):
        tangent = {leaf: 1.0}
        push_forward(order, tangent)
        assert tangent[nodes[-1]] == pytest.approx(gradient[leaf], rel=1e-9, abs=1e-9)


def test_push_forward_reaches_only_what_depends_on_the_moving_leaves():
    x, y = Value(2.0), Value(3.0)
    square, other = x * x, y * y
    total = square + other
    tangent = {x: 10.0}
    push_forward(topological_order(total), tangent)
    assert tangent == {x: 10.0, square: 40.0, total: 40.0}


def test_the_walk_visits_each_edge_once():
    class Node:
        """Counts how often it is asked for its edges."""

        def __init__(self, *parents):
            self._parents = parents
            self.asked = Counter()

        @property
        def parents(self):
            self.asked["parents"] += 1
            return self._parents

        @property
        def partials(self):
            self.asked["partials"] += 1
            return tuple(1.0 for _ in self._parents)

    layers = [[Node() for _ in range(5)]]
    for _ in range(6):
        layers.append([Node(*layers[-1]) for _ in range(5)])
    cost = Node(*layers[-1])
    gradient = backpropagate(cost)
    assert gradient[layers[0][0]] == 5.0**6
    for node in itertools.chain([cost], *layers):
        assert node.asked == {"parents": 1 if node in layers[0] else 2, "partials": 1}


def test_zero_grad_of_a_generator():
    xs = [Value(1.0) for _ in range(3)]
    for x in xs:
        x.grad = 5.0
    zero_grad(x for x in xs[:2])
    assert [x.grad for x in xs] == [0.0, 0.0, 5.0]
