import xml.etree.ElementTree as ElementTree

import pytest

from autograd import Value, draw, tanh


def cost_of_one_neuron() -> Value:
    w, a, b, y = (Value(x, label=label) for x, label in ((0.5, "w"), (2.0, "a"), (-0.7, "b"), (1.0, "y")))
    z = w * a + b
    z.label = "z"
    C = (tanh(z) - y) ** 2
    C.label = "C"
    return C


@pytest.mark.parametrize("engine", ["builtin", "graphviz-pure", "dot", None])
def test_every_engine_gives_well_formed_svg(engine):
    drawing = draw(cost_of_one_neuron(), engine=engine)
    root = ElementTree.fromstring(drawing.svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert drawing.engine in ("dot", "graphviz-pure", "builtin")


def test_a_suffix_that_is_not_svg_is_refused_with_advice(tmp_path):
    with pytest.raises(ValueError, match=r"saved as \.svg .* not as '\.png'"):
        draw(cost_of_one_neuron()).save(tmp_path / "graph.png")
    assert not list(tmp_path.iterdir())
