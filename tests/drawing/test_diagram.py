import math
from collections import Counter
from itertools import pairwise

import pytest
from thirty import THIRTY

import nn
from autograd import Value, clip, draw, exp, leaky_relu, mean, paths, relu, tanh, weighted_sum
from autograd import sum as total
from autograd.core.graph import topological_order
from autograd.drawing.diagram import Diagram
from autograd.drawing.folding import foldings
from autograd.drawing.names import Names
from autograd.explaining.notation import runs
from autograd.explaining.symbols import BareOperation, Blank, Several, contains, names_in, worth
from autograd.explaining.typography import plain_text


def graph():
    w, a, b, y = (Value(x, label=label) for x, label in ((0.5, "w"), (2.0, "a"), (-0.7, "b"), (1.0, "y")))
    z = w * a + b
    z.label = "z"
    C = (tanh(z) - y) ** 2
    C.label = "C"
    return w, z, C


def box_of(diagram, value):
    return diagram.boxes[diagram.number[value]]


def test_a_box_shows_name_formula_data_and_gradient():
    _, z, C = graph()
    C.backward()
    box = box_of(Diagram(C), z)
    assert plain_text(box.heading) == "z"
    assert plain_text(box.remark) == "w a + b"
    assert [plain_text(line) for line in box.lines] == ["0.3"]
    assert plain_text(box.badge) == "grad −1.297"


def test_gradients_are_not_computed_before_a_backward_pass():
    _w, _z, C = graph()
    diagram = Diagram(C)
    assert {plain_text(box.badge) for box in diagram.boxes if box.kind != "constant"} == {"grad not computed"}
    assert "call backward() first" in diagram.description
    C.backward()
    diagram = Diagram(C)
    assert not any("not computed" in plain_text(box.badge) for box in diagram.boxes)
    assert "call backward" not in diagram.description


def test_a_gradient_of_zero_is_told_from_one_that_is_not_computed():
    x, y = Value(2.0, label="x"), Value(0.0, label="y")
    (x * y).backward()
    cost = x * y
    cost.backward()
    assert plain_text(box_of(Diagram(cost), x).badge) == "grad 0"


def test_a_leaf_that_another_cost_reached_shows_its_gradient_and_the_rest_does_not():
    x = Value(2.0, label="x")
    (x * 3).backward()
    cost = tanh(x)
    diagram = Diagram(cost)
    assert plain_text(box_of(diagram, x).badge) == "grad 3"
    assert plain_text(box_of(diagram, cost).badge) == "grad not computed"


def test_local_derivatives_are_on_the_edges():
    w, _, C = graph()
    diagram = Diagram(C)
    [(edge, origin)] = [(e, o) for e, o in zip(diagram.arrows, diagram.origin) if e.tail == diagram.number[w]]
    assert plain_text(edge.label) == "2"
    assert origin[0].parents[0] is w


def test_a_square_written_as_a_product_has_two_edges():
    x = Value(3.0, label="x")
    diagram = Diagram(x * x)
    assert [(arrow.tail, arrow.head, plain_text(arrow.label)) for arrow in diagram.arrows] == [(0, 1, "3"), (0, 1, "3")]


def test_shapes_tell_parameters_inputs_operations_and_the_cost_apart():
    _, _z, C = graph()
    diagram = Diagram(C)
    kinds = {diagram.called(value): diagram.kind(value) for value in diagram.values}
    assert kinds["w"] == kinds["b"] == kinds["a"] == kinds["y"] == "leaf"  # whatever the letter
    assert kinds["z"] == "operation"
    assert kinds["C"] == "cost"


def test_a_model_says_which_leaves_are_parameters():
    x = Value(0.5, label="x")
    diagram = Diagram(nn.MLP(1, [2, 1], seed=0)([x]))
    kinds = {value.label: diagram.kind(value) for value in diagram.values}
    assert {kind for label, kind in kinds.items() if label[0] in "wb"} == {"parameter"}
    assert kinds["x"] == "input"


def test_a_lone_neuron_is_a_model_too():
    neuron = nn.Neuron(1, seed=0)
    diagram = Diagram(neuron([Value(0.5, label="w")]))  # an input may be called w
    kinds = {value.label: diagram.kind(value) for value in diagram.values}
    assert (kinds["w_0"], kinds["b"], kinds["w"]) == ("parameter", "parameter", "input")


