"""Formulas and their notation: simplified as a reader would, written so that they cannot be misread."""

import math
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import (
    Value,
    clip,
    leaky_relu,
    log,
    logsumexp,
    maximum,
    mean,
    nudge,
    paths,
    prod,
    relu,
    sigmoid,
    tanh,
    weighted_sum,
    where,
)
from autograd.core.floats import VALUES
from autograd.core.table import TABLE
from autograd.core.value import OPERATIONS
from autograd.drawing.diagram import Diagram
from autograd.explaining.formulas import Formulas, combined, derivative_rules
from autograd.explaining.notation import html_table, latex, runs, text, text_table
from autograd.explaining.symbols import Name, Number, Relation, symbol
from autograd.explaining.typography import in_digits, label_parts, latex_label, latex_number, markup, plain_text


def definition(cost):
    cost.label = "C"
    return text(Formulas(cost, cost.parents[0]).definition(cost))


def partial(cost, i=0):
    cost.label = "C"
    return Formulas(cost, cost.parents[i]).partial(cost, i).written(text)


def named(**data):
    return [Value(x, label=label) for label, x in data.items()]


# Simplification

NAMES = {name: Name(name) for name in "abnsxyz"}


def read(expression):
    """A formula as Python evaluates it on symbols."""
    return symbol(eval(expression, dict(NAMES)))


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("2 * x ** 1", "2 x"),
        ("1 * x * 1", "x"),
        ("x + 0", "x"),
        ("x - 0", "x - 0"),
        ("0 * x", "0"),
        ("x * x", "x^2"),
        ("x * x * x", "x^3"),
        ("x + x", "2 x"),
        ("x + y + x", "2 x + y"),
        ("-(-x)", "x"),
        ("-x * x", "-x^2"),
        ("x * (-y)", "-x y"),
        ("x - (-y)", "x + y"),
        ("x + (-3)", "x - 3"),
        ("x * 3 * 2", "6 x"),
        ("x / y / y", "x / y^2"),
        ("-(x / y) / y", "-x / y^2"),
        ("(1 / n) * x", "x / n"),
        ("x * y / x", "x y / x"),
        ("x - (x - y)", "x - (x - y)"),
        ("x - y - x", "x - y - x"),
        ("6 * x / 3", "2 x"),
        ("x / 3", "x / 3"),
        ("2 * x / 3 / y", "2 x / (3 y)"),
        ("x ** (3 - 1)", "x^2"),
        ("x ** 0", "1"),
        ("x ** y * x", "x^y x"),
        ("2 ** x * 3", "3 * 2^x"),
        ("(x * y) ** 2", "(x y)^2"),
        ("(x ** 2) ** 3", "x^6"),
        ("(x ** 2) ** 0.5", "(x^2)^0.5"),
        ("-(x - y)", "y - x"),
        ("-(x + y)", "-(x + y)"),
        ("x - (y + z)", "x - (y + z)"),
        ("-x + y", "y - x"),
        ("2 * (3 * x)", "6 x"),
        ("s * (s * x) * (s * b)", "s^3 x b"),
        ("s * x * (s * b) + s * s * x * b + s * (s * x) * b", "3 s^2 x b"),
        ("1e200 * (1e200 * x)", "1e200 * 1e200 x"),
        ("(x - y) * 2 * (x - y)", "2 (x - y)^2"),
    ],
)
def test_what_a_reader_would_drop_is_dropped(given, written):
    formula = read(given)
    assert text(formula) == written


numbers = st.sampled_from([0.0, 1.0, 2.0, -1.0, -3.0, 0.5]).map(repr)
expressions = st.recursive(
    st.sampled_from("xyz") | numbers,
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from("+-*/"), inner) | inner.map("(-{})".format),
    max_leaves=10,
)


def worth(expression, data={"x": 1.3, "y": -0.7, "z": 2.9}):  # noqa: B006
    try:
        return eval(expression, {}, data)
    except ZeroDivisionError:
        return None


