"""Module: parameters found among attributes, and their state as arrays."""

import numpy as np
import pytest

from autograd import Value
from nn import MLP, Layer, Module


class Line(Module):
    def __init__(self):
        self.name = "a line"
        self.slope, self.intercept = Value(2.0), Value(1.0)

    def __call__(self, x):
        return self.slope * x + self.intercept


class Nested(Module):
    def __init__(self):
        self.scales = [Value(1.0), Value(2.0)]
        self.heads = {"left": Layer(2, 1, seed=0), "right": Line()}
        self.tied = self.scales[0]
        self.cached = self.scales[0] * 3


class MicrogradStyle(Module):
    def __init__(self):
        self.hidden = (Value(1.0),)

    def parameters(self):
        return list(self.hidden)


def test_parameters_are_the_values_among_the_attributes():
    line = Line()
    assert line.parameters() == [line.slope, line.intercept]
    assert repr(line) == "Line(2 parameters)"


def test_lists_dicts_and_inner_modules_are_searched_and_each_parameter_listed_once():
    names = [name for name, _ in Nested().named_parameters()]
    assert names == [
        "scales.0",
        "scales.1",
        "heads.left.w_00",
        "heads.left.w_01",
        "heads.left.b_0",
        "heads.right.slope",
        "heads.right.intercept",
    ]


def test_a_computed_value_among_the_attributes_is_no_parameter():
    model = Nested()
    assert model.cached not in model.parameters()


def test_a_module_without_parameters_has_none():
    assert Module().parameters() == []


def test_zero_grad_clears_every_parameter_of_a_class_that_lists_its_own():
    model = MicrogradStyle()
    model.hidden[0].grad = 3.0
    model.zero_grad()
    assert model.hidden[0].grad == 0.0


def test_state_dict_has_the_shapes_of_pytorchs_linear():
    model = MLP(3, [4, 2], seed=0)
    state = model.state_dict()
    assert {name: array.shape for name, array in state.items()} == {
        "layers.0.weight": (4, 3),
        "layers.0.bias": (4,),
        "layers.1.weight": (2, 4),
        "layers.1.bias": (2,),
    }
    assert all(array.dtype == np.float64 for array in state.values())
    assert state["layers.0.weight"][1, 2] == model.layers[0].neurons[1].w[2].data


def test_state_dict_is_a_copy():
    line = Line()
    line.state_dict()["slope"][...] = 9.0
    assert line.slope.data == 2.0


@pytest.mark.parametrize("make", [Line, Nested, lambda: MLP(2, [3, 1]), lambda: Layer(2, 3)])
def test_a_loaded_state_gives_an_equal_model(make):
    source, target = make(), make()
    for parameter in target.parameters():
        parameter.data = -1.0
    target.load_state_dict(source.state_dict())
    assert [p.data for p in target.parameters()] == [p.data for p in source.parameters()]


def test_plain_lists_and_integers_load_as_numbers():
    line = Line()
    line.load_state_dict({"slope": 3, "intercept": np.float32(0.5)})
    assert (line.slope.data, line.intercept.data) == (3.0, 0.5)


def test_every_fault_of_a_state_is_named_and_nothing_is_loaded():
    model = MLP(2, [3, 1], seed=0)
    before = [p.data for p in model.parameters()]
    state = model.state_dict()
    del state["layers.1.bias"]
    state |= {"layers.0.bias": np.zeros(4), "layers.0.weight": np.full((3, 2), "x"), "extra": np.zeros(1)}
    with pytest.raises(ValueError, match=r"missing 'layers.1.bias'") as caught:
        model.load_state_dict(state)
    message = str(caught.value)
    assert "unexpected 'extra'" in message
    assert "'layers.0.bias' has shape (4,), not (3,)" in message
    assert "'layers.0.weight' does not hold real numbers" in message
    assert [p.data for p in model.parameters()] == before


def test_a_ragged_state_is_refused():
    with pytest.raises(ValueError, match="'weight' does not hold real numbers"):
        Layer(2, 2).load_state_dict({"weight": [[1.0], [1.0, 2.0]], "bias": [0.0, 0.0]})


def test_a_state_is_a_mapping():
    with pytest.raises(TypeError, match="takes a mapping of names to arrays, not list"):
        Line().load_state_dict([1.0, 2.0])
