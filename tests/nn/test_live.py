"""Live: one picture that is redrawn in place while a network trains, and the film that is left of it."""

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from PIL import Image

from nn import MLP, Adam, History, Live, Module, fit, hinge, iris, moons
from nn.live import portrait

X, Y = moons(60, seed=0)


def watched(epochs=12, live=None, **settings):
    """(model, history, live) of a training that is watched."""
    live = live or Live(X, Y, every=0.0)
    model = MLP(2, [3, 1], "tanh", seed=0)
    settings["optimizer"] = Adam(model.parameters(), lr=0.05)
    settings["callbacks"] = [live, *settings.get("callbacks", [])]
    history = fit(model, X, 2 * Y - 1, loss=hinge, epochs=epochs, progress=False, **settings)
    return model, history, live


def drawn(monkeypatch):
    """What is drawn from now on: a list of (epoch, length of the curve)."""
    moments = []

    def portrait(model, X, y, epoch, cost, figure=None, whole=None):
        moments.append((epoch, len(cost)))
        return figure or object()

    monkeypatch.setattr("nn.live.portrait", portrait)
    return moments


def test_the_first_and_the_last_epoch_are_drawn_and_between_them_no_more_than_time_allows(monkeypatch):
    moments = drawn(monkeypatch)
    now = iter(np.arange(0.0, 1000.0, 0.01))
    monkeypatch.setattr("nn.live.time.monotonic", lambda: next(now))
    watched(epochs=100, live=Live(X, Y, every=0.1))
    assert moments[0] == (0, 1)
    assert moments[-1] == (99, 100)
    assert 3 < len(moments) < 30  # a clock that moves 10 ms whenever it is asked: at most every tenth look is a drawing


@pytest.mark.parametrize("why", ["callback", "patience", "interrupted"])
def test_the_last_picture_is_drawn_however_training_ends(monkeypatch, why):
    moments = drawn(monkeypatch)

    def stop(epoch, history, model):
        if epoch == 4 and why == "interrupted":
            raise KeyboardInterrupt
        return epoch == 4 and why == "callback"

    settings = {"patience": 1, "validation": (X, 1 - 2 * Y)} if why == "patience" else {}
    _, history, live = watched(live=Live(X, Y, every=1e9), callbacks=[stop], **settings)
    assert history.stopped == why
    assert moments[-1] == (len(history) - 1, len(history))
    assert live.moments[-1][0] == len(history) - 1


def test_long_trainings_keep_few_moments_evenly_spaced(monkeypatch):
    drawn(monkeypatch)
    _, _, live = watched(epochs=500)
    epochs = [epoch for epoch, _, _ in live.moments]
    assert len(epochs) <= 65
    assert epochs[0] == 0
    assert epochs[-1] == 499
    assert len(set(np.diff(epochs[:-1]))) == 1
    assert all(len(cost) == epoch + 1 for epoch, _, cost in live.moments)


def test_watching_changes_nothing():
    watched_model, _, _ = watched()
    alone = MLP(2, [3, 1], "tanh", seed=0)
    fit(alone, X, 2 * Y - 1, loss=hinge, optimizer=Adam(alone.parameters(), lr=0.05), epochs=12, progress=False)
    assert [p.data for p in watched_model.parameters()] == [p.data for p in alone.parameters()]


def test_the_picture_has_boundary_maps_and_cost():
    _, history, live = watched(epochs=3)
    boundary, *maps, cost = live.figure.get_axes()
    assert len(boundary.collections) >= 2
    assert sum(ax.get_visible() for ax in maps) == 4  # three neurons and the output
    np.testing.assert_allclose(cost.lines[0].get_ydata(), history.cost)
    assert live._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("sizes", "shown", "said"),
    [
        ([16, 1], 17, ""),
        ([16, 16, 1], 33, ""),
        ([9] * 3 + [1], 28, ""),
        ([9] * 5 + [1], 46, ""),
        ([64, 64, 1], 51, "51 of 129 neurons"),
    ],
)
def test_as_many_neurons_have_maps_as_there_is_room_for_each_with_its_own_activation(sizes, shown, said):
    model = MLP(2, sizes, "tanh", seed=0)
    figure = portrait(model, X, Y, 0, [1.0])
    figure.draw_without_rendering()
    _, *maps, _ = figure.get_axes()
    maps = [ax for ax in maps if ax.get_visible()]
    assert len({ax.get_title() for ax in maps}) == len(maps) == shown
    assert (maps[0].figure.get_suptitle() or "") == said
    assert min(min(ax.get_window_extent().size) for ax in maps) > 15
    first, last = maps[0].images[0], maps[-1].images[0]
    left, right, low, high = first.get_extent()
    np.testing.assert_allclose(first.get_array()[0, 0], model.layers[0]([left, low])[0].data)
    np.testing.assert_allclose(last.get_array()[-1, -1], model([right, high]).data)


def test_where_there_are_no_maps_there_is_no_empty_place():
    class Ring(Module):
        def __call__(self, x):
            return x[0] * x[0] + x[1] * x[1] - 1.0

    figure = portrait(Ring(), X, Y, 0, [1.0])
    figure.draw_without_rendering()
    boundary, cost = figure.get_axes()
    assert boundary.get_window_extent().width > 0.45 * 960
    assert cost.get_window_extent().x0 - boundary.get_window_extent().x1 < 0.1 * 960


def test_a_film_and_a_contact_sheet_are_left_and_the_model_is_as_it_was(tmp_path):
    model, history, _ = watched(epochs=9)
    before = [p.data for p in model.parameters()]
    history.movie(tmp_path / "training.gif", fps=5)
    with Image.open(tmp_path / "training.gif") as film:
        assert film.n_frames >= 2
    sheet = history.sheet(4)
    first, *_, last = sheet.get_axes()
    assert first.get_title().startswith("epoch 1,")
    assert last.get_title().startswith("epoch 9,")
    assert [p.data for p in model.parameters()] == before


def test_what_cannot_be_shown_is_said(tmp_path):
    with pytest.raises(ValueError, match="callbacks"):
        History().movie("training.gif")
    with pytest.raises(ValueError, match="callbacks"):
        Live(X, Y).sheet()
    _, history, _ = watched(epochs=2)
    with pytest.raises(ValueError, match=r"\.gif"):
        history.movie(tmp_path / "training.mp4")
    with pytest.raises(ValueError, match="plane"):
        Live(*iris())


def test_a_notebook_shows_one_picture_that_is_updated(monkeypatch):
    shown = []

    class Handle:
        def update(self, image, **settings):
            shown.append(("update", image["image/png"][:4], settings["metadata"]["image/png"]["width"]))

    def display(image, **settings):
        shown.append(("display", image["image/png"][:4], settings["display_id"]))
        return Handle()

    monkeypatch.setattr("nn.live.notebook_display", lambda: display)
    watched(epochs=3)
    assert shown[0] == ("display", b"\x89PNG", True)
    assert {kind for kind, *_ in shown[1:]} == {"update"}
    assert all(width < 1100 for _, _, width in shown[1:])