@given(expressions)
def test_simplified_formulas_are_worth_the_same_when_their_text_is_read_back(expression):
    before = worth(expression)
    if before is None:
        return
    try:
        written = text(symbol(eval(expression, dict(NAMES))))
    except ZeroDivisionError:  # 1 / 0 between plain numbers is Python's own affair
        return
    explicit = written.replace("^", " ** ")
    for a in [*"xyz0123456789", ")"]:
        for b in [*"xyz", "("]:
            explicit = explicit.replace(f"{a} {b}", f"{a} * {b}")
    assert worth(explicit) == pytest.approx(before, rel=1e-3, abs=1e-6)


# Definitions and partials of nodes


def test_a_weighted_sum_reads_as_the_textbook_has_it():
    ws, xs, [b] = named(w_0=1.0, w_1=2.0), named(a_0=3.0, a_1=4.0), named(b=5.0)
    assert definition(weighted_sum(ws, xs, b)) == "w_0 a_0 + w_1 a_1 + b"
    assert definition(weighted_sum(ws, xs)) == "w_0 a_0 + w_1 a_1"
    assert definition(weighted_sum(ws, [0.5, -1.0], b)) == "0.5 w_0 - w_1 + b"


def test_many_terms_are_abbreviated():
    ws = [Value(1.0, label=f"w_{i}") for i in range(100)]
    assert definition(weighted_sum(ws, range(2, 102))) == "2 w_0 + 3 w_1 + 4 w_2 + ... + 101 w_99"
    assert definition(logsumexp(ws)) == "logsumexp(w_0, w_1, w_2, ..., w_99)"


def test_the_partial_of_a_product_is_the_product_of_the_others():
    xs = named(x=2.0, y=3.0, z=4.0)
    assert [partial(prod(xs), i) for i in range(3)] == ["y z", "x z", "x y"]


def test_default_parameters_are_left_out():
    [x] = named(x=1.0)
    assert definition(leaky_relu(x)) == "leaky_relu(x)"
    assert definition(leaky_relu(x, 0.2)) == "leaky_relu(x, 0.2)"


def test_the_branch_that_holds_is_shown_with_its_condition():
    [x, y] = named(x=1.0, y=2.0)
    assert partial(leaky_relu(x)) == "1 if x > 0"
    assert partial(leaky_relu(-1 * x)) == "0.01 if -x <= 0"
    assert partial(maximum(x, y)) == "0 if x < y"
    assert partial(maximum(x, x)) == "0.5"
    assert partial(clip(x, 0, 3)) == "1 if x >= 0 and x <= 3"
    assert partial(where(x, y, 0.0), 1) == "1 if x > 0"
    assert partial(x**2) == "2 x"


def test_several_comparisons_of_the_same_things_become_one():
    x, y, z = NAMES["x"], NAMES["y"], NAMES["z"]
    tests = [Relation(x, "<=", y), Relation(x, "!=", y), Relation(Number(2.0), ">", Number(1.0)), Relation(y, ">", z)]
    assert [text(condition) for condition in combined(tests)] == ["x < y", "y > z"]


def test_leaves_without_labels_are_their_numbers_and_the_one_asked_about_has_a_name():
    x, y = Value(2.0), Value(5.0)
    cost = x * y
    formulas = Formulas(cost, x)
    assert text(formulas.definition(cost)) == "5 u_1"


def test_a_name_given_here_is_none_of_the_users():
    u, x = Value(1.0, label="u_1"), Value(2.0)
    cost = tanh(u * x)
    assert text(Formulas(cost, x).name(x)) == "u_2"
    cost = relu(Value(1.0, label="u1") * u)
    other = Value(3.0, label="C") * cost
    assert text(Formulas(other, u).name(other)) == "u_2"


