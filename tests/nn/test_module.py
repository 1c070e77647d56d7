"""Module: parameters found among attributes, and their state as arrays."""

import numpy as np
import pytest

from autograd import Value
from nn import MLP, Layer, Module, Neuron


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


# Cycles, ties and collisions


class Block(Module):
    def __init__(self, net):
        self.net, self.w = net, Value(1.0)


class Net(Module):
    def __init__(self):
        self.b, self.v = Block(self), Value(2.0)


def test_a_part_that_knows_its_whole_is_walked_once():
    net = Net()
    assert [name for name, _ in net.named_parameters()] == ["b.w", "v"]
    assert set(net.state_dict()) == {"b.w", "v"}
    net.load_state_dict({"b.w": 3.0, "v": 4.0})
    assert [p.data for p in net.parameters()] == [3.0, 4.0]
    assert [p.data for p in net.b.parameters()] == [4.0, 3.0]  # seen from the part, the whole is a part of it


def test_names_that_coincide_are_told_apart():
    class Clash(Module):
        def __init__(self):
            self.a = {1: Value(1.0), "1": Value(2.0)}

    clash = Clash()
    state = clash.state_dict()
    assert [float(x) for x in state.values()] == [1.0, 2.0]
    assert list(state) == [name for name, _ in clash.named_parameters()]
    model = MLP(2, [2, 1], seed=0)
    model.layers += [Layer(1, 2), Layer(2, 1)]
    names = [name for name, _ in model.named_parameters()]
    assert len(set(names)) == len(names) == len(model.parameters())
    for p in model.parameters():
        p.label = ""
    assert len({name for name, _ in model.named_parameters()}) == len(names)


def test_tied_layers_are_listed_once_and_cannot_be_given_two_states():
    model = MLP(2, [2, 2], seed=0)
    model.layers[1] = model.layers[0]
    assert len(model.parameters()) == 6
    assert [p for _, p in model.named_parameters()] == model.parameters()
    state = model.state_dict()
    assert set(state) == {f"layers.{i}.{name}" for i in (0, 1) for name in ("weight", "bias")}
    model.load_state_dict({name: x + 1 for name, x in state.items()})
    before = [p.data for p in model.parameters()]
    with pytest.raises(ValueError, match="are the same parameters, but differ"):
        model.load_state_dict({**state, "layers.1.bias": state["layers.1.bias"] + 5})
    assert [p.data for p in model.parameters()] == before


def test_parameters_are_those_that_have_names():
    class Gained(Neuron):
        def __init__(self, n_in):
            super().__init__(n_in)
            self.gain = Value(1.0)

    layer = Layer(2, 2)
    layer.neurons = [Gained(2), Gained(2)]
    model = MLP(2, [2, 1])
    model.layers[0] = layer
    model.temperature = Value(1.0)
    for module in (layer, model, layer.neurons[0]):
        assert module.parameters() == [p for _, p in module.named_parameters()]
        assert sum(x.size for x in module.state_dict().values()) == len(module.parameters())


def test_masked_numbers_and_text_are_no_state():
    layer = Layer(1, 1)
    for bad in (np.ma.array([7.0], mask=[True]), np.array(["7"], object), ["7"], [10**400]):
        with pytest.raises(ValueError, match="'bias' does not hold real numbers"):
            layer.load_state_dict({**layer.state_dict(), "bias": bad})
