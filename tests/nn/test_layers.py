"""Neuron, Layer, MLP: the textbook's equations, labels and order."""

import copy
import math
import pickle

import numpy as np
import pytest
from conftest import DECLARED
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
from autograd import Value
from nn import MLP, Layer, Neuron, squared_error
from nn.layers import _HALVING, ACTIVATIONS


def test_a_neuron_is_two_nodes_whatever_its_number_of_inputs():
    for n in (1, 2, 50):
        neuron = Neuron(n, "tanh", seed=0)
        a = neuron([0.1] * n)
        (z,) = a.parents
        assert (a.op, z.op) == ("tanh", "weighted_sum")
        assert all(not parent.parents for parent in z.parents)


def test_a_neuron_computes_the_activation_of_its_weighted_sum():
    neuron = Neuron(3, "sigmoid", seed=1)
    x = [0.5, -2.0, 4.0]
    z = sum(w.data * x_k for w, x_k in zip(neuron.w, x)) + neuron.b.data
    assert neuron(x).data == pytest.approx(1 / (1 + math.exp(-z)), rel=1e-14)


def test_a_linear_neuron_returns_its_weighted_sum():
    z = Neuron(2, "linear")([1.0, 2.0])
    assert (z.op, z.label) == ("weighted_sum", "z")


def test_labels_of_a_network_are_the_textbooks():
    model = MLP(2, [3, 2], "tanh", output="sigmoid", seed=0)
    outputs = model([1.0, 2.0])
    assert [a.label for a in outputs] == ["a_0^(2)", "a_1^(2)"]
    assert [a.parents[0].label for a in outputs] == ["z_0^(2)", "z_1^(2)"]
    hidden = [node.label for node in autograd.core.graph.topological_order(*outputs) if node.op == "tanh"]
    assert hidden == ["a_0^(1)", "a_1^(1)", "a_2^(1)"]


def test_parameters_come_layer_by_layer_weights_row_by_row_then_biases():
    names = [name for name, _ in MLP(2, [2, 1]).named_parameters()]
    expected = "w_00^(1) w_01^(1) w_10^(1) w_11^(1) b_0^(1) b_1^(1) w_00^(2) w_01^(2) b_0^(2)"
    assert names == expected.split()


def test_two_digit_indices_are_parted_by_a_comma():
    model = MLP(13, [11, 2])
    names = [p.label for p in model.parameters()]
    assert {"w_09^(1)", "w_0,12^(1)", "w_10,0^(1)", "w_10,12^(1)", "w_1,10^(2)", "w_19^(2)"} <= set(names)
    assert len(names) == len(set(names)) == 13 * 11 + 11 + 11 * 2 + 2


def test_labels_of_neurons_and_layers_on_their_own():
    assert [p.label for p in Neuron(2).parameters()] == ["w_0", "w_1", "b"]
    assert [p.label for p in Layer(1, 2).parameters()] == ["w_00", "w_10", "b_0", "b_1"]
    assert [a.label for a in Layer(1, 2)([1.0])] == ["a_0", "a_1"]


def test_one_output_is_a_value_and_several_are_a_list():
    assert isinstance(MLP(2, [3, 1])([1.0, 2.0]), Value)
    assert len(MLP(2, [3, 2])([1.0, 2.0])) == 2
    assert len(Layer(2, 1)([1.0, 2.0])) == 1


def test_a_layer_of_one_neuron_within_a_network_feeds_the_next():
    model = MLP(2, [3, 1, 1], seed=0)
    C = squared_error(model([1.0, -1.0]), 0.5)
    C.backward()
    assert len(model.parameters()) == 9 + 4 + 2
    assert model.layers[2].neurons[0].w[0].grad != 0.0 or model.layers[1].neurons[0]([0.0] * 3).data == 0.0


@pytest.mark.parametrize("make", [list, tuple, np.array, lambda x: map(Value, x), lambda x: [Value(v) for v in x]])
def test_inputs_may_be_numbers_values_rows_or_iterators(make):
    model = MLP(2, [3, 1], seed=3)
    assert model(make([0.5, -1.5])).data == model([0.5, -1.5]).data


def test_gradients_reach_inputs_that_are_values():
    x = [Value(0.5), Value(-1.0)]
    model = MLP(2, [4, 1], "tanh", seed=0)
    model(x).backward()
    nudged = [model([0.5 + 1e-6, -1.0]).data, model([0.5 - 1e-6, -1.0]).data]
    assert x[0].grad == pytest.approx((nudged[0] - nudged[1]) / 2e-6, rel=1e-6)