@pytest.mark.parametrize(
    ("build", "written"),
    [
        (lambda z: 1 * z, "1 * z"),
        (lambda z: z * 1, "z * 1"),
        (lambda z: z / 1, "z / 1"),
        (lambda z: z + 0, "z + 0"),
        (lambda z: z**1, "z^1"),
        (lambda z: mean([z]), "mean(z)"),
        (lambda z: prod([z]), "prod(z)"),
        (lambda z: 1 * (1 * z), "1 * (1 * z)"),
        (lambda z: 2 * (0.5 * z), "2 (0.5 z)"),
        (lambda z: z * z * 1, "z^2 * 1"),
        (lambda z: 0 * z, "0 z"),
    ],
)
def test_no_value_is_called_what_another_one_before_it_is_called(build, written):
    z = Value(0.5, label="z")
    node = build(z)
    cost = relu(1 - node)
    formulas = Formulas(cost, z)
    assert text(formulas.alone(node)) == written
    assert [text(formulas.alone(x)) for x in formulas.order[-2:]][1] == "C"
    shown = [formulas.short(x) for x in paths(cost, z)[0].nodes]
    assert len(set(shown)) == len(shown)
    assert len({row.name for row in nudge(cost, z).rows}) == len(nudge(cost, z).rows)
    headings = [plain_text(box.heading) for box in Diagram(cost).boxes if box.kind != "constant"]
    assert len(set(headings)) == len(headings)


def test_an_unlabelled_result_asked_about_goes_by_its_formula():
    [w, x] = named(w=1.0, x=2.0)
    h = w * x
    cost = tanh(h)
    assert text(Formulas(cost, h).name(h)) == "w x"


# Rules, which hold for any data

a, b, c = (Value(x, label=label) for x, label in ((0.5, "a"), (2.0, "b"), (3.0, "c")))


def written(node):
    return [re.sub("</?i>", "", markup(runs(rule))) for rule in derivative_rules(node, Formulas(node, node).name)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (a * b, ["b", "a"]),
        (a / b, ["1 / b", "−r / b"]),
        (a - b, ["1", "−1"]),
        (a**2, ["2 a"]),
        (a**3, ["3 a<sup>2</sup>"]),
        (tanh(a), ["1 − r<sup>2</sup>"]),
        (sigmoid(a), ["r (1 − r)"]),
        (log(a), ["1 / a"]),
        (relu(a), ["step(a)"]),
        (leaky_relu(a), ["1 if a &gt; 0 else 0.01"]),
        (maximum(a, b), ["1 if a &gt; b else 0.5 if a = b else 0", "1 if b &gt; a else 0.5 if a = b else 0"]),
        (clip(a, 0, 1), ["0 if a &lt; 0 else 0 if a &gt; 1 else 1"]),
        (mean([a, b, c]), ["1 / 3"] * 3),
        (prod([a, b, c]), ["b c", "a c", "a b"]),
        (prod([a] * 6), ["a<sup>5</sup>"] * 6),
        (logsumexp([a, b]), ["exp(a − r)", "exp(b − r)"]),
        (weighted_sum([a, b], [c, 4.0], a), ["c", "4", "a", "b", "1"]),
    ],
)
def test_a_rule_is_written_in_the_names_of_the_graph(value, expected):
    value.label = "r"
    assert written(value)[: len(expected)] == expected


def test_a_rule_stays_true_on_both_sides_of_a_kink():
    value = leaky_relu(Value(-1.0, label="z"))
    assert written(value)[0] == "1 if z &gt; 0 else 0.01"


def test_labels_are_escaped_in_a_rule():
    x = Value(1.0, label="<x-y>")
    assert written(x * -x)[0] == "−(&lt;x-y&gt;)"


