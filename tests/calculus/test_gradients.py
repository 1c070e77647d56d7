import itertools
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_graph import random_graph

import autograd
from autograd import Value, clip, gradients, maximum, primitive, softplus, where
from autograd.calculus.gradients import sum_of_products
from autograd.core.graph import topological_order
from autograd.recording import tracing


def test_gradients_are_a_list_for_a_list_and_write_nothing():
    x, y, z = Value(3.0), Value(2.0), Value(1.0)
    cost = x * x * y
    assert gradients(cost, [x, y, z, x]) == [12.0, 9.0, 0.0, 12.0]
    assert gradients(cost, (v for v in (x, y))) == [12.0, 9.0]
    assert gradients(cost, []) == []
    assert [v.grad for v in (x, y, z, cost)] == [0.0] * 4


def test_without_wrt_the_gradients_map_every_node():
    x = Value(3.0)
    square = x * x
    cost = square * 2
    assert gradients(cost) == {x: 12.0, square: 2.0, cost: 1.0}
    graph = gradients(cost, create_graph=True)
    assert list(graph) == [x, square, cost]
    assert [slope.data for slope in graph.values()] == [12.0, 2.0, 1.0]
    assert all(isinstance(slope, Value) for slope in graph.values())


def test_a_cost_that_does_not_depend_on_a_value_has_slope_zero_as_a_graph_too():
    x, y = Value(3.0), Value(2.0)
    for cost in (y, y * 2):
        assert gradients(cost, [x]) == [0.0]
        [slope] = gradients(cost, [x], create_graph=True)
        assert (slope.data, slope.parents) == (0.0, ())


def test_inner_nodes_and_the_cost_itself_have_gradients():
    x = Value(3.0)
    square = x * x
    cost = square * square
    assert gradients(cost, [square, cost]) == [18.0, 1.0]
    assert [g.data for g in gradients(cost, [square, cost], create_graph=True)] == [18.0, 1.0]


def test_unused_values_are_listed_on_request():
    x, b, n = Value(3.0), Value(2.0, label="b"), Value(7.0)
    assert gradients(x * x, [x, b], unused="zero") == [6.0, 0.0]
    with pytest.raises(ValueError, match=r"the cost does not depend on wrt\[1\] 'b', wrt\[2\] Value\(data=7\.0"):
        gradients(x * x, [x, b, n], unused="error")
    assert gradients(x * b, [x, b], unused="error") == [2.0, 3.0]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (lambda x: (3.0, [x]), TypeError, "takes the cost as one Value, not 3.0"),
        (lambda x: ([x, x], [x]), TypeError, "call it for each of them, or use jacobian"),
        (lambda x: (x, x), TypeError, r"wrt is a list of Values, as in gradients\(cost, \[w, b\]\)"),
        (lambda x: (x, [x, 3.0]), TypeError, "wrt holds Values, .* not 3.0"),
        (lambda x: (x, [x], False, "raise"), ValueError, "unused is 'zero' or 'error', not 'raise'"),
    ],
)
def test_wrong_uses_of_gradients(arguments, error, message):
    with pytest.raises(error, match=message):
        gradients(*arguments(Value(1.0)))


def test_the_gradient_is_a_small_graph():
    x = Value(3.0)
    [slope] = gradients(x**3, [x], create_graph=True)
    assert slope.op == "mul"
    assert slope.operands[0] == 3.0
    assert slope.operands[1].operands == (x, 2.0)
    assert [node.op for node in topological_order(slope)] == ["", "pow", "mul"]
    [slope] = gradients(x**2, [x], create_graph=True)
    assert slope.operands == (2.0, x)
    [slope] = gradients(x**1, [x], create_graph=True)
    assert (slope.data, slope.parents) == (1.0, ())
    [slope] = gradients(x + 1, [x], create_graph=True)
    assert (slope.data, slope.parents) == (1.0, ())
    [slope] = gradients(x.tanh() * 1.0, [x], create_graph=True)
    assert [node.op for node in topological_order(slope)] == ["", "tanh", "mul", "sub"]


def test_an_activation_that_feeds_several_neurons_collects_one_weighted_sum():
    a = Value(0.5)
    weights = [Value(w) for w in (1.0, -2.0, 3.0)]
    activations = [(w * a).tanh() for w in weights]
    [slope] = gradients(autograd.prod(activations), [a], create_graph=True)
    assert slope.op == "weighted_sum"
    assert slope.data == pytest.approx(gradients(autograd.prod(activations), [a])[0])


