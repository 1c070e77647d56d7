"""The fourteen equations of the chapter on backpropagation calculus, each built, evaluated and shown."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd import Value, draw, explain, gradients, mean, nudge, paths, relu, sigmoid, tanh, zero_grad

ACTIVATIONS = {
    "sigmoid": (sigmoid, lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
    "tanh": (tanh, np.tanh, lambda z: 1 / np.cosh(z) ** 2),
    "relu": (relu, lambda z: np.maximum(z, 0), lambda z: np.where(z > 0, 1.0, 0.0)),
}


def last_neuron(activation="sigmoid", activity=0.6):
    """w, a(L-1), b -> z -> a -> C0 <- y, with the chapter's labels: a mapping from label to Value."""
    w, a_before, b = Value(1.5, label="w^(L)"), Value(activity, label="a^(L-1)"), Value(-0.4, label="b^(L)")
    y = Value(1.0, label="y")
    z = w * a_before + b
    a = ACTIVATIONS[activation][0](z)
    C = (a - y) ** 2
    z.label, a.label, C.label = "z^(L)", "a^(L)", "C_0"
    return {node.label: node for node in (w, a_before, b, y, z, a, C)}


@pytest.fixture(params=ACTIVATIONS)
def neuron(request):
    return last_neuron(request.param) | {"sigma": ACTIVATIONS[request.param]}


def factors_by_hand(neuron):
    """sigma'(z) and 2 (a - y), from NumPy."""
    _, sigma, slope = neuron["sigma"]
    z = neuron["w^(L)"].data * neuron["a^(L-1)"].data + neuron["b^(L)"].data
    return float(slope(z)), 2 * (float(sigma(z)) - neuron["y"].data)


# One neuron per layer


def test_equation_1_the_chain_is_built_and_drawn_under_its_names(neuron):
    _, sigma, _ = neuron["sigma"]
    z = 1.5 * 0.6 - 0.4
    assert neuron["z^(L)"].data == z
    assert neuron["a^(L)"].data == pytest.approx(sigma(z), rel=1e-15)
    assert neuron["C_0"].data == pytest.approx((sigma(z) - 1) ** 2, rel=1e-14)
    table = draw(neuron["C_0"]).table
    for label in ("w^(L)", "a^(L-1)", "b^(L)", "z^(L)", "a^(L)", "C_0", "y"):
        assert label in table
    [path] = paths(neuron["C_0"], neuron["w^(L)"])
    assert [node.label for node in path.nodes if node.label] == ["w^(L)", "z^(L)", "a^(L)", "C_0"]


def test_equation_1_three_such_layers_have_three_weights_and_three_biases():
    labels = [parameter.label for parameter in nn.MLP(1, [1, 1, 1]).parameters()]
    assert labels == ["w_00^(1)", "b_0^(1)", "w_00^(2)", "b_0^(2)", "w_00^(3)", "b_0^(3)"]


def test_equation_2_the_derivative_of_a_weight_has_three_factors(neuron):
    w, C = neuron["w^(L)"], neuron["C_0"]
    explanation = explain(C, w)
    assert "dC_0/dw^(L) = dz^(L)/dw^(L) * da^(L)/dz^(L) * dC_0/da^(L)" in explanation.text
    C.backward()
    assert math.prod(factor.value for factor in explanation.factors) == pytest.approx(w.grad, rel=1e-15)
    assert explanation.gradient == w.grad


def test_equation_3_the_factors_are_the_activity_the_slope_and_twice_the_error(neuron):
    slope, error = factors_by_hand(neuron)
    first, second, third = explain(neuron["C_0"], neuron["w^(L)"]).factors
    assert (first.formula, first.value) == ("a^(L-1)", 0.6)
    assert second.value == pytest.approx(slope, rel=1e-14)
    assert (third.formula, third.value) == ("2 (a^(L) - y)", pytest.approx(error, rel=1e-14))
    picture = draw(neuron["C_0"]).table
    assert "a^(L-1) (1.5)" in picture  # the edge from a(L-1) carries w(L), and
    assert "w^(L) (0.6)" in picture  # the edge from w(L) carries a(L-1)


