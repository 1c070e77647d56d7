"""Judging: predictions, accuracy, confusion, summary, health."""

import numpy as np
import pytest

import autograd
from autograd import Value
from nn import (
    MLP,
    SGD,
    Adam,
    Layer,
    Module,
    Neuron,
    accuracy,
    classify,
    confusion_matrix,
    fit,
    health,
    moons,
    predict,
    squared_error,
    summary,
)
from nn.evaluation import MANY


class Constant(Module):
    """Returns its inputs: predictions are what the test says."""

    def __call__(self, x):
        return list(x)


class First(Module):
    def __call__(self, x):
        return Value(0.0) + x[0]


class Branching(Module):
    def __call__(self, x):
        return x[0] * 2 if x[0] > 0 else x[0] * 3


class ReadingData(Module):
    def __call__(self, x):
        return x[0] * getattr(x[0], "data", x[0])


@pytest.mark.parametrize("n", [1, 3, MANY - 1, MANY, 500])
@pytest.mark.parametrize("sizes", [[3, 1], [4, 3]])
def test_predict_calls_the_model_row_by_row(n, sizes):
    model = MLP(2, sizes, "tanh", seed=0)
    X = np.random.default_rng(0).normal(size=(n, 2))
    outputs = predict(model, X)
    assert outputs.shape == ((n,) if sizes[-1] == 1 else (n, 3))
    rows = [model(row) for row in X]
    expected = [[a.data for a in (row if isinstance(row, list) else [row])] for row in rows]
    np.testing.assert_allclose(outputs.reshape(n, -1), expected, rtol=1e-12)


def test_predict_of_a_model_that_branches_is_right_for_many_rows():
    X = np.linspace(-1, 1, 2 * MANY)[:, None]
    np.testing.assert_allclose(predict(Branching(), X), np.where(X > 0, 2 * X, 3 * X)[:, 0])


def test_predict_sees_parameters_that_changed_since_the_last_call():
    model, X = MLP(1, [1], seed=0), np.ones((MANY, 1))
    before = predict(model, X)
    model.parameters()[1].data += 1.0
    np.testing.assert_allclose(predict(model, X), before + 1.0)


def test_predictions_while_training_are_those_of_the_parameters_and_layers_of_the_moment():
    X, y = moons(2 * MANY, seed=0)
    model = MLP(2, [3, 1], "tanh", seed=0)
    differences = []

    def look(epoch, history, model):
        if epoch == 2:
            model.layers[0].neurons[0].activation = "relu"
        expected = [model(x).data for x in X]
        differences.append(np.abs(predict(model, X) - expected).max())

    optimizer = SGD(model.parameters(), lr=0.5)
    fit(model, X, y, loss=squared_error, optimizer=optimizer, epochs=4, callbacks=[look], progress=False)
    assert max(differences) < 1e-12


def test_predict_refuses_bad_data():
    with pytest.raises(ValueError, match="takes 2 inputs, but this example has 3"):
        predict(MLP(2, [1]), np.zeros((1, 3)))


def test_the_largest_of_several_outputs_is_the_class():
    X = [[0.1, 0.9, 0.0], [3.0, 2.0, 1.0], [-1.0, -2.0, -0.5]]
    assert classify(Constant(), X).tolist() == [1, 0, 2]
    assert accuracy(Constant(), X, [1, 0, 0]) == pytest.approx(2 / 3)
    assert accuracy(Constant(), X, [[0, 1, 0], [1, 0, 0], [0, 0, 1]]) == 1.0


@pytest.mark.parametrize("y", [[1, -1, 1], [1, 0, 1], [1.0, 0.0, 1.0], [[1], [0], [1]], [True, False, True]])
def test_the_sign_of_one_output_is_the_class(y):
    assert accuracy(First(), [[2.0], [-3.0], [-0.1]], y) == pytest.approx(2 / 3)


def test_a_sigmoid_output_is_judged_by_its_side_of_one_half():
    model = Neuron(1, "sigmoid")
    model.w[0].data = 1.0
    assert classify(model, [[1.0], [-1.0]]).tolist() == [1, 0]
    assert accuracy(MLP(1, [1], output="sigmoid", seed=0), [[-50.0], [50.0]], [0, 1]) in (0.0, 1.0)


