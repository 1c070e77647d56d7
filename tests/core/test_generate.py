import inspect
import math
import traceback

import pytest

from autograd import Value
from autograd.core.generate import careful_partials, define, is_atom, kernel, signature
from autograd.core.table import PRIMITIVES, declaration
from autograd.core.value import function


def test_a_function_has_the_operands_of_its_row_as_parameters():
    assert str(inspect.signature(function("leaky_relu"))) == "(x, slope=0.01)"
    assert str(inspect.signature(function("weighted_sum"))) == "(weights, inputs, bias=0.0)"
    assert signature(PRIMITIVES["clip"]) == "x, low, high"
    assert function("tanh").__name__ == "tanh"
    assert function("tanh").__module__ == "autograd"
    assert function("log1p").__doc__ == "`log1p(x)`: log(1 + x), exact near 0."
    assert function("tanh").__doc__ == "`tanh(x)`."


def test_keyword_arguments():
    assert function("atan2")(y=1.0, x=2.0) == math.atan2(1, 2)
    assert function("weighted_sum")(weights=[Value(2.0)], inputs=[3.0], bias=1.0).data == 7.0


def test_kernels_are_plain_functions_of_floats():
    assert kernel(PRIMITIVES["sigmoid"])(0.0) == 0.5
    assert kernel(PRIMITIVES["mean"])([1.0, 2.0, 6.0]) == 3.0
    with pytest.raises(ValueError, match="math domain error"):
        kernel(declaration("half_log", "0.5 * log(x)", "0.5 / x"))(-1.0)
    with pytest.raises(ValueError, match="math domain error"):
        kernel(declaration("root", "x ** 0.5", "0.5 * x ** (-0.5)"))(-1.0)


def test_careful_partials_are_infinite_or_nan_but_never_raise():
    assert careful_partials(PRIMITIVES["sqrt"])(0.0, 0.0) == [math.inf]
    assert careful_partials(PRIMITIVES["div"])(1.0, 0.0, math.nan)[0] == math.inf
    assert careful_partials(PRIMITIVES["div"])(1.0, -0.0, math.nan)[0] == -math.inf
    assert careful_partials(PRIMITIVES["expm1"])(1e4, 1.0) == [math.inf]
    in_x, in_y = careful_partials(PRIMITIVES["pow"])(-8.0, 1 / 3, math.nan)
    assert math.isnan(in_x)
    assert math.isnan(in_y)
    assert careful_partials(PRIMITIVES["pow"])(1e-200, -1.0, 1e200)[0] == -math.inf
    assert careful_partials(PRIMITIVES["prod"])([2.0, 3.0, 5.0], 30.0) == [15.0, 10.0, 6.0]
    assert careful_partials(PRIMITIVES["weighted_sum"])([2.0, 3.0], [5.0, 7.0], 1.0, 0.0) == [5.0, 7.0, 2.0, 3.0, 1.0]


def test_atoms_are_words_that_every_reader_must_know():
    assert is_atom(PRIMITIVES["tanh"])
    assert is_atom(PRIMITIVES["prod"])
    assert not is_atom(PRIMITIVES["relu"])
    assert not is_atom(PRIMITIVES["mul"])


def test_tracebacks_show_the_generated_lines():
    double = define("double", "def double(x):\n    return x * 2 + missing\n", {})
    try:
        double(1)
    except NameError:
        assert "return x * 2 + missing" in traceback.format_exc()


def test_of_many_reads_lists_tuples_and_generators_and_keeps_none_of_them():
    xs = [Value(1.0), Value(2.0)]
    total = function("sum")(xs)
    xs.append(Value(5.0))
    assert len(total.parents) == 2
    assert function("prod")(x for x in xs).data == 10.0
    assert function("mean")((xs[0], 4)).data == 2.5
    ws = [2.0, 3.0]
    z = function("weighted_sum")(ws, xs[:2])
    ws[0] = 100.0
    assert z.operands == (2.0, 3.0, xs[0], xs[1], 0.0)


@pytest.mark.parametrize("position", range(3))
def test_a_plain_number_anywhere_in_a_list(position):
    operands = [Value(2.0), Value(3.0), Value(4.0)]
    operands[position] = 7
    out = function("prod")(operands)
    assert out.data == math.prod(7 if i == position else x for i, x in enumerate([2, 3, 4]))
    assert out.parents == tuple(x for x in operands if isinstance(x, Value))
    assert len(out.partials) == 2


def test_something_else_in_a_list_is_refused():
    for wrong in (["a"], [Value(1.0), None], [1.0, [2.0]]):
        with pytest.raises(TypeError, match="sum takes one real number"):
            function("sum")(wrong)
    with pytest.raises(TypeError, match="weighted_sum takes one real number"):
        function("weighted_sum")([1.0], [2.0], None)
