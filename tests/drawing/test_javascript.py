import json
import math
import random

import mpmath
import pytest
from browser import evaluate

from autograd import Value, primitive
from autograd.core.table import TABLE
from autograd.core.value import OPERATIONS
from autograd.drawing.javascript import in_javascript, partials_script, program, value

NUMBERS = """
    const num = (x) => (Array.isArray(x) ? x.map(num) : Number(x));
    const text = (x) => (Array.isArray(x) ? x.map(text) : Object.is(x, -0) ? "-0" : String(x));
"""


def spelled(x):
    """Numbers as text that JavaScript's Number understands, lists kept."""
    if isinstance(x, list):
        return [spelled(item) for item in x]
    return repr(x).replace("inf", "Infinity").replace("nan", "NaN")


def twins(names, cases):
    """For each (row, operands) what its JavaScript twin gives: the value and the partials."""
    script = f"""{program(names)} {NUMBERS}
    return {json.dumps([[name, spelled(operands)] for name, operands in cases])}.map(([name, operands]) => {{
      const out = operations[name].value(...num(operands));
      return text([out, ...operations[name].partials(...num(operands), out)]);
    }});"""
    return [[float(x) for x in answer] for answer in evaluate(script)]


def samples(row, rng):
    def number():
        return rng.choice(
            [rng.uniform(-3, 3), rng.uniform(-0.1, 0.1), rng.uniform(0, 30), -rng.uniform(0, 9), 0.0, 1.0, -1.0, 700.0]
        )

    return [[number() for _ in range(rng.choice([1, 4]))] * 1 if x in row.lists else number() for x in row.operands]


def matching(row, operands):
    """Lists of one row have one length."""
    length = min((len(x) for x in operands if isinstance(x, list)), default=0)
    return [x[:length] if isinstance(x, list) else x for x in operands]


def test_every_row_of_the_table_has_a_twin_with_the_same_values_and_slopes():
    rng, cases, expected = random.Random(0), [], []
    for name, row in list(TABLE.items()):
        for _ in range(40):
            operands = matching(row, samples(row, rng))
            wrapped = [[Value(x) for x in xs] if isinstance(xs, list) else Value(xs) for xs in operands]
            try:
                node = OPERATIONS[name](*wrapped)
            except (ValueError, ArithmeticError):
                continue  # outside the domain: the next test
            cases.append((name, operands))
            expected.append([node.data, *node.partials])
    assert {name for name, _ in cases} == set(TABLE)
    for case, ours, theirs in zip(cases, expected, twins(TABLE, cases)):
        assert theirs == pytest.approx(ours, rel=1e-13, abs=1e-300, nan_ok=True), case


def test_outside_its_domain_a_twin_has_no_finite_value():
    cases = [("log", [-1.0]), ("log", [0.0]), ("sqrt", [-1.0]), ("div", [1.0, 0.0]), ("exp", [1000.0])]
    cases += [("pow", [-8.0, 1 / 3]), ("asin", [2.0]), ("log1p", [-1.0])]
    names = [name for name, _ in cases]
    assert not any(math.isfinite(out) for out, *_ in twins(names, cases))


@pytest.mark.parametrize("word", ["erf", "erfc"])
def test_the_error_function_is_exact_everywhere(word):
    xs = [k / 16 for k in range(-96, 97)] + [1e-300, 1e-9, 0.99999, 1.00001, 12.3, 26.0]
    found = twins([word], [(word, [x]) for x in xs])
    for x, (out, _) in zip(xs, found):
        assert out == pytest.approx(float(getattr(mpmath, word)(x)), rel=2e-15 * max(1, x * x / 8), abs=1e-307)


def test_the_sum_is_the_exact_sum_rounded_once():
    rng = random.Random(1)
    lists = [[1e16, 1.0, -1e16], [0.1] * 10, [1e308, 1e-308, -1e308], [1.0, 2.0**-53, 2.0**-106], []]
    lists += [[rng.uniform(-1, 1) * 10.0 ** rng.randint(-15, 15) for _ in range(50)] for _ in range(50)]
    script = f"{program([])} {NUMBERS} return {json.dumps(lists)}.map((xs) => String(words.sum(xs)));"
    assert [float(x) for x in evaluate(script)] == [math.fsum(xs) for xs in lists]


def test_a_primitive_of_the_users_has_a_twin_too():
    name = "bent_for_javascript"
    if name not in TABLE:
        primitive(
            name,
            "delete * leaky_relu(this) if delete > 0 else sqrt(abs(this)) ** 3",
            "leaky_relu(this) if delete > 0 else 0",
            "delete * (1 if this > 0 else 0.01) if delete > 0 else 1.5 * sqrt(abs(this)) * sign(this)",
            operands="delete, this",
        )
    cases = [(name, [2.0, -3.0]), (name, [2.0, 3.0]), (name, [-1.0, -4.0])]
    found = twins([name], cases)
    for (_, operands), theirs in zip(cases, found):
        node = OPERATIONS[name](*map(Value, operands))
        assert theirs == pytest.approx([node.data, *node.partials], rel=1e-14)


def test_a_page_defines_only_what_its_graph_needs():
    source = program(["silu"])
    assert "words.sigmoid = " in source
    assert "operations.silu = " in source
    assert "gelu" not in source


def test_an_expression_is_translated_word_for_word():
    assert in_javascript("y * x ** (y - 1) if y != 0 else 0", "xy") == (
        "($y !== 0 ? ($y * words.power($x, ($y - 1))) : 0)"
    )
    assert in_javascript("2 / sqrt(pi) * exp(-x * x)", "x") == "((2 / Math.sqrt(Math.PI)) * Math.exp(((-$x) * $x)))"


def test_operands_with_defaults_keep_them():
    assert value(TABLE["leaky_relu"]).startswith("($x, $slope = 0.01) =>")
    assert partials_script(TABLE["leaky_relu"]).startswith("($x, $slope, $out) =>")


def test_an_operation_of_python_functions_is_refused_with_what_to_do_instead():
    primitive("of_floats_alone", math.lgamma, math.cos)
    with pytest.raises(ValueError, match=r"of_floats_alone was declared by functions of Python.*declare it by text"):
        program(["of_floats_alone"])
