import re
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Value, draw
from autograd.drawing import svg
from autograd.drawing.layout import arrange
from autograd.drawing.svg import Arrow, Box, write
from autograd.explaining.typography import Run, name, quantity
from nn import MLP, Neuron

SVG = "{http://www.w3.org/2000/svg}"


def test_a_superscript_stands_above_its_subscript():
    markup = svg.tspans(name("w_jk^(l)"), 20)
    below, above = re.findall(r"<tspan[^>]*>", markup)[-2:]
    assert 'dy="4.4"' in below
    assert 'dx="-' in above  # back to the left, over the subscript
    assert 'dy="-11.6"' in above


def test_coordinates_have_two_decimals_and_no_negative_zero():
    assert [svg.coordinate(x) for x in (-0.001, 1.0, 1.005, 2.5, 1 / 3)] == ["0", "1", "1", "2.5", "0.33"]


def picture(*boxes, arrows=()):
    return write("a title", "a description", boxes, arrows, arrange([box.size() for box in boxes], []))


def test_a_picture_is_self_contained_and_accessible():
    text = picture(Box("operation", name("z"), lines=[quantity(1.0)], badge=(Run("grad 1"),), sign=1, strength=1))
    root = ElementTree.fromstring(text)
    assert root.get("role") == "img"
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"
    assert root.get("width").isdigit()
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert (title.text, description.text) == ("a title", "a description")
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert root.find(f"{SVG}rect").get("class") == "paper"
    assert "prefers-color-scheme:dark" in text
    assert "currentColor" not in text
    assert "href" not in text


def test_ids_and_styles_belong_to_one_picture_only():
    one, two = picture(Box("input", name("x"))), picture(Box("input", name("y")))
    ids = [ElementTree.fromstring(text).get("id") for text in (one, two)]
    assert ids[0] != ids[1]
    assert all(re.fullmatch("g[0-9a-f]{10}", id) for id in ids)
    style = ElementTree.fromstring(one).find(f"{SVG}style").text
    rules = style.replace("@media(prefers-color-scheme:dark){", "").split("}")
    assert all(
        selector.startswith(f"#{ids[0]} ") for rule in rules if rule for selector in rule.split("{")[0].split(",")
    )


@given(st.text(max_size=20))
def test_any_text_as_a_label_gives_well_formed_svg(label):
    box = Box("input", name(label) if label else (), tooltip=label)
    ElementTree.fromstring(picture(box))


def test_markup_in_a_label_is_text():
    root = ElementTree.fromstring(picture(Box("input", name('<script>alert("x")</script>'))))
    assert root.find(f".//{SVG}script") is None
    assert "<script>alert(" in "".join(root.itertext())


def test_box_is_wide_enough_for_every_line():
    short, long = Box("input", name("x")), Box("input", name("x"), badge=(Run("grad 0.1234567890123456789"),))
    assert long.size()[0] > short.size()[0] > 0


def test_a_highlighted_edge_is_drawn_over_the_others():
    boxes = [Box("input", name(c)) for c in "abc"]
    arrows = [Arrow(0, 2, bold=True, tooltip="bold"), Arrow(1, 2, tooltip="faint", dim=True)]
    from autograd.drawing.layout import Edge

    placed = arrange([box.size() for box in boxes], [Edge(a.tail, a.head) for a in arrows])
    text = write("t", "d", boxes, arrows, placed)
    assert text.index("faint") < text.index("bold</title>")


def of_a_model(*, label):
    cost = (MLP(2, [12, 12, 1], "tanh", seed=0)([Value(0.5, "x_0"), Value(-0.5, "x_1")]) - 1) ** 2
    cost.label = label
    return cost


# For each kind of box a graph that has one
DRAWN = {
    "parameter": lambda: draw(Neuron(2, "tanh", seed=0)([1.0, Value(-0.5, "x_1")])),
    "input": lambda: draw(of_a_model(label="C")),
    "leaf": lambda: draw(Value(2.0, "x") * 3),
    "constant": lambda: draw(Value(2.0, "x") * 3),
    "operation": lambda: draw(Value(2.0, "x") * 3),
    "neuron": lambda: draw(of_a_model(label="C")),
    "group": lambda: draw(autograd.sum([Value(float(k)) for k in range(200)])),
    "cost": lambda: draw(of_a_model(label="C")),
}


def test_every_kind_of_box_has_its_shape():
    shapes = {kind: svg.outline(kind, 0.0, 0.0, 80.0, 40.0) for kind in svg.BOX_KINDS if kind != "leaf"}
    shapes["neuron"] = svg.outline("neuron", 0.0, 0.0, 40.0, 40.0)
    for kind, shape in shapes.items():
        assert [other for other in shapes if shapes[other] == shape] == [kind]
    assert svg.outline("leaf", 0.0, 0.0, 80.0, 40.0) == shapes["input"]  # where there are parameters, leaves are inputs


@pytest.mark.parametrize("kind", svg.BOX_KINDS)
def test_every_kind_of_box_is_drawn_and_in_the_legend(kind):
    assert kind in DRAWN, f"DRAWN needs a graph with a box of the kind {kind}"
    drawing = DRAWN[kind]()
    assert f'class="node {kind}' in drawing.svg
    assert ("several values, folded" if kind == "group" else kind) in drawing.svg