@pytest.mark.parametrize("module", [Neuron(3), Layer(3, 2), MLP(3, [2, 1])])
@pytest.mark.parametrize("n", [0, 2, 4])
def test_an_input_of_the_wrong_length_is_refused_with_both_lengths(module, n):
    with pytest.raises(ValueError, match=f"takes 3 inputs, but this example has {n}"):
        module([1.0] * n)


@pytest.mark.parametrize("x", [1.0, None, "ab", {"a": 1}, np.float64(2.0), Value(1.0)])
def test_an_input_that_is_no_list_is_refused(x):
    with pytest.raises(TypeError, match="takes a list of 2 numbers or Values"):
        MLP(2, [1])(x)


def test_a_table_of_examples_is_refused_with_advice():
    with pytest.raises(ValueError, match="takes one example, 2 numbers; predict"):
        MLP(2, [1])(np.zeros((2, 2)))


def test_an_unknown_activation_is_answered_with_the_list():
    with pytest.raises(ValueError, match=r"no activation 'tanhh'; choose one of linear, .*tanh, .*relu"):
        MLP(2, [1], "relu", output="tanhh")
    with pytest.raises(TypeError, match="activation is a name such as 'relu'"):
        Neuron(2, math.tanh)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_every_function_of_one_number_serves_as_activation(name):
    neuron = Neuron(1, name)
    neuron.w[0].data, neuron.b.data = 0.5, 1.0 if name == "acosh" else 0.25
    z = neuron.b.data + 0.25
    assert neuron([0.5]).data == (z if name == "linear" else autograd.OPERATIONS[name](z))


def test_the_activation_of_a_neuron_can_be_changed():
    neuron = Neuron(1, "relu", seed=0)
    neuron.activation = "tanh"
    assert (neuron([1.0]).op, repr(neuron)) == ("tanh", "Neuron(1, activation='tanh')")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((2, []), ValueError, "at least one layer"),
        ((2, 3), TypeError, r"takes a list with the size of each layer"),
        ((0, [1]), ValueError, "n_in is at least 1, not 0"),
        ((2, [3, 0]), ValueError, "a layer's size is at least 1, not 0"),
        ((2, [2.5]), TypeError, "a layer's size is a whole number, not 2.5"),
    ],
)
def test_impossible_shapes_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        MLP(*arguments)


def test_equal_seeds_give_equal_models_and_others_do_not():
    weights = [[p.data for p in MLP(3, [4, 2], seed=seed).parameters()] for seed in (7, 7, 8, None, None)]
    assert weights[0] == weights[1]
    assert len({tuple(w) for w in weights}) == 4


def test_a_seed_alone_decides_whatever_was_drawn_before():
    import random

    random.seed(1)
    first = MLP(2, [2], seed=0).state_dict()["layers.0.weight"]
    random.random()
    np.testing.assert_array_equal(MLP(2, [2], seed=np.int64(0)).state_dict()["layers.0.weight"], first)


@pytest.mark.parametrize(("seed", "error"), [(-1, ValueError), (0.5, TypeError), ("a", TypeError)])
def test_a_seed_is_a_whole_number(seed, error):
    with pytest.raises(error, match="a seed is"):
        MLP(2, [1], seed=seed)


@pytest.mark.parametrize(
    ("activation", "variance"), [("tanh", 2 / (400 + 100)), ("sigmoid", 2 / 500), ("relu", 2 / 400)]
)
def test_weights_have_the_variance_that_glorot_and_he_derive(activation, variance):
    layer = Layer(400, 100, activation, seed=0)
    weights = layer.state_dict()["weight"]
    assert weights.var() == pytest.approx(variance, rel=0.02)
    assert abs(weights.mean()) < 3 * math.sqrt(variance / weights.size)
    assert not layer.state_dict()["bias"].any()


def test_signals_keep_their_size_through_ten_relu_layers():
    rng = np.random.default_rng(0)
    model = MLP(100, [100] * 10, output="relu", seed=0)
    x = rng.standard_normal(100)
    for layer in model.layers:
        activations = layer(x)
        assert 0.2 < np.mean([a.parents[0].data ** 2 for a in activations]) < 8
        x = [a.data for a in activations]


def test_copies_and_pickles_are_models_of_their_own():
    model = MLP(2, [3, 1], "tanh", seed=0)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert twin([1.0, 2.0]).data == model([1.0, 2.0]).data
        twin([1.0, 2.0]).backward()
        assert twin.parameters()[0].grad != 0.0
        assert model.parameters()[0].grad == 0.0