@pytest.mark.parametrize("name", list(TABLE))
def test_the_rule_of_every_row_has_the_value_of_its_local_derivative(name):
    row, rng = TABLE[name], random.Random(name)
    for _ in range(10):
        x = [rng.uniform(0.1, 0.9) + 2.0 * (name == "acosh") for _ in range(8)]
        names = {f"w{i}": Value(number, label=f"w{i}") for i, number in enumerate(x)}
        waiting = iter(names.values())
        node = OPERATIONS[name](
            *[[next(waiting) for _ in range(3)] if o in row.lists else next(waiting) for o in row.operands]
        )
        node.label = "r"
        known = {label: value.data for label, value in names.items()} | {"r": node.data, "π": math.pi}
        for rule, partial in zip(derivative_rules(node, Formulas(node, node).name), node.partials):
            source = text(rule).replace(" = ", " == ").replace("^", "**")
            # side by side means times: a number, a name or a bracket, then a name, a call or a bracket
            source = re.sub(r"(?<=[\w)]) (?=[(\w])(?!if|else)(?<!if )(?<!else )", "*", source)
            assert eval(source, dict(VALUES), known) == pytest.approx(partial, rel=1e-4, abs=1e-12), source


# Labels


@pytest.mark.parametrize(
    ("label", "parts", "typeset"),
    [
        ("w", ("w", "", ""), "w"),
        ("w_jk^(L)", ("w", "jk", "(L)"), "w_{jk}^{(L)}"),
        ("w(L)_jk", ("w", "jk", "(L)"), "w_{jk}^{(L)}"),
        ("a^(L-1)", ("a", "", "(L-1)"), "a^{(L-1)}"),
        ("w_1,12^(2)", ("w", "1,12", "(2)"), "w_{1,12}^{(2)}"),
        ("w1", ("w", "1", ""), "w_{1}"),
        ("theta_0", ("theta", "0", ""), r"\theta_{0}"),
        ("loss", ("loss", "", ""), r"\mathrm{loss}"),
        ("x_{k+1}", ("x", "k+1", ""), "x_{k+1}"),
        ("f'", ("f'", "", ""), "f'"),
        ("learning rate", None, r"\text{learning rate}"),
        ("50%_{a}", None, r"\text{50\%\_\{a\}}"),
        ("x1_2", None, r"\text{x1\_2}"),
        ("tanh(z)", None, r"\text{tanh(z)}"),
    ],
)
def test_labels_are_set_with_their_indices(label, parts, typeset):
    assert label_parts(label) == parts
    assert latex_label(label) == typeset


@given(st.text(max_size=12))
def test_any_label_gives_balanced_latex(label):
    written = latex_label(label).replace(r"\{", "").replace(r"\}", "")
    assert written.count("{") == written.count("}")
    depth = 0
    for character in written:
        depth += (character == "{") - (character == "}")
        assert depth >= 0
    assert written.count("$") == written.count(r"\$")


def test_a_label_that_is_no_name_is_bracketed_in_a_product():
    [a, b] = [Value(2.0, label="p + q"), Value(3.0, label="r")]
    assert definition(a * b) == "(p + q) r"


def test_a_superscript_is_not_mistaken_for_a_power():
    [a] = [Value(2.0, label="a^(L)")]
    assert definition(a**2) == "(a^(L))^2"
    cost = a**2
    assert latex(Formulas(cost, a).definition(cost)) == r"(a^{(L)})^{2}"


# Numbers and tables


def test_numbers_show_significant_digits():
    found = [in_digits(x) for x in (0.1 + 0.2, 1e-9, -2.0, -0.0, 123456.0, 1234567.0, math.inf, math.nan)]
    assert found == ["0.3", "1e-9", "-2", "0", "123456", "1.2346e6", "inf", "nan"]
    assert [latex_number(x) for x in (1e-9, -math.inf, 0.5)] == [r"1 \times 10^{-9}", r"-\infty", "0.5"]


def test_columns_are_aligned():
    assert (
        text_table(["name", "x"], [["a", "1"], ["long name", "10"]], left=1)
        == "name        x\na           1\nlong name  10"
    )


def test_html_tables_are_escaped_and_headed():
    page = html_table("a < b", ["<h>"], [["&"]])
    assert page == (
        "<table><caption>a &lt; b</caption>"
        '<thead><tr><th scope="col" style="text-align:left">&lt;h&gt;</th></tr></thead>'
        '<tbody><tr><td style="text-align:left">&amp;</td></tr></tbody></table>'
    )