def test_a_confusion_matrix_counts_true_rows_and_predicted_columns():
    X = np.eye(3)[[0, 1, 1, 2, 2, 2]]
    counts = confusion_matrix(Constant(), X, [0, 1, 2, 2, 2, 0])
    np.testing.assert_array_equal(counts, [[1, 0, 1], [0, 1, 0], [0, 1, 2]])
    np.testing.assert_array_equal(confusion_matrix(First(), [[1.0], [-1.0]], [1, 1]), [[0, 0], [1, 1]])


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0, 1, 3], r"from 0 to 2, but y\[2\] is 3"),
        ([0, 1], "X has 3 rows but y has 2"),
        ([[0, 1], [1, 0], [0, 1]], r"3 outputs, but y has shape \(3, 2\)"),
    ],
)
def test_targets_that_do_not_fit_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        accuracy(Constant(), np.zeros((3, 3)), y)


def test_one_output_knows_two_classes():
    with pytest.raises(ValueError, match="the classes are -1 and 1 or 0 and 1, but y holds"):
        accuracy(First(), [[1.0], [1.0]], [0, 2])


def test_summary_lists_layers_shapes_activations_and_parameters():
    text = summary(MLP(3, [16, 2], "tanh", output="sigmoid"))
    lines = [line.split() for line in text.splitlines()]
    assert lines[1:] == [["1", "3", "16", "tanh", "64"], ["2", "16", "2", "sigmoid", "34"], ["MLP", "98"]]
    assert repr(text) == str(text)
    assert summary(Layer(2, 1)).splitlines()[-1].split() == ["Layer", "3"]


class Parts(Module):
    def __init__(self):
        self.encoder, self.scale = MLP(2, [3]), Value(1.0)


def test_summary_finds_the_layers_within_a_model_of_your_own():
    lines = summary(Parts()).splitlines()
    assert lines[1].split() == ["1", "2", "3", "linear", "9"]
    assert lines[2].split() == ["Parts", "10"]


def test_a_fresh_network_is_healthy():
    X, y = moons(50, seed=0)
    model = MLP(2, [8, 1], "tanh", seed=0)
    report = health(model, X, y, squared_error, SGD(model.parameters(), lr=0.01))
    assert report
    assert "Nothing stands out." in str(report)
    assert all(1e-4 < row["ratio"] < 1e-1 for row in report.rows)


def test_health_counts_dead_units():
    model = MLP(2, [6, 1], "relu", seed=0)
    for neuron in model.layers[0].neurons[:2]:
        neuron.b.data = -100.0
    report = health(model, moons(40)[0])
    assert not report
    assert [row["dead"] for row in report.rows] == [2, 0]
    assert "2 of 6 units are dead. Their slope is 0 at every example" in str(report)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_health_counts_saturated_units(activation):
    model = MLP(2, [4, 1], activation, seed=0)
    model.layers[0].neurons[3].b.data = 8.0
    report = health(model, moons(40)[0])
    assert [row["saturated"] for row in report.rows] == [1, 0]
    assert "1 of 4 units are saturated" in str(report)


def test_health_foresees_the_step_without_taking_it():
    X, y = moons(30, seed=0)
    model = MLP(2, [4, 1], "tanh", seed=0)
    optimizer = Adam(model.parameters(), lr=0.01)
    before = [p.data for p in model.parameters()]
    report = health(model, X, y, squared_error, optimizer)
    assert ([p.data for p in model.parameters()], optimizer.steps, optimizer.state) == (before, 0, {})
    # Adam's first step has length lr in every parameter
    weights = model.layers[0].state_dict()["weight"]
    assert report.rows[0]["ratio"] == pytest.approx(0.01 * np.sqrt(weights.size) / np.linalg.norm(weights), rel=1e-4)


def test_health_warns_of_steps_too_long_and_too_short():
    X, y = moons(30, seed=0)
    model = MLP(2, [4, 1], "tanh", seed=0)
    for lr, sentence in ((5.0, "lower the learning rate"), (1e-7, "raise the learning rate")):
        assert sentence in str(health(model, X, y, squared_error, Adam(model.parameters(), lr=lr)))


def test_health_reports_the_size_of_each_layers_gradient():
    X, y = moons(10, seed=0)
    model = MLP(2, [3, 1], "tanh", seed=0)
    report = health(model, X, y, squared_error)
    autograd.mean([squared_error(model(x), t) for x, t in zip(X, y)]).backward()
    for row, layer in zip(report.rows, model.layers):
        slopes = [w.grad for neuron in layer.neurons for w in neuron.w]
        assert row["gradient"] == pytest.approx(np.sqrt(np.mean(np.square(slopes))), rel=1e-12)
        assert row["ratio"] is None


def test_health_needs_all_of_what_a_step_follows_from():
    model = MLP(1, [1])
    with pytest.raises(TypeError, match="pass both of them"):
        health(model, [[1.0]], [1.0])
    with pytest.raises(ValueError, match="needs layers"):
        health(First(), [[1.0]])


def test_summary_needs_a_module():
    with pytest.raises(TypeError, match="layers are found in a Module"):
        summary([1, 2])