def test_a_repr_builds_an_equal_model():
    model = MLP(3, [4, 2], "tanh", "sigmoid")
    assert repr(eval(repr(model))) == repr(model) == "MLP(3, [4, 2], activation='tanh', output='sigmoid')"
    assert repr(model.layers[0]) == "Layer(3, 4, activation='tanh')"


DERIVATIVE = {
    "tanh": lambda a: 1 - a * a,
    "sigmoid": lambda a: a * (1 - a),
    "relu": lambda a: (a > 0) * 1.0,
    "linear": np.ones_like,
}


@settings(max_examples=40, deadline=None)
@given(
    widths=st.lists(st.integers(1, 5), min_size=2, max_size=5),
    activation=st.sampled_from(sorted(DERIVATIVE)),
    seed=st.integers(0, 10**6),
)
def test_backward_equals_the_textbooks_recursion_written_in_numpy(widths, activation, seed):
    model = MLP(widths[0], widths[1:], activation, output=activation, seed=seed)
    rng = np.random.default_rng(seed)
    for parameter in model.parameters():
        parameter.data = rng.normal()
    x, y = rng.normal(size=widths[0]), rng.normal(size=widths[-1])
    squared_error(model(x), y.tolist()).backward()

    sigma = {"tanh": np.tanh, "sigmoid": lambda z: 1 / (1 + np.exp(-z)), "relu": lambda z: np.maximum(z, 0)}
    a = [x]
    for layer in model.layers:
        state = layer.state_dict()
        z = state["weight"] @ a[-1] + state["bias"]
        a.append(sigma.get(activation, lambda z: z)(z))
    slope = 2 * (a[-1] - y)
    for number in range(len(model.layers), 0, -1):
        layer = model.layers[number - 1]
        delta = slope * DERIVATIVE[activation](a[number])
        got = np.array([[w.grad for w in neuron.w] for neuron in layer.neurons])
        np.testing.assert_allclose(got, np.outer(delta, a[number - 1]), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose([neuron.b.grad for neuron in layer.neurons], delta, rtol=1e-12, atol=1e-12)
        slope = layer.state_dict()["weight"].T @ delta


def test_micrograds_training_loop_runs_with_its_import_lines_changed():
    rng = np.random.default_rng(1337)
    X = rng.uniform(-1, 1, (20, 2))
    y = np.sign(X[:, 0] + X[:, 1])
    model = MLP(2, [16, 16, 1], seed=1337)  # 2-layer neural network; the seed is the test's own
    assert len(model.parameters()) == 337

    def loss():
        inputs = [list(map(Value, xrow)) for xrow in X]
        scores = list(map(model, inputs))
        losses = [(1 + -yi * scorei).relu() for yi, scorei in zip(y, scores)]
        data_loss = sum(losses) * (1.0 / len(losses))
        alpha = 1e-4
        reg_loss = alpha * sum(p * p for p in model.parameters())
        total_loss = data_loss + reg_loss
        accuracy = [(yi > 0) == (scorei.data > 0) for yi, scorei in zip(y, scores)]
        return total_loss, sum(accuracy) / len(accuracy)

    first, _ = loss()
    for k in range(15):
        total_loss, acc = loss()
        model.zero_grad()
        total_loss.backward()
        learning_rate = 1.0 - 0.9 * k / 100
        for p in model.parameters():
            p.data -= 0.1 * learning_rate * p.grad
    assert total_loss.data < first.data / 2
    assert acc > 0.9


def test_the_activation_of_a_network_without_hidden_layers_is_checked_and_not_claimed():
    with pytest.raises(ValueError, match="there is no activation 'foo'"):
        MLP(2, [3], "foo")
    assert repr(MLP(2, [3], "tanh")) == "MLP(2, [3], output='linear')"
    assert repr(MLP(2, [3, 1], "tanh")) == "MLP(2, [3, 1], activation='tanh', output='linear')"


def test_activations_that_pass_half_have_weights_of_twice_the_variance():
    def passes_half(name):
        try:
            low, high = (autograd.OPERATIONS[name](Value(x)).partials[0] for x in (-6.0, 6.0))
        except ValueError:
            return False
        return abs(low) < 0.1 and abs(high - 1) < 0.1

    rows = {name for name in DECLARED if name in ACTIVATIONS and name != "linear"}
    assert {name for name in rows if passes_half(name)} == _HALVING