def test_what_backward_was_not_called_on_is_no_cost():
    x = Value(3.0, label="x")
    f = x * x
    assert Diagram(f).kind(f) == "operation"
    f.backward()
    assert Diagram(f).kind(f) == "cost"
    _, z, C = graph()
    assert Diagram(C).kind(C) == "cost"  # its label says so
    C.backward()
    assert Diagram(z).kind(z) == "operation"


def test_parameters_can_be_named():
    x, y = Value(1.0, label="x"), Value(1.0, label="w")
    diagram = Diagram(x * y, parameters=[x])
    assert [diagram.kind(v) for v in (x, y)] == ["parameter", "input"]


def test_plain_numbers_are_constants_with_edges_that_have_no_derivative():
    x = Value(2.0, label="x")
    diagram = Diagram(3.5 * x + 1)
    constants = [plain_text(box.heading) for box in diagram.boxes if box.kind == "constant"]
    assert constants == ["3.5", "1"]
    assert [arrow.label for arrow in diagram.arrows if arrow.dashed] == [(), ()]


def test_inputs_given_as_numbers_to_a_neuron_are_seen():
    neuron = nn.Neuron(2, "tanh", seed=0)
    diagram = Diagram(neuron([0.25, -4.0]))
    assert [plain_text(box.heading) for box in diagram.boxes if box.kind == "constant"] == ["0.25", "−4"]


def test_a_default_that_was_left_alone_is_not_drawn():
    x = Value(-2.0, label="x")
    assert not [box for box in Diagram(leaky_relu(x)).boxes if box.kind == "constant"]
    assert [plain_text(box.heading) for box in Diagram(leaky_relu(x, 0.2)).boxes if box.kind == "constant"] == ["0.2"]


def test_colour_tells_sign_and_strength_of_a_gradient():
    a, b, c = (Value(x, label=label) for x, label in ((1.0, "a"), (1.0, "p"), (1.0, "q")))
    cost = a * 1000 - b * 10 + c * 0
    cost.backward()
    diagram = Diagram(cost)
    assert (box_of(diagram, a).sign, box_of(diagram, b).sign, box_of(diagram, c).sign) == (1, -1, 0)
    assert 1.0 == box_of(diagram, a).strength > box_of(diagram, b).strength > 0.08


def test_infinite_and_undefined_gradients_can_be_drawn():
    x = Value(0.0, label="x")
    cost = x**0.5
    cost.grad, x.grad = 1.0, math.nan
    box = box_of(Diagram(cost), x)
    assert (plain_text(box.badge), box.sign) == ("grad nan", 0)
    x.grad = -math.inf
    box = box_of(Diagram(cost), x)
    assert (plain_text(box.badge), box.sign, box.strength) == ("grad −∞", -1, 1.0)


def test_a_highlighted_path_stands_out_and_the_rest_is_dimmed():
    w, _, C = graph()
    C.backward()
    diagram = Diagram(C, highlight=paths(C, w)[0])
    names = [plain_text(box.heading) for box in diagram.boxes if box.bold]
    assert names == ["w", "w a", "z", "tanh(z)", "tanh(z) − y", "C"]
    assert sum(arrow.bold for arrow in diagram.arrows) == 5
    assert all(thing.dim != thing.bold for thing in (*diagram.boxes, *diagram.arrows))


def test_each_path_through_a_repeated_parent_is_its_own_edge():
    x = Value(3.0, label="x")
    y = x * x
    bold = [[arrow.bold for arrow in Diagram(y, highlight=path).arrows] for path in paths(y, x)]
    assert sorted(bold) == [[False, True], [True, False]]


def test_a_list_of_values_can_be_highlighted():
    w, z, C = graph()
    product = z.parents[0]
    diagram = Diagram(C, highlight=[w, product, z])
    assert sum(arrow.bold for arrow in diagram.arrows) == 2


def test_what_is_not_a_path_to_the_cost_is_refused():
    w, _, C = graph()
    with pytest.raises(ValueError, match=r"a path to this cost, .*'alien'.* is not one of them"):
        Diagram(C, highlight=[Value(1.0, label="alien")])
    with pytest.raises(
        ValueError, match=r"as in paths\(cost, w\)\[0\], .* <Path w -> .* -> C, product .* is not one of them"
    ):
        Diagram(C, highlight=paths(C, w))
    with pytest.raises(TypeError, match=r"highlight takes a path, .* not 3"):
        Diagram(C, highlight=3)


