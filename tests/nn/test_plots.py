"""Plots: what is drawn is what the model computes; axes go in and come out."""

import sys

import numpy as np
import pytest

import nn
from nn import (
    MLP,
    SGD,
    History,
    Stages,
    fit,
    hinge,
    iris,
    moons,
    plot_activations,
    plot_confusion,
    plot_decision_boundary,
    plot_histograms,
    plot_history,
    plot_images,
    predict,
    squared_error,
)

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture
def model():
    return MLP(2, [3, 1], "tanh", seed=0)


def test_axes_that_are_passed_in_are_drawn_on_and_returned(model):
    X, y = moons(20)
    ax = plt.figure().add_subplot()
    assert plot_history(History([3.0, 2.0]), ax) is ax
    assert plot_decision_boundary(model, X, y, ax=plt.figure().add_subplot(), resolution=10).images
    axes = plt.subplots(2, 3)[1]
    assert (plot_activations(model, X, axes=axes, resolution=5) == axes).all()
    axes = plt.subplots(2, 2)[1]
    assert (plot_histograms(model, axes=axes) == axes).all()
    ax = plt.figure().add_subplot()
    assert plot_confusion(model, X, y, ax=ax) is ax


def test_history_shows_every_curve_and_its_label():
    history = History(
        [3.0, 2.0, 1.0], [4.0, 3.0, 2.5], {"accuracy": [0.5, 0.6, 0.7], "validation_accuracy": [0.4, 0.5, 0.6]}
    )
    ax = history.plot()
    left, right = ax.figure.axes
    drawn = {line.get_label(): line.get_ydata().tolist() for axes in (left, right) for line in axes.lines}
    assert drawn == {name.replace("_", " "): curve for name, curve in history.to_dict().items()}
    assert ax.get_yscale() == "linear"
    assert {text.get_text() for text in ax.get_legend().get_texts()} == set(drawn)


def test_history_of_a_cost_that_falls_far_is_logarithmic():
    assert plot_history(History([10.0, 0.1])).get_yscale() == "log"
    assert plot_history(History([10.0, 0.0])).get_yscale() == "linear"


def test_several_histories_are_compared_by_their_costs():
    ax = plot_history({"tanh": History([3.0, 2.0]), "relu": History([3.0, 1.0, 0.5])})
    assert {line.get_label(): list(line.get_ydata()) for line in ax.lines} == {
        "tanh": [3.0, 2.0],
        "relu": [3.0, 1.0, 0.5],
    }
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["tanh", "relu"]


def test_images_are_square_and_have_their_titles():
    numbers = np.arange(3 * 9.0).reshape(3, 9)
    axes = plot_images(numbers, titles="abc", columns=2)
    assert axes.shape == (2, 2)
    assert [ax.get_title() for ax in axes.ravel()] == ["a", "b", "c", ""]
    np.testing.assert_array_equal(axes[0, 1].images[0].get_array(), numbers[1].reshape(3, 3))
    given = plt.subplots(1, 3)[1]
    assert plot_images(-numbers, axes=given, signed=True) is given
    with pytest.raises(ValueError, match="not 8"):
        plot_images(np.zeros((1, 8)))
    with pytest.raises(ValueError, match="3 pictures need as many axes, not 1"):
        plot_images(numbers, axes=plt.figure().add_subplot())


def test_stages_draw_the_boundary_at_their_moments_and_the_cost_at_the_end():
    X, y = moons(20)
    model = MLP(2, [3, 1], "tanh", seed=0)
    stages = Stages(X, y, epochs=10, count=3)
    assert stages.moments == [0, 2, 9]
    optimizer = SGD(model.parameters(), lr=0.1)
    history = fit(model, X, y, loss=squared_error, optimizer=optimizer, epochs=10, callbacks=[stages], progress=False)
    assert [ax.get_title() for ax in stages.axes[:3]] == ["epoch 1", "epoch 3", "epoch 10"]
    assert all(len(ax.images) == 1 for ax in stages.axes[:3])
    assert list(stages.axes[3].lines[0].get_ydata()) == history.cost


def test_history_of_a_real_run_plots():
    m = MLP(1, [1], seed=0)
    history = fit(m, [[0.0], [1.0]], [1.0, 2.0], loss=squared_error, optimizer=SGD(m.parameters(), lr=0.1), epochs=3,
                  progress=False, compiled=False)  # fmt: skip
    assert len(history.plot().lines[0].get_ydata()) == 3


def test_the_boundary_picture_holds_the_models_outputs(model):
    X, y = moons(30)
    ax = plot_decision_boundary(model, X, y, resolution=12)
    image = ax.images[0]
    low, high, bottom, top = image.get_extent()
    x1, x2 = np.linspace(low, high, 12), np.linspace(bottom, top, 12)
    expected = predict(model, [[a, b] for b in x2 for a in x1]).reshape(12, 12)
    np.testing.assert_allclose(image.get_array(), expected, rtol=1e-12)
    assert low < X[:, 0].min() < X[:, 0].max() < high


def test_the_boundary_picture_shows_each_point_in_the_colour_of_its_class(model):
    X, y = moons(30)
    first, second = plot_decision_boundary(model, X, 2 * y - 1, resolution=8).collections[-2:]
    np.testing.assert_array_equal(first.get_offsets(), X[y == 0])
    np.testing.assert_array_equal(second.get_offsets(), X[y == 1])
    assert not np.array_equal(first.get_facecolor(), second.get_facecolor())


