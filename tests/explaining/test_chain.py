"""The chain: where a reader of the chain rule pauses, and the shorter graph that these quantities form."""

from hypothesis import given
from hypothesis import strategies as st

from autograd import Value, exp, paths, sum, tanh
from autograd.core.graph import backpropagate
from autograd.explaining.chain import chain
from autograd.explaining.formulas import Formulas
from autograd.explaining.notation import text


def names(cost, value):
    formulas = Formulas(cost, value)
    return [text(formulas.name(node)) for node in chain(cost, value, formulas)]


def test_labels_functions_and_what_they_are_applied_to_are_links_and_other_arithmetic_is_not():
    x, y = Value(2.0, label="x"), Value(3.0, label="y")
    cost = (tanh(x * y + 1) - y) ** 2 / 5
    assert names(cost, x) == ["x", "x y + 1", "tanh(x y + 1)", "C"]
    half = x / 2
    half.label = "half"
    assert names(half * 3 - y, x) == ["x", "half", "C"]


def test_quantities_beside_the_way_are_no_chain():
    x, y = Value(2.0, label="x"), Value(3.0, label="y")
    z = exp(y)
    z.label = "z"
    assert names(x * z, x) == ["x", "C"]
    assert names(x * z, Value(1.0)) == []


def test_long_arithmetic_is_cut_where_it_gets_a_name():
    x = total = Value(1.0, label="x")
    for k in range(100):
        total = total + k * x
    steps = names(total, x)
    assert 10 < len(steps) < 50
    assert steps[1] == "u_1"


def test_a_step_is_the_sum_over_the_routes_that_it_hides():
    x = Value(3.0, label="x")
    cost = x * x + 2 * x
    formulas = Formulas(cost, x)
    [first, last] = chain(cost, x, formulas).values()
    assert (last.parents, last.partials) == ([first], [8.0])
    assert len(last.routes[0]) == paths(cost, x).count == 3
    assert last.formula(0, formulas).written(text) == "2 x + 2"


@given(st.floats(-2, 2), st.integers(0, 2**8 - 1))
def test_the_graph_of_stops_has_the_same_gradient_whatever_is_labelled(x, labelled):
    x = Value(x, label="x")
    a = x * x + 1
    b = tanh(a - x)
    c = a * b / 3
    nodes = [a, b, c, c * c, exp(-b), sum([a, b, c, x])]
    cost = nodes[3] * nodes[4] + nodes[5]
    for i, node in enumerate([*nodes, cost]):
        node.label = f"n_{i}" if labelled >> i & 1 else ""
    chosen = chain(cost, x, Formulas(cost, x))
    direct, condensed = backpropagate(cost)[x], backpropagate(chosen[cost])[chosen[x]]
    assert abs(direct - condensed) <= 1e-12 * max(1, abs(direct))