def test_folded_edges_say_what_flows_back_through_them():
    model = nn.MLP(2, [3, 1], activation="tanh", seed=0)
    x = [Value(0.5, label="x_0"), Value(-1.0, label="x_1")]
    cost = (model(x) - 1) ** 2
    cost.backward()
    diagram = Diagram(cost, unfold="neurons")
    flows = [
        float(arrow.tooltip.split("; ")[1].split(" flows")[0])
        for arrow in diagram.arrows
        if arrow.tail == diagram.number[x[0]]
    ]
    assert len(flows) == 3
    assert math.fsum(flows) == pytest.approx(x[0].grad, rel=1e-12)


def test_a_layer_box_counts_neurons_parameters_and_examples():
    model = nn.MLP(2, [16, 16, 1], seed=0)
    cost = total([(model([k / 7, 1 - k / 7]) - 1) ** 2 for k in range(7)])
    layer = Diagram(cost, unfold="layers").boxes[1]
    assert plain_text(layer.heading) == "layer 2"
    assert [plain_text(line) for line in layer.lines] == ["16 neurons", "272 parameters", "7 examples"]


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda a, b: a + b, "a + b"),
        (lambda a, b: a * (a + b), "a (a + b)"),
        (lambda a, b: a - (a - b), "a − (a − b)"),
        (lambda a, b: a - b - a, "a − b − a"),
        (lambda a, b: a / (b * a), "a / (b a)"),
        (lambda a, b: -(a + b), "−(a + b)"),
        (lambda a, b: (a + b) ** 2, "(a + b)^2"),
        (lambda a, b: a * -2, "−2 a"),
        (lambda a, b: tanh(a * b), "tanh(a b)"),
        (lambda a, b: clip(a, 0, 1), "clip(a, 0, 1)"),
        (lambda a, b: total([a, b, a]), "2 a + b"),
        (lambda a, b: weighted_sum([a], [b]), "a b"),
        (lambda a, b: Value(1.0) * Value(2.0), "1 · 2"),
        (lambda a, b: Value(1.0) * a, "1 · a"),
        (lambda a, b: tanh(Value(1.0)), "tanh(1)"),
        (lambda a, b: total([tanh(Value(1.0)) for _ in range(4)]), "Σ of 4"),
        (lambda a, b: weighted_sum([a], [b]) / 2, "a b / 2"),
    ],
)
def test_an_unlabelled_value_is_named_by_its_formula(build, text):
    a, b = Value(2.0, label="a"), Value(3.0, label="b")
    cost = build(a, b)
    assert Diagram(cost).called(cost) == text


def test_the_formula_of_a_deep_graph_stays_short():
    v = Value(1.0, label="v")
    for _ in range(10_000):
        v = tanh(v) + 1
    assert len(Diagram(v).called(v)) < 40


def test_a_box_of_several_values_says_what_is_true_of_each():
    w = Value(0.5, label="w")
    x, signs, targets = [0.25, 1.0, -2.0, 3.0, 0.5], [1, -1, 1, 1, -1], [0.5, 0.5, 2.0, -1.0, 0.0]
    rows = [w * k for k in x]
    for z in rows:
        z.label = "z"
    costs = [relu(1 - y * z) for y, z in zip(signs, rows)] + [(z - y) ** 2 for y, z in zip(targets, rows)]
    cost = total([tanh(c) for c in costs])
    diagram = Diagram(cost, max_nodes=12, unfold=None)
    folded = [plain_text(box.heading) for box in diagram.boxes if box.kind == "group"]
    hinges = {"±z", "1 ± z", "u_1 = relu(1 ± z)", "tanh(u_1)"}
    squares = {"z − (−1 … 2)", "u_2 = (z − (−1 … 2))^2", "tanh(u_2)"}
    assert set(folded) == {"z"} | hinges | squares


def test_neighbours_in_a_row_are_not_taken_for_one_value():
    x = [Value(0.1 * k, label=f"x_{k}") for k in range(9)]
    cost = total([tanh(a - b) for a, b in pairwise(x)] + [exp(a * a) for a in x])
    folded = [plain_text(box.heading) for box in Diagram(cost, unfold=None, max_nodes=6).boxes if box.kind == "group"]
    assert set(folded) == {"x", "u_1 = x − …", "tanh(u_1)", "x^2", "exp(x^2)"}


