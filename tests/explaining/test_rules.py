import html
import math
import random
import re

import pytest

from autograd import Value, clip, leaky_relu, log, logsumexp, maximum, mean, prod, relu, sigmoid, tanh, weighted_sum
from autograd.core.table import FLOATS, PRIMITIVES
from autograd.core.value import function
from autograd.explaining.rules import rules

a, b, c = (Value(x, label=label) for x, label in ((0.5, "a"), (2.0, "b"), (3.0, "c")))


def label(value: Value) -> str:
    return value.label


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
        (prod([a] * 6), ["the product of the others"] * 6),
        (logsumexp([a, b]), ["exp(a − r)", "exp(b − r)"]),
        (weighted_sum([a, b], [c, 4.0], a), ["c", "4", "a", "b", "1"]),
    ],
)
def test_a_rule_is_written_in_the_names_of_the_graph(value, expected):
    value.label = "r"
    assert rules(value, label)[: len(expected)] == expected


def test_a_rule_stays_true_on_both_sides_of_a_kink():
    value = leaky_relu(Value(-1.0, label="z"))
    assert rules(value, label)[0] == "1 if z &gt; 0 else 0.01"


def test_names_stand_in_the_rule_as_they_are_given():
    x = Value(1.0, label="x-y")
    assert rules(x * -x, lambda value: f"<i>{html.escape(value.label)}</i>")[1] == "<i>x-y</i>"


@pytest.mark.parametrize("name", list(PRIMITIVES))
def test_the_rule_of_every_row_has_the_value_of_its_local_derivative(name):
    row, rng = PRIMITIVES[name], random.Random(name)
    for _ in range(10):
        x = [rng.uniform(0.1, 0.9) for _ in range(8)]
        names = {f"w{i}": Value(number, label=f"w{i}") for i, number in enumerate(x)}
        waiting = iter(names.values())
        node = function(name)(
            *[[next(waiting) for _ in range(3)] if o in row.lists else next(waiting) for o in row.operands]
        )
        node.label = "r"
        known = {label: value.data for label, value in names.items()} | {"r": node.data, "π": math.pi}
        for text, partial in zip(rules(node, label), node.partials):
            source = html.unescape(text).replace("−", "-").replace(" = ", " == ").replace("·", "*").replace("≠", "!=")
            source = source.replace("<sup>", "**(").replace("</sup>", ")").replace("undefined", "nan")
            # side by side means times: a number, a name or a bracket, then a name, a call or a bracket
            source = re.sub(r"(?<=[\w)]) (?=[(\w])(?!if|else)(?<!if )(?<!else )", "*", source)
            assert eval(source, dict(FLOATS), known) == pytest.approx(partial, rel=1e-4, abs=1e-12), text
