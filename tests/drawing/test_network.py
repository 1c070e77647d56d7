import xml.etree.ElementTree as ElementTree

import pytest

import nn
from autograd import draw
from autograd.drawing.network import Network, neurons_by_layer


def network(model):
    return Network(model, neurons_by_layer(model))


def test_a_model_is_columns_of_neurons_joined_by_every_weight():
    drawn = network(nn.MLP(3, [4, 2], seed=0))
    assert sum(box.kind == "unit" for box in drawn.boxes) == 3 + 4 + 2
    assert len(drawn.arrows) == 3 * 4 + 4 * 2
    columns = {x for box, (x, _) in zip(drawn.boxes, drawn.centres) if box.kind == "unit"}
    assert len(columns) == 3


def test_an_edge_has_the_colour_and_the_thickness_of_its_weight():
    model = nn.MLP(2, [2, 1], seed=0)
    neuron = model.layers[1].neurons[0]
    neuron.w[0].data, neuron.w[1].data = -2.0, 0.5
    strong, weak = network(model).arrows[-2:]
    assert (strong.sign, strong.strength) == (-1, 1.0)
    assert (weak.sign, weak.strength) == (1, 0.25)
    assert "w_00^(2) = -2.0" in strong.tooltip


def test_of_a_wide_layer_the_first_and_last_neurons_are_drawn():
    drawn = network(nn.MLP(64, [3], seed=0))
    assert sum(box.kind == "unit" for box in drawn.boxes) == 14 + 3
    assert sum(box.kind == "gap" for box in drawn.boxes) == 1
    assert len(drawn.arrows) == 14 * 3


@pytest.mark.parametrize("part", [lambda m: m.layers[0], lambda m: m.layers[0].neurons[0]])
def test_a_layer_and_a_neuron_are_drawn_as_networks_too(part):
    drawing = draw(part(nn.MLP(2, [3, 1], seed=0)))
    assert drawing.engine == "builtin"
    ElementTree.fromstring(drawing.svg)


def test_a_model_is_drawn_as_well_formed_svg_with_a_table_and_dot():
    drawing = draw(nn.MLP(2, [3, 1], activation="tanh", seed=0))
    ElementTree.fromstring(drawing.svg)
    assert "Network 2-3-1, 13 parameters" in repr(drawing)
    assert drawing.dot.count("->") == 9
    assert "tanh" in drawing.table


def test_what_is_neither_a_value_nor_a_model_is_refused():
    with pytest.raises(TypeError, match=r"draw takes a Value, .* or a model of neurons; not list \[1, 2\]"):
        draw([1, 2])
    assert neurons_by_layer(3.0) is None


@pytest.mark.parametrize("option", [{"highlight": []}, {"unfold": "layers"}, {"parameters": []}])
def test_options_of_graphs_are_refused_for_models(option):
    with pytest.raises(ValueError, match="are for the graph of a Value, not for a model"):
        draw(nn.MLP(2, [1], seed=0), **option)