@pytest.mark.parametrize("step", [lambda v: v * 1, lambda v: tanh(v), lambda v: v + 0 * v])
@pytest.mark.parametrize("start", [Value(0.5), Value(0.5, label="z")])
def test_names_of_a_long_chain_stay_short_and_differ(step, start):
    v = start
    for _ in range(300):
        v = step(v)
    diagram = Diagram(v)
    headings = [plain_text(box.heading) for box in diagram.boxes if box.kind == "operation"]
    assert max(map(len, headings)) < 40
    assert len(set(headings)) == len(headings)
    assert draw(v).table.startswith("value")


def test_values_of_one_name_are_not_taken_for_one_value():
    w = Value(0.5, label="w")
    rows = [w * (k / 5) for k in range(5)]
    for z in rows:
        z.label = "z"
    exps = [exp(tanh(z) * 3.5 - 0.25) for z in rows]
    for cost in (
        rows[0] - rows[1],
        total(rows),
        total(exps),
        mean([tanh(z) for z in rows]),
    ):
        for groups in foldings(cost):
            formula = Names(groups).symbol(cost)
            assert isinstance(formula, BareOperation) or "z" not in plain_text(runs(formula)), plain_text(runs(formula))


@pytest.mark.parametrize("name", list(THIRTY))
def test_the_formula_of_a_folded_box_is_that_of_each_of_its_values(name):
    cost = THIRTY[name]()
    for groups in foldings(cost):
        names = Names(groups)
        for group in groups:
            if group.kind != "alike" or not group.value.op:
                continue
            formula = names.in_common(group)
            if contains(formula, Several) or contains(formula, Blank) or isinstance(formula, BareOperation):
                continue
            for value in group.members:  # worth what the formula says, where that names it by a label or in itself
                known = {x.label: x.data for x in topological_order(value)}
                if set(names_in(formula)) <= set(known):
                    assert worth(formula, known.__getitem__) == pytest.approx(value.data, rel=1e-3)


def test_every_arrow_has_a_head_but_where_many_meet():
    model = nn.MLP(2, [16, 16, 1], seed=0)
    cost = mean([nn.hinge(model([k / 10, -k / 5]), 1 if k % 3 else -1) for k in range(10)])
    drawing = draw(cost)
    headings = [plain_text(box.heading) for box in drawing._boxes]
    entering = Counter(arrow.head for arrow in drawing._arrows)
    for arrow in drawing._arrows:
        assert arrow.thin == (entering[arrow.head] > 3), headings[arrow.head]
    assert headings[-4:] == ["±z_0^(3)", "1 ± z_0^(3)", "relu(1 ± z_0^(3))", "mean of 10"]


def words_of(box):
    return [plain_text(box.heading), plain_text(box.remark), *(plain_text(line) for line in box.lines)]


def test_what_is_alike_is_counted_as_examples_or_as_values():
    model = nn.MLP(3, [20, 12], "tanh", seed=0)
    costs = [nn.cross_entropy(model([k / 5, 0.1, -0.2]), k % 12) for k in range(6)]
    boxes = Diagram(total(costs), unfold="layers", max_nodes=8).boxes
    counted = [word for box in boxes for word in words_of(box) if word.endswith((" examples", " values"))]
    assert counted.count("6 examples") >= 4  # two layers, and the steps of the loss
    assert not [word for word in counted if word.endswith("examples") and word != "6 examples"]


@pytest.mark.parametrize("label", ["a_0^(1)", "z_1^(2)", "h_2"])
def test_a_neuron_at_which_a_pass_begins_is_no_cost(label):
    x = Value(0.5, label="x")
    out = tanh(x * 2)
    out.label = label
    out.backward()
    assert Diagram(out).kind(out) == "operation"
    assert ">cost<" not in draw(out, engine="builtin").svg


@pytest.mark.parametrize("count", [3, 4])
def test_a_weighted_sum_counts_its_inputs(count):
    box = Diagram(nn.Neuron(count, seed=0)([Value(1.0, label=f"x_{i}") for i in range(count)]))
    assert f"weighted sum of {count} inputs" in str([plain_text(each.remark) for each in box.boxes])
