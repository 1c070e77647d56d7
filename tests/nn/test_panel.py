"""Panel: a network that is trained step by step, by methods or by buttons."""

import asyncio

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from nn import MLP, Adam, Panel, binary_cross_entropy, fit, moons


def test_its_steps_are_those_of_fit():
    panel = Panel("moons", [4], lr=0.05)
    panel.train(12)
    X, y = moons(100, seed=0)
    model = MLP(2, [4, 1], "tanh", seed=0)
    history = fit(
        model,
        X,
        y,
        loss=binary_cross_entropy,
        optimizer=Adam(model.parameters(), lr=0.05),
        epochs=12,
        progress=False,
    )
    assert panel.cost == history.cost
    assert [p.data for p in panel.model.parameters()] == [p.data for p in model.parameters()]


def test_starting_anew_takes_new_settings_and_forgets_the_steps():
    panel = Panel("circles", [3])
    panel.train(3)
    panel.reset(hidden=[2, 2], activation="relu")
    assert panel.cost == []
    assert [layer.n_out for layer in panel.model.layers] == [2, 2, 1]
    assert panel.settings["points"] == "circles"


def test_what_it_cannot_do_it_says_and_nothing_changes():
    panel = Panel("xor", [2])
    model = panel.model
    for wrong, error in (
        ({"colour": 1}, TypeError),
        ({"points": "squares"}, ValueError),
        ({"hidden": [0]}, ValueError),
    ):
        with pytest.raises(error):
            panel.reset(**wrong)
    assert panel.model is model
    assert panel.settings["points"] == "xor"
    with pytest.raises(ValueError, match=r"w_00\^\(1\)"):
        panel.explain("w")


def test_a_weight_is_explained_for_the_step_that_comes_next():
    panel = Panel("moons", [2])
    panel.train(5)
    before = [p.data for p in panel.model.parameters()]
    explanation = panel.explain("w_00^(1)")
    _, gradient = panel._source.value_and_grad(np.array(before), np.arange(100), 0)
    assert f"{gradient[0]:.4g}"[:6] in str(explanation)
    assert [p.data for p in panel.model.parameters()] == before


def test_without_widgets_it_is_its_picture(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    data, sizes = Panel("moons", [2])._repr_mimebundle_()
    assert set(data) == {"text/plain", "image/png"}
    assert sizes["image/png"]["width"] < 1100


class TestWidgets:
    @pytest.fixture
    def made(self):
        pytest.importorskip("ipywidgets")
        from nn.panel import Widgets

        return Widgets(Panel("moons", [2]))

    def test_a_step_trains_and_shows(self, made):
        before = made.image.value
        made.step.click()
        assert len(made.panel.cost) == 1
        assert made.image.value != before
        assert made.line.value.startswith("step 1, cost")

    def test_sliders_act_at_once(self, made):
        made.advance(3)
        made.layers.value = 2
        assert [layer.n_out for layer in made.panel.model.layers] == [2, 2, 1]
        assert made.panel.cost == []
        made.lr.value = 0.1
        assert made.panel.lr == pytest.approx(0.1)
        made.points.value = "circles"
        assert made.panel.settings["points"] == "circles"

    def test_a_chosen_weight_is_explained_and_stays_text(self, made):
        made.weight.value = "w_00^(1)"
        assert "<pre" in made.words.value
        assert "w_00^(1)" in made.words.value
        made.weight.value = ""
        assert made.words.value == ""

    def test_play_trains_until_it_is_pressed_again_and_a_change_meanwhile_leaves_nothing_stale(self, made):
        async def played():
            made.play.value = True
            await asyncio.sleep(0.3)
            made.activation.value = "relu"
            await asyncio.sleep(0.3)
            assert made.panel.model.layers[0].activation == "relu"
            made.play.value = False
            await made.task
            return len(made.panel.cost)

        steps = asyncio.run(played())
        assert steps > 0
        assert len(made.panel.cost) == steps

    def test_another_panel_pauses_the_one_that_plays(self, made):
        from nn.panel import Widgets

        async def played():
            made.play.value = True
            await asyncio.sleep(0.2)
            another = Widgets(Panel("xor", [2]))
            await made.task
            return another

        another = asyncio.run(played())
        assert not made.play.value
        assert another.panel.cost == []

    def test_an_error_while_playing_ends_it(self, made, monkeypatch):
        async def played():
            monkeypatch.setattr(made.panel, "train", lambda steps: 1 / 0)
            made.play.value = True
            with pytest.raises(ZeroDivisionError):
                await made.task

        asyncio.run(played())
        assert not made.play.value

    def test_what_is_displayed_is_of_this_moment_and_keeps_a_picture(self, made):
        panel = made.panel
        panel._widgets = made
        panel.train(2)
        data, _ = panel._repr_mimebundle_()
        assert made.line.value.startswith("step 2,")
        assert {"image/png", "text/plain", "application/vnd.jupyter.widget-view+json"} <= set(data)