def test_a_result_is_never_a_node_of_the_cost_itself():
    x, y = Value(3.0), Value(2.0)
    in_x, in_y = gradients(x * y, [x, y], create_graph=True)
    in_x.label = "dC/dx"
    assert y.label == ""
    assert (in_x.data, in_y.data) == (2.0, 3.0)
    assert gradients(in_x, [x, y]) == [0.0, 1.0]


@given(st.integers(0, 10**6))
def test_gradients_as_a_graph_equal_those_as_numbers_and_have_symmetric_second_derivatives(seed):
    nodes = random_graph(seed)
    leaves = nodes[:3]
    slopes = gradients(nodes[-1], leaves, create_graph=True)
    assert [s.data for s in slopes] == pytest.approx(gradients(nodes[-1], leaves), rel=1e-12, abs=1e-12)
    hessian = [gradients(s, leaves) for s in slopes]
    for i, j in itertools.combinations(range(3), 2):
        assert hessian[i][j] == pytest.approx(hessian[j][i], rel=1e-9, abs=1e-9)


def test_the_fifth_derivative_of_a_product_and_of_an_exponential():
    x = Value(0.7)
    y = (2 * x).exp() * x
    for _ in range(5):
        [y] = gradients(y, [x], create_graph=True)
    assert y.data == pytest.approx((32 * 0.7 + 80) * math.exp(1.4), rel=1e-13)


def test_only_the_graph_between_wrt_and_the_cost_is_differentiated():
    x, y = Value(3.0), Value(0.0)
    cost = x * 2 + (y + 1).log() * y
    y.data = 5.0  # would be refused, were its part of the graph looked at
    assert gradients(cost, [x], create_graph=True)[0].data == 2.0


# Data assigned after the forward pass


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x * x,
        lambda x: x.log(),
        lambda x: x**2.5,
        lambda x: autograd.weighted_sum([x, 2.0], [x, x]),
        lambda x: autograd.prod([x, x, 3.0]),
        lambda x: autograd.logsumexp([x, 0.0]),
        lambda x: x.relu(),
        lambda x: 1 / x,
    ],
)
def test_data_assigned_after_the_forward_pass_are_noticed(f):
    x = Value(2.0, label="x")
    cost = f(x)
    expected = gradients(cost, [x])
    x.data = -1.0
    assert gradients(cost, [x]) == expected
    with pytest.raises(
        ValueError, match=r"the data of \w+ \(.*x.*\) were assigned after it was computed.*compute the cost again"
    ):
        gradients(cost, [x], create_graph=True)


def test_a_slope_in_terms_of_the_result_survives_new_data():
    x = Value(0.5)
    y = x.tanh()
    x.data = 3.0
    [slope] = gradients(y, [x], create_graph=True)
    t = math.tanh(0.5)
    assert slope.data == 1 - t * t
    assert gradients(slope, [x]) == pytest.approx([-2 * t * (1 - t * t)])


def test_a_result_assigned_after_the_forward_pass_is_noticed():
    x = Value(2.0)
    y = x.tanh()
    y.data = 0.5
    with pytest.raises(ValueError, match="the data of tanh"):
        gradients(y, [x], create_graph=True)


def test_data_assigned_where_the_slope_does_not_depend_on_them_are_fine():
    x, y = Value(2.0), Value(3.0)
    cost = x + y * 2 - x
    x.data = 100.0
    assert [g.data for g in gradients(cost, [x, y], create_graph=True)] == [0.0, 2.0]


# Slopes that are infinite or do not exist


def test_an_infinite_slope_is_a_constant_of_the_graph():
    x = Value(0.0, label="x")
    for f in (lambda x: x.sqrt() + 1, lambda x: 2 * x**0.5, lambda x: (x + 1).asin()):
        with pytest.warns(RuntimeWarning, match="inf"):
            numbers = gradients(f(x), [x])
        with pytest.warns(RuntimeWarning, match="inf"):
            [slope] = gradients(f(x), [x], create_graph=True)
        assert [slope.data] == numbers == [math.inf]


def test_a_product_without_a_value_is_nan_in_both():
    x = Value(0.0)
    cost = x.sqrt() ** 2 * 3
    for create_graph in (False, True):
        with pytest.warns(RuntimeWarning, match=r"is nan\. It arose in sqrt at x = 0\.0"):
            [slope] = gradients(cost, [x], create_graph=create_graph)
        assert math.isnan(slope.data if create_graph else slope)


