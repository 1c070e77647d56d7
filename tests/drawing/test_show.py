"""What results put into a notebook: rich, bounded, and never a traceback."""

import html.parser
import itertools
import math
import random
import sys
import xml.etree.ElementTree as ElementTree

import pytest
from seen import smallest_letters

import autograd
import nn
from autograd import Value, gradcheck, nudge, tanh
from autograd import sum as total
from autograd.compiler.listing import coloured, listing
from autograd.drawing.curves import curves
from autograd.show import LARGEST_RESULT, within_bounds

SVG = "{http://www.w3.org/2000/svg}"


class Text(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.text, self.tags = "", []

    def handle_data(self, data):
        self.text += data

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)


def read(markup):
    parser = Text()
    parser.feed(markup)
    return parser


def test_a_model_shows_its_neurons():
    for model in (nn.MLP(2, [3, 1], seed=0), nn.Layer(2, 3, seed=0), nn.Neuron(2, seed=0)):
        bundle = model._repr_mimebundle_()
        assert bundle["text/plain"] == repr(model)
        assert "<img src=" in bundle["text/html"]
        ElementTree.fromstring(bundle["image/svg+xml"])


@pytest.mark.parametrize("widths", [[64, 32, 16, 10], [2, *[4] * 12], [2, 300, 1]])
def test_the_picture_of_a_large_model_fits_a_column_and_is_bounded(widths):
    model = nn.MLP(widths[0], widths[1:], seed=0)
    assert autograd.draw(model).width <= 1100
    assert autograd.draw(model).height <= 900
    assert sum(len(content.encode()) for content in model._repr_mimebundle_().values()) <= LARGEST_RESULT


def test_what_is_too_large_is_left_out_the_bare_svg_first():
    assert set(within_bounds({"text/plain": "x", "image/svg+xml": "s" * 200_000, "text/html": "h" * 250_000})) == {
        "text/plain",
        "text/html",
    }
    assert set(within_bounds({"text/plain": "x", "image/svg+xml": "", "text/html": "é" * 200_000})) == {"text/plain"}


def test_a_bare_value_is_bounded_whatever_its_labels():
    rng = random.Random(0)
    leaves = [Value(rng.random(), label=f"{'<&' * 5_000}_{i}") for i in range(20)]
    value = total([a * b for a in leaves[:6] for b in leaves[14:]])
    bundle = value._repr_mimebundle_()
    assert sum(len(content.encode()) for content in bundle.values()) <= LARGEST_RESULT


def test_a_history_shows_its_curves():
    history = nn.History(cost=[1.0, 0.1, 0.01], validation_cost=[1.0, 0.2, 0.1], metrics={"accuracy": [0.5, 0.7, 0.9]})
    bundle = history._repr_mimebundle_()
    assert bundle["text/plain"] == repr(history)
    svg = ElementTree.fromstring(bundle["image/svg+xml"])
    words = {"".join(text.itertext()) for text in svg.iter(f"{SVG}text")}
    assert {"cost", "validation cost", "accuracy", "epoch", "1", "2", "3"} <= words


@pytest.mark.parametrize(
    "costs", [[], [1.0], [0.0, 0.0], [math.nan], [math.nan, 1.0, math.inf], [1e300, 1e-300], [-1.0, 1.0], [5.0] * 3]
)
def test_curves_of_any_numbers_are_drawn(costs):
    picture = curves("<cost & more>", {"cost": costs})
    root = ElementTree.fromstring(picture.svg)
    if len(costs) == 1 and math.isfinite(costs[0]):
        assert list(root.iter(f"{SVG}circle"))  # a single point is seen
    numbers = [float(x) for path in root.iter(f"{SVG}path") for x in path.get("d").replace("M", " ").split()[:1]]
    assert all(map(math.isfinite, numbers))


def test_a_curve_of_a_million_epochs_stays_small_and_keeps_its_extremes():
    costs = [1.0 + math.sin(i) / 10 for i in range(200_000)]
    costs[123_456] = 9.0
    picture = curves("cost", {"cost": costs})
    assert len(picture.svg) < 60_000
    assert "9" in picture.svg


def test_a_falling_cost_is_on_a_line_on_a_logarithmic_axis():
    picture = curves("cost", {"cost": [10.0**-k for k in range(6)]})
    [curve] = [p for p in ElementTree.fromstring(picture.svg).iter(f"{SVG}path") if p.get("stroke-width") == "1.8"][:1]
    points = [tuple(map(float, part.split())) for part in curve.get("d")[1:].split("L")]
    steps = {round(b[1] - a[1], 1) for a, b in itertools.pairwise(points)}
    assert len(steps) <= 2
    assert max(steps) - min(steps) <= 0.11


