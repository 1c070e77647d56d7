import ast

import pytest

from autograd.compiler.expressions import Fold, Rename, check, hoist, names_in, parse, unconditional


def text(tree):
    return ast.unparse(tree)


def test_names_in_an_expression_include_functions():
    assert names_in(parse("exp(x) * y if out > 0 else 2")) == {"exp", "x", "y", "out"}


def test_renaming_puts_any_expression_in_place_of_a_name():
    assert text(Rename({"x": "a + b", "y": "c"}).visit(parse("x * y + z"))) == "(a + b) * c + z"
    assert text(Rename({"x": "y", "y": "x"}).visit(parse("x - y"))) == "y - x"


@pytest.mark.parametrize(
    ("expression", "folded"),
    [
        ("x * 2", "x * 2.0"),
        ("sqrt(4) * x", "2.0 * x"),
        ("x / sqrt(2 * 2)", "x / 2.0"),
        ("-1", "-1.0"),
        ("x ** (3 - 1)", "x ** 2.0"),
        ("pi * x", "3.141592653589793 * x"),
        ("x if x > 0 else -2", "x if x > 0.0 else -2.0"),
    ],
)
def test_folding_writes_floats_and_evaluates_what_holds_no_variable(expression, folded):
    assert text(Fold().visit(parse(expression))) == folded


def test_repeated_calls_get_a_name_the_largest_first():
    calls, trees = hoist([parse("exp(abs(x)) + exp(abs(x))"), parse("abs(y) * exp(abs(x)) + abs(y)")])
    assert calls == {"t0": "exp(abs(x))", "t1": "abs(y)"}
    assert [text(tree) for tree in trees] == ["t0 + t0", "t1 * t0 + t1"]


def test_calls_that_occur_once_stay_where_they_are():
    calls, [tree] = hoist([parse("exp(x) + log(x)")])
    assert calls == {}
    assert text(tree) == "exp(x) + log(x)"


def test_a_call_that_may_be_undefined_is_not_computed_ahead_of_its_condition():
    calls, _ = hoist([parse("log(x) if x > 0 else 0"), parse("log(x)")])
    assert calls == {}
    calls, _ = hoist([parse("exp(x) + (exp(x) if x > 0 else 0)")], prefix="c")
    assert calls == {"c0": "exp(x)"}
    calls, _ = hoist([parse("1 if exp(x) > 2 else exp(x)")])
    assert calls == {"t0": "exp(x)"}


def test_unconditional_parts_leave_out_both_branches():
    parts = {text(node) for node in unconditional(parse("a + (b if c > d else e)")) if isinstance(node, ast.Name)}
    assert parts == {"a", "c", "d"}


@pytest.mark.parametrize(
    "expression", ["x", "-x * 2.5", "x ** y / pi", "x if x >= y else -y", "leaky_relu(x, 0.1)", "nan"]
)
def test_what_the_language_has_is_accepted(expression):
    check(expression, {"x", "y"})


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("z", "'z' in 'z' is not understood"),
        ("x @ y", "'x @ y' in"),
        ("x // y", "'x // y' in"),
        ("not x", "'not x' in"),
        ("+x", r"'\+x' in"),
        ("x > y", "'x > y' in"),
        ("'x'", "is not understood"),
        ("[x]", "is not understood"),
        ("x[0]", "is not understood"),
        ("lambda: x", "is not understood"),
        ("exp(x=x)", "is not understood"),
        ("sum(x)", "is not understood"),
        ("sumproduct(x, y)", "is not understood"),
        ("exp()", "calls exp with 0 operands, not 1"),
        ("leaky_relu(x, y, x)", "calls leaky_relu with 3 operands"),
        ("x if x in y else y", "is not understood"),
        ("1j", "is not understood"),
        ("", "'' is not an expression"),
    ],
)
def test_what_the_language_lacks_is_refused_with_what_it_has(expression, message):
    with pytest.raises(ValueError, match=message):
        check(expression, {"x", "y"})