def test_a_power_of_zero_has_the_derivatives_of_a_polynomial():
    x = Value(0.0)
    y, derivatives = x**3, []
    for _ in range(4):
        [y] = gradients(y, [x], create_graph=True)
        derivatives.append(y.data)
    assert derivatives == [0.0, 0.0, 6.0, 0.0]


def test_a_power_with_both_parts_variable_at_zero():
    x, y = Value(0.0), Value(2.0)
    in_x, in_y = gradients(x**y, [x, y], create_graph=True)
    assert (in_x.data, in_y.data) == (0.0, 0.0)
    assert gradients(in_x, [x])[0] == 2.0


# Choices


def test_a_choice_stays_a_choice_in_the_gradient():
    x, y = Value(2.0), Value(1.0)
    in_x, in_y = gradients(maximum(x, y), [x, y], create_graph=True)
    assert (in_x.op, in_x.data, in_y.data) == ("maximumʹx", 1.0, 0.0)
    [slope] = gradients(clip(x, 0, 1), [x], create_graph=True)
    assert (slope.op, slope.data) == ("clipʹx", 0.0)
    [slope] = gradients(x.relu(), [x], create_graph=True)
    assert (slope.op, slope.data) == ("step", 1.0)
    [slope] = gradients(where(y - x, x * x, x**3), [x], create_graph=True)
    assert gradients(slope, [x]) == [12.0]


def test_while_tracing_a_gradient_can_be_taken_and_choices_are_kept():
    x = Value(-2.0)
    with tracing():
        [slope] = gradients(softplus(x) + maximum(x, 1.0) + (x * x) ** 1.5, [x], create_graph=True)
    assert slope.data == pytest.approx(1 / (1 + math.exp(2)) + 0 - 12.0)


def test_sums_leave_no_node_for_zeros_and_ones():
    x, y = Value(3.0), Value(4.0)
    assert sum_of_products([], set()) == 0.0
    assert sum_of_products([(0.0, x), (y, 0.0)], set()) == 0.0
    assert sum_of_products([(1.0, x), (0.0, y)], set()) is x
    assert sum_of_products([(x, 1.0)], set()) is x
    assert sum_of_products([(-1.0, x)], set()).op == "neg"
    assert sum_of_products([(x, -1.0)], set()).data == -3.0
    assert sum_of_products([(1.0, x), (y, 1.0)], set()).op == "add"
    assert sum_of_products([(1.0, x), (y, 1.0), (1.0, x)], set()).op == "sum"
    assert sum_of_products([(2.0, x), (y, 1.0)], set()).data == 10.0
    assert sum_of_products([(2.0, 3.0), (2.0, 5.0)], set()) == 16.0


# Operations of one's own


def test_higher_derivatives_of_an_operation_of_ones_own_with_a_choice():
    bent = primitive("bent", "x * x if x >= y else x", "2 * x if x >= y else 1", "0")
    x = Value(3.0)
    [slope] = gradients(bent(x, 1.0), [x], create_graph=True)
    assert gradients(slope, [x]) == [2.0]
    [slope] = gradients(bent(x, 5.0), [x], create_graph=True)
    assert (slope.data, gradients(slope, [x])) == (1.0, [0.0])


def test_a_choice_whose_other_side_is_undefined_takes_its_own_side():
    safe_log = primitive("safe_log", "log(x) if x > 0 else x * x", "1 / x if x > 0 else 2 * x")
    partial = primitive("partial", "x * log(x) if x > 0 else x * x", "log(x) + 1 if x > 0 else 2 * x")
    x = Value(-3.0)
    [slope] = gradients(partial(x), [x], create_graph=True)
    assert (slope.data, gradients(slope, [x])) == (-6.0, [2.0])
    [slope] = gradients(safe_log(x), [x], create_graph=True)
    assert gradients(slope, [x]) == [2.0]


def test_a_finite_slope_that_only_floats_can_evaluate_is_a_constant():
    logistic = primitive("logistic", "1 / (1 + exp(x)) if x < 700 else 0", "-1 / (2 + exp(x) + exp(-x))")
    x = Value(1000.0)
    [slope] = gradients(logistic(x), [x], create_graph=True)
    assert slope.data == 0.0


def test_long_chains_need_no_recursion():
    x = out = Value(0.5)
    rng = random.Random(0)
    for _ in range(20_000):
        out = out * rng.choice([0.999, 1.001])
    [slope] = gradients(out * x, [x], create_graph=True)
    assert slope.data == pytest.approx(gradients(out * x, [x])[0], rel=1e-12)