@pytest.mark.parametrize(
    ("activation", "formula"),
    [("sigmoid", "sigmoid(z^(L)) (1 - sigmoid(z^(L)))"), ("tanh", "1 - tanh(z^(L))^2"), ("relu", "step(z^(L))")],
)
def test_equation_3_the_slope_of_each_activation_as_a_formula(activation, formula):
    neuron = last_neuron(activation)
    assert explain(neuron["C_0"], neuron["z^(L)"]).factors[0].formula == formula


def test_equation_4_the_bias_has_the_same_factors_but_the_first_which_is_1(neuron):
    slope, error = factors_by_hand(neuron)
    explanation = explain(neuron["C_0"], neuron["b^(L)"])
    assert "dC_0/db^(L) = dz^(L)/db^(L) * da^(L)/dz^(L) * dC_0/da^(L)" in explanation.text
    assert explanation.factors[0] == ("dz^(L)/db^(L)", "1", 1.0)
    assert explanation.gradient == pytest.approx(slope * error, rel=1e-14)


def test_equation_5_the_activation_before_is_weighed_by_the_weight(neuron):
    slope, error = factors_by_hand(neuron)
    explanation = explain(neuron["C_0"], neuron["a^(L-1)"])
    assert explanation.factors[0] == ("dz^(L)/da^(L-1)", "w^(L)", 1.5)
    assert explanation.gradient == pytest.approx(1.5 * slope * error, rel=1e-14)


def test_equation_5_carries_on_to_every_earlier_weight_and_bias():
    """dC/da of one layer takes the place of 2 (a - y) in the layer before."""
    network = nn.MLP(1, [1, 1, 1], activation="tanh", output="tanh", seed=0)
    for parameter in network.parameters():
        parameter.data += 0.1
    cost = nn.squared_error(network([0.7]), 0.2)
    gradient = gradients(cost)
    activations = [node for node in gradient if node.label.startswith("a_")]
    before = [0.7, *(a.data for a in activations)]
    for layer, a in enumerate(activations):
        [z] = a.parents
        w, b = network.parameters()[2 * layer : 2 * layer + 2]
        slope = 1 - math.tanh(z.data) ** 2
        assert gradient[b] == pytest.approx(slope * gradient[a], rel=1e-12)
        assert gradient[w] == pytest.approx(before[layer] * slope * gradient[a], rel=1e-12)


def test_equation_6_a_nudge_runs_from_w_to_z_to_a_to_the_cost(neuron):
    w, C = neuron["w^(L)"], neuron["C_0"]
    rows = nudge(C, w, 0.01).rows
    assert [row.name for row in rows] == ["w^(L)", "z^(L)", "a^(L)", "C_0"]
    _, sigma, _ = neuron["sigma"]
    z = 1.51 * 0.6 - 0.4
    assert [row.after for row in rows] == pytest.approx([1.51, z, sigma(z), (sigma(z) - 1) ** 2], rel=1e-14)
    for row in rows:
        assert row.change == row.after - row.before
        assert row.ratio == row.change / 0.01
    assert rows[-1].derivative == pytest.approx(gradients(C, [w])[0], rel=1e-15)
    assert w.data == 1.5


def test_equation_6_smaller_nudges_come_closer_until_rounding_takes_over():
    neuron = last_neuron("tanh")
    errors = [step.error for step in nudge(neuron["C_0"], neuron["w^(L)"]).sweep().rows]
    assert errors[:6] == sorted(errors[:6], reverse=True)
    assert errors[5] / errors[4] == pytest.approx(0.1, rel=0.01)  # truncation shrinks with the nudge
    assert errors[12] > 100 * min(errors)  # round-off grows as it shrinks


def test_equation_7_the_gradient_of_the_mean_cost_is_the_mean_of_the_gradients():
    w, b = Value(0.8, label="w"), Value(-0.2, label="b")
    examples = [(0.1, 0.0), (0.5, 1.0), (0.9, 1.0), (-0.4, 0.0), (1.3, 0.5)]
    costs = [(sigmoid(w * x + b) - y) ** 2 for x, y in examples]
    alone = [gradients(cost, [w])[0] for cost in costs]
    assert gradients(mean(costs), [w])[0] == pytest.approx(sum(alone) / 5, rel=1e-14)
    routes = paths(mean(costs), w)
    assert sorted(path.product for path in routes) == pytest.approx(sorted(g / 5 for g in alone), rel=1e-14)


