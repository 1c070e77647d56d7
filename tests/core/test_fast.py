"""What `fast` puts in place is what `apply` of the core gives: to the bit, error texts included, on every row."""

import doctest
import inspect
import itertools
import math
import random

import pytest
from conftest import DECLARED

from autograd import Value, primitive
from autograd.calculus.gradients import gradients
from autograd.compatibility import operate
from autograd.core.table import PRIME
from autograd.core.value import OPERATIONS, apply
from autograd.fast import DOMAINS, EVERYWHERE, OPERATORS

EXTREMES = [
    0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -3.0, 1e-300, -1e-300, 5e-324, 1e300, -1e300, 710.0, -745.0, 1e17,
    math.inf, -math.inf, math.nan,
]  # fmt: skip


def outcome(f, *arguments):
    """Whatever a call gives: the bits of the value, what the node records, or the error's type and text."""
    try:
        out = f(*arguments)
    except (ArithmeticError, ValueError, TypeError) as error:
        return type(error), str(error)
    if not isinstance(out, Value):
        return repr(out)
    return out.op, repr(out.data), repr(out.partials), out.parents, out.operands, out.grad, out.label


def points(name):
    """Operands at extremes: all of them for one or two, else drawn."""
    row, rng = DECLARED[name], random.Random(name)
    n = sum(2 if x in row.lists else 1 for x in row.operands)
    if n <= 2:
        return list(itertools.product(EXTREMES, repeat=n))
    return [tuple(rng.choice(EXTREMES) for _ in range(n)) for _ in range(180)]


@pytest.mark.parametrize("name", DECLARED)
def test_the_fast_function_of_every_row_is_its_row_applied(name):
    row, rng = DECLARED[name], random.Random(name)
    for point in points(name):
        for kind in ("values", "numbers", "mixed"):
            chosen = [kind == "values" or (kind == "mixed" and rng.random() < 0.5) for _ in point]
            operands = [Value(x, label=f"p{i}") if c else x for i, (x, c) in enumerate(zip(point, chosen))]
            groups = row.grouped(operands).values()
            assert outcome(OPERATIONS[name], *groups) == outcome(apply, name, *groups), (point, chosen)


@pytest.mark.parametrize(("name", "methods"), OPERATORS.items())
def test_every_operator_is_its_row_applied(name, methods):
    for point in points(name):
        x, *others = [Value(p) for p in point]
        if not others:
            assert outcome(getattr(x, methods[0])) == outcome(apply, name, x)
            continue
        [y] = others
        for other in (y, y.data, int(y.data) if y.data in (1.0, 2.0, -3.0) else y.data):
            assert outcome(getattr(x, methods[0]), other) == outcome(operate, name, x, other), point
            if other is not y:
                assert outcome(getattr(x, methods[1]), other) == outcome(operate, name, other, x), point


@pytest.mark.filterwarnings("ignore:.*gradient.*:RuntimeWarning")
def test_slopes_as_operations_are_their_rows_applied():
    """The rows that derivatives of derivatives are made of, among them those that are infinite or nan."""
    seen = set()
    for name in DECLARED:
        for point in points(name)[:60] if not DECLARED[name].lists else ():
            xs = [Value(x) for x in point]
            try:
                slopes = gradients(apply(name, *xs), xs, create_graph=True)
            except (ArithmeticError, ValueError):
                continue
            for node in slopes:
                if PRIME in node.op:
                    seen.add(node.op)
                    assert outcome(OPERATIONS[node.op], *node.operands) == outcome(apply, node.op, *node.operands)
    assert len(seen) > 20


def test_wrong_operands_get_the_same_errors():
    for wrong in ("2", None, [1.0], 1j, {"a": 1}):
        for name in ("tanh", "hypot", "sum", "weighted_sum", "clip"):
            row = DECLARED[name]
            arguments = [[wrong] if x in row.lists else wrong for x in row.operands]
            assert outcome(OPERATIONS[name], *arguments) == outcome(apply, name, *arguments)
    for name, arguments in {"sum": (3.0,), "mean": ([],), "weighted_sum": ([1.0], [2.0, Value(3.0)])}.items():
        assert outcome(OPERATIONS[name], *arguments) == outcome(apply, name, *arguments)


def test_a_function_has_the_operands_of_its_row_as_parameters():
    assert str(inspect.signature(OPERATIONS["leaky_relu"])) == "(x, slope=0.01)"
    assert str(inspect.signature(OPERATIONS["weighted_sum"])) == "(weights, inputs, bias=0.0)"
    assert (OPERATIONS["tanh"].__name__, OPERATIONS["tanh"].__module__) == ("tanh", "autograd")
    assert OPERATIONS["atan2"](y=1.0, x=2.0) == math.atan2(1, 2)
    assert OPERATIONS["weighted_sum"](weights=[Value(2.0)], inputs=[3.0], bias=1.0).data == 7.0


def test_a_call_that_occurs_in_another_name_is_not_taken_for_it():
    primitive("myexp", "exp(x) + 1", "exp(x)")
    twice = primitive("twice", "myexp(x) + exp(x) + exp(x)", "3 * exp(x)")
    assert twice(0.5) == twice(Value(0.5)).data == 3 * math.exp(0.5) + 1


def test_of_many_reads_lists_tuples_and_generators_and_keeps_none_of_them():
    xs = [Value(1.0), Value(2.0)]
    total = OPERATIONS["sum"](xs)
    xs.append(Value(5.0))
    assert len(total.parents) == 2
    assert OPERATIONS["prod"](x for x in xs).data == 10.0
    assert OPERATIONS["mean"]((xs[0], 4)).data == 2.5
    ws = [2.0, 3.0]
    z = OPERATIONS["weighted_sum"](ws, xs[:2])
    ws[0] = 100.0
    assert z.operands == (2.0, 3.0, xs[0], xs[1], 0.0)


@pytest.mark.parametrize("name", [name for name in DECLARED if not DECLARED[name].lists])
def test_the_domain_that_help_gives_is_where_there_is_a_value(name):
    row = DECLARED[name]
    domain = DOMAINS.get(name, "True").replace("x = 0", "x == 0").replace(", or", " or").replace("whole", "% 1 == 0")
    assert DOMAINS.get(name, EVERYWHERE) in OPERATIONS[name].__doc__
    for point in itertools.product((-2.5, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0), repeat=len(row.operands)):
        try:
            OPERATIONS[name](*point)
        except (ValueError, ZeroDivisionError):
            has_value = False
        else:
            has_value = True
        assert has_value == eval(domain, dict(zip(row.operands, point))), point


@pytest.mark.parametrize("name", DECLARED)
def test_help_says_value_derivatives_and_an_example_that_runs(name):
    function = OPERATIONS[name]
    assert f"`{DECLARED[name].value}`" in function.__doc__
    assert all(f"by {x}: `{p}`" in function.__doc__ for x, p in zip(DECLARED[name].operands, DECLARED[name].partials))
    [example] = doctest.DocTestParser().get_examples(function.__doc__)
    assert repr(eval(example.source, {name: function})) == example.want.strip()