def test_the_curves_of_a_history_can_be_saved(tmp_path):
    picture = nn.History(cost=[1.0, 0.5]).picture
    picture.save(tmp_path / "history.svg")
    assert (tmp_path / "history.svg").read_text(encoding="utf-8") == picture.svg


def test_letters_of_every_picture_are_large_enough_to_read():
    w = Value(0.5, label="w_1^(2)")
    C = tanh(w) ** 2
    pictures = [
        autograd.draw(nn.MLP(3, [4, 1], seed=0)),
        autograd.draw(nn.MLP(3, [4] * 12, seed=0)),
        nudge(C, w).picture,
        nudge(C, w).sweep().picture,
        curves("cost", {"cost": [1.0, 1e-6, 1e-9], "validation_cost": [2.0, 1.0]}),
    ]
    for picture in pictures:
        assert smallest_letters(picture.svg) >= 11
        assert picture.width <= 1100


@pytest.mark.parametrize(
    "label", ["</text><script>", "]]>", '" onload="x', "\x00", "a\nb", "\u202e", "&amp;", "{{picture}}"]
)
def test_hostile_names_stay_text_in_curves_and_folded_pages(label):
    root = ElementTree.fromstring(curves(label, {label: [1.0, 2.0]}).svg)
    assert not [e for e in root.iter() if e.tag.endswith("script")]
    v = Value(0.5, label=label)
    for i in range(80):
        v = tanh(v * (1 + i))
        v.label = label
    page = autograd.play(v, engine="builtin")
    ElementTree.fromstring(page.drawing.svg)
    tags = read(page.html.split("<script", 1)[0]).tags
    assert "script" not in tags
    assert page.html.count("<script") == 2


def test_health_and_gradcheck_are_tables():
    X, y = nn.moons(20, seed=0)
    report = nn.health(nn.MLP(2, [3, 1], "tanh", seed=0), X, 2 * y - 1, nn.hinge)
    shown = read(report._repr_mimebundle_()["text/html"])
    assert shown.tags.count("tr") == 3
    assert "saturated" in shown.text
    check = gradcheck(lambda a, b: tanh(a * b), 0.5, 2.0)
    shown = read(check._repr_mimebundle_()["text/html"])
    assert shown.tags.count("tr") == 3
    assert "2 agree" in shown.text


def test_a_program_shows_its_source_in_colours_and_how_many_calls_it_takes():
    x = Value(2.0, label="<script>alert(1)</script>")
    program = autograd.compile(tanh(x) * x, wrt=[x])
    shown = read(program._repr_html_())
    assert f"in {program.kernels} NumPy calls" in shown.text
    assert program.source.splitlines()[0] in shown.text
    assert "script" not in shown.tags
    assert len(program._repr_html_()) <= LARGEST_RESULT


@pytest.mark.parametrize(
    "source", ["", "x", "def f(x):\n    return 'a<b' + x  # é\n", "a = (1,\n", "'unclosed", "\tx\n y"]
)
def test_colours_leave_the_text_as_it_is(source):
    assert read(coloured(source)).text == source
    assert read(listing(source, "c")).text.startswith("c")


def test_a_long_source_is_cut_and_says_so():
    shown = read(listing("x = 1\n" * 5_000, "c")).text
    assert "and 4,880 more lines" in shown


def test_a_nudge_shows_its_number_lines():
    w = Value(0.5, label="w")
    result = nudge(tanh(w) ** 2, w)
    bundle = result._repr_mimebundle_()
    assert bundle["image/svg+xml"] == result.svg == result.picture.svg
    assert "<table>" in bundle["text/html"]


def test_arrays_of_axes_print_short():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    model = nn.MLP(2, [3, 1], "tanh", seed=0)
    X, _ = nn.moons(20, seed=0)
    assert repr(nn.plot_activations(model, X)) == "<2 x 3 axes>"
    assert repr(nn.plot_histograms(model)) == "<2 x 2 axes>"
    matplotlib.pyplot.close("all")


def test_showing_never_raises(monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("no picture")

    monkeypatch.setattr(sys.modules["autograd.drawing.draw"], "Drawing", broken)
    v = Value(2.0) * 2
    assert v._repr_mimebundle_() == {"text/plain": repr(v)}
    model = nn.MLP(2, [3, 1], seed=0)
    assert model._repr_mimebundle_() == {"text/plain": repr(model)}


def test_names_are_typeset_in_tables():
    w = Value(0.5, label="w_1^(2)")
    z = tanh(w)
    z.label = "z_1^(2)"
    C = z**2
    C.backward()
    for markup in (autograd.draw(C)._repr_html_(), nudge(C, w)._repr_mimebundle_()["text/html"]):
        assert "w_1^(2)" not in markup.split("<table", 1)[1].split("<thead", 1)[1]
        assert {"sub", "sup"} <= set(read(markup).tags)