def test_equation_8_the_gradient_vector_lists_weight_and_bias_layer_by_layer():
    network = nn.MLP(1, [1, 1, 1], activation="sigmoid", output="sigmoid", seed=3)
    cost = nn.squared_error(network([0.7]), 1.0)
    cost.backward()
    vector = [(parameter.label, parameter.grad) for parameter in network.parameters()]
    assert [label for label, _ in vector] == [f"{name}^({l})" for l in (1, 2, 3) for name in ("w_00", "b_0")]  # noqa: E741
    for (label, slope), parameter in zip(vector, network.parameters()):
        assert slope == pytest.approx(nudge(cost, parameter, 1e-6).ratio, rel=1e-4), label


@given(st.floats(0, 1))
def test_equation_9_the_weight_matters_as_much_as_the_neuron_before_is_active(activity):
    neuron = last_neuron(activity=activity)
    C, z = neuron["C_0"], neuron["z^(L)"]
    [dw, dz] = gradients(C, [neuron["w^(L)"], z])
    assert dw == pytest.approx(activity * dz, rel=1e-15)


def test_equation_9_a_silent_neuron_teaches_its_weight_nothing():
    neuron = last_neuron(activity=0.0)
    explanation = explain(neuron["C_0"], neuron["w^(L)"])
    assert explanation.gradient == 0
    assert "a^(L-1) is 0, so the whole product is 0" in explanation.text


def test_equation_10_stepping_against_the_gradient_makes_the_cost_fall():
    network = nn.MLP(1, [1, 1, 1], activation="tanh", seed=0)
    data = [(0.0, 0.1), (0.5, 0.4), (1.0, 0.9)]
    costs = []
    for _ in range(200):
        cost = mean([nn.squared_error(network([x]), y) for x, y in data])
        zero_grad(network.parameters())
        cost.backward()
        for parameter in network.parameters():
            parameter.data -= 0.05 * parameter.grad
        costs.append(cost.data)
    assert all(after < before for before, after in itertools.pairwise(costs))
    assert costs[-1] < costs[0] / 10


# Many neurons per layer


def recursion(weights, biases, x, y, sigma, slope):
    """Equations 11 to 14 in NumPy, by hand: the cost, dC/dw and dC/db by layer, and dC/da by layer, inputs first."""
    activations, sums = [x], []
    for W, b in zip(weights, biases):
        sums.append(W @ activations[-1] + b)
        activations.append(sigma(sums[-1]))
    dC_da = 2 * (activations[-1] - y)
    dC_dw, dC_db, all_dC_da = [], [], [dC_da]
    for W, z, a_before in reversed(list(zip(weights, sums, activations))):
        dC_dz = slope(z) * dC_da
        dC_dw.insert(0, np.outer(dC_dz, a_before))
        dC_db.insert(0, dC_dz)
        dC_da = W.T @ dC_dz
        all_dC_da.insert(0, dC_da)
    return float(np.sum((activations[-1] - y) ** 2)), dC_dw, dC_db, all_dC_da


def test_equation_11_a_layer_computes_weighted_sums_and_activations_under_these_labels():
    layer = nn.Layer(3, 2, "sigmoid", seed=0)
    a_before = [Value(x, label=f"a_{k}") for k, x in enumerate((0.2, -0.5, 0.9))]
    outputs = layer(a_before)
    W, b = layer.state_dict().values()
    z = W @ [0.2, -0.5, 0.9] + b
    for j, a in enumerate(outputs):
        assert a.label == f"a_{j}"
        assert a.parents[0].label == f"z_{j}"
        assert [w.label for w in a.parents[0].parents[:3]] == [f"w_{j}{k}" for k in range(3)]
        assert a.parents[0].data == pytest.approx(z[j], rel=1e-14)
        assert a.data == pytest.approx(1 / (1 + math.exp(-z[j])), rel=1e-14)
    C = nn.squared_error(outputs, [1.0, 0.0])
    assert C.data == pytest.approx((outputs[0].data - 1) ** 2 + outputs[1].data ** 2, rel=1e-14)