def test_regions_of_several_classes_are_those_of_the_largest_output():
    X, y = iris()
    model = MLP(2, [4, 3], "tanh", seed=0)
    ax = plot_decision_boundary(model, X[:, 2:], y, resolution=10)
    image = np.asarray(ax.images[0].get_array()).reshape(-1, 3)
    low, high, bottom, top = ax.images[0].get_extent()
    points = [[a, b] for b in np.linspace(bottom, top, 10) for a in np.linspace(low, high, 10)]
    classes = predict(model, points).argmax(axis=1)
    hues = [np.round((1 - pixel) / (1 - pixel).max(), 6) for pixel in image]
    for k in set(classes.tolist()):
        assert len({tuple(hue) for hue, c in zip(hues, classes) if c == k}) == 1


def test_every_neuron_has_its_map(model):
    X, _ = moons(20)
    axes = plot_activations(model, X, resolution=6)
    assert axes.shape == (2, 3)
    assert [ax.get_visible() for ax in axes.ravel()] == [True] * 4 + [False] * 2
    low, _, bottom, _ = axes[0, 1].images[0].get_extent()
    corner = model.layers[0].neurons[1]([low, bottom]).data
    assert axes[0, 1].images[0].get_array()[0, 0] == pytest.approx(corner, rel=1e-12)
    assert axes[0, 1].get_title() == "$a_{1}^{(1)}$"
    assert axes[1, 0].get_title() == "$z_{0}^{(2)}$"


def test_histograms_count_every_weight_and_gradient(model):
    axes = plot_histograms(model)
    assert "no backward pass yet" in axes[0, 1].get_title()
    squared_error(model([1.0, -1.0]), 3.0).backward()
    axes = plot_histograms(model)
    assert "standard deviation" in axes[0, 1].get_title()
    assert [sum(bar.get_height() for bar in ax.patches) for ax in axes.ravel()] == [6, 6, 3, 3]


def test_confusion_writes_the_counts(model):
    X, y = moons(20)
    ax = plot_confusion(model, X, y, names=["upper", "lower"])
    assert sum(int(text.get_text()) for text in ax.texts) == 20
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["upper", "lower"]
    with pytest.raises(ValueError, match="2 classes apart, but there are 3 names"):
        plot_confusion(model, X, y, names="abc")


def test_pictures_of_the_plane_refuse_other_data(model):
    X, y = iris()
    with pytest.raises(ValueError, match="models with 2 inputs; X has 4 columns"):
        plot_decision_boundary(model, X, y)
    with pytest.raises(ValueError, match="need layers over a plane, 2 inputs"):
        plot_activations(MLP(4, [1]), X)
    with pytest.raises(ValueError, match="need as many axes, not 1"):
        plot_activations(model, X[:, :2], axes=plt.figure().add_subplot())


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match="pip install matplotlib"):
        plot_history(History([1.0]))


def test_a_single_epoch_is_drawn_as_a_point():
    (line,) = plot_history(History(cost=[1.0])).get_lines()
    assert line.get_marker() == "o"


def test_twelve_classes_have_twelve_colours():
    X = np.random.default_rng(0).normal(size=(48, 2))
    ax = plot_decision_boundary(MLP(2, [12], seed=0), X, np.arange(48) % 12, resolution=10)
    colours = {tuple(points.get_facecolor()[0]) for points in ax.collections if len(points.get_facecolor())}
    assert len(colours) == 12


def test_stages_show_the_cost_of_a_training_that_stops_early():
    X, y = moons(20, seed=0)
    model, stages = MLP(2, [3, 1], seed=0), Stages(X, y, epochs=20)
    history = fit(model, X, 2 * y - 1, loss=hinge, optimizer=SGD(model.parameters(), lr=0.0), epochs=20, patience=2,
                  callbacks=stages, progress=False)  # fmt: skip
    assert history.stopped == "patience"
    (line,) = stages.axes[-1].lines
    assert line.get_ydata().tolist() == history.cost


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: plot_images(np.zeros((3, 16)), titles=["a"]), ValueError, "3 pictures need as many titles, not 1"),
        (lambda: plot_images(np.zeros((3, 16)), columns=0), ValueError, "columns is at least 1"),
        (
            lambda: plot_decision_boundary(MLP(2, [1]), [[0, 0]], [1], resolution=0),
            ValueError,
            "resolution is at least 2",
        ),
        (lambda: plot_decision_boundary(MLP(2, [1]), [[0, 0]], [1], plt.subplots(1, 2)[1]), TypeError, "one Axes"),
    ],
)
def test_settings_of_plots_that_cannot_be_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("plot", ["plot_decision_boundary", "plot_activations", "plot_images", "plot_history"])
def test_without_matplotlib_every_plot_says_how_to_get_it(plot, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    X, y = nn.moons(10)
    model = nn.MLP(2, [1], seed=0)
    given = {
        "plot_images": (np.zeros((2, 16)),),
        "plot_history": (nn.History(cost=[1.0]),),
        "plot_activations": (model, X),
    }
    with pytest.raises(ImportError, match=r"glassgrad\[notebook\]"):
        getattr(nn, plot)(*given.get(plot, (model, X, y)))