def two_layers():
    """Two inputs, three hidden neurons, two outputs; their cost, the hidden and the output activations."""
    network = nn.MLP(2, [3, 2], activation="sigmoid", output="sigmoid", seed=1)
    outputs = network([0.5, -1.0])
    C = nn.squared_error(outputs, [1.0, 0.0])
    C.label = "C_0"
    return C, outputs[0].parents[0].parents[3:6], outputs


def test_equation_12_a_weight_with_indices_has_the_same_three_factors():
    C, hidden, outputs = two_layers()
    for j, a_j in enumerate(outputs):
        [z_j] = a_j.parents
        for k, a_k in enumerate(hidden):
            explanation = explain(C, z_j.parents[k])
            w = f"w_{j}{k}^(2)"
            assert f"dC_0/d{w} = dz_{j}^(2)/d{w} * da_{j}^(2)/dz_{j}^(2) * dC_0/da_{j}^(2)" in explanation.text
            assert explanation.factors[0] == (f"dz_{j}^(2)/d{w}", f"a_{k}^(1)", a_k.data)
            assert explanation.factors[1].value == pytest.approx(a_j.data * (1 - a_j.data), rel=1e-14)
            assert explanation.factors[2].value == pytest.approx(2 * (a_j.data - (1.0, 0.0)[j]), rel=1e-14)


def test_equation_13_an_activation_reaches_the_cost_along_one_path_per_neuron_of_the_next_layer():
    C, hidden, outputs = two_layers()
    for k, a_k in enumerate(hidden):
        routes = paths(C, a_k)
        assert routes.count == len(routes) == 2
        for path in routes:
            [(j, a_j)] = [(j, a) for j, a in enumerate(outputs) if a in path.nodes]
            assert path.factors[0] == a_j.parents[0].parents[k].data  # w_jk
            by_hand = path.factors[0] * a_j.data * (1 - a_j.data) * 2 * (a_j.data - (1.0, 0.0)[j])
            assert path.product == pytest.approx(by_hand, rel=1e-13)
        assert routes.total == pytest.approx(gradients(C, [a_k])[0], rel=1e-14)
        assert "2 paths" in explain(C, a_k).text


@given(st.sampled_from(sorted(ACTIVATIONS)), st.lists(st.integers(1, 6), min_size=2, max_size=6), st.integers(0, 10**6))
def test_equation_14_the_recursion_by_hand_agrees_with_the_engine_on_networks_of_any_shape(activation, sizes, seed):
    rng = np.random.default_rng(seed)
    network = nn.MLP(sizes[0], sizes[1:], activation=activation, output=activation, seed=seed)
    for parameter in network.parameters():
        parameter.data += rng.normal(0, 0.3)
    x, y = rng.normal(size=sizes[0]), rng.normal(size=sizes[-1])
    inputs = [Value(value, label=f"a_{k}^(0)") for k, value in enumerate(x)]
    outputs = network(inputs)
    cost = nn.squared_error(outputs if isinstance(outputs, list) else [outputs], list(y))
    cost.backward()

    arrays = list(network.state_dict().values())
    _, sigma, slope = ACTIVATIONS[activation]
    C, dC_dw, dC_db, dC_da = recursion(arrays[::2], arrays[1::2], x, y, sigma, slope)
    assert cost.data == pytest.approx(C, rel=1e-12)
    by_hand = np.concatenate([np.concatenate([dw.ravel(), db]) for dw, db in zip(dC_dw, dC_db)])
    by_the_engine = np.array([parameter.grad for parameter in network.parameters()])
    scale = max(1.0, np.abs(by_hand).max())
    np.testing.assert_allclose(by_the_engine, by_hand, rtol=1e-12, atol=1e-13 * scale)
    np.testing.assert_allclose([a.grad for a in inputs], dC_da[0], rtol=1e-12, atol=1e-13 * scale)
