"""The public names and their types. Written by `python tests/test_stubs.py`."""
# ruff: noqa: RUF022

from collections.abc import Iterable
from typing import overload

from autograd.calculus.checking import gradcheck as gradcheck
from autograd.calculus.gradients import gradients as gradients
from autograd.calculus.transforms import count_multiplications as count_multiplications
from autograd.calculus.transforms import grad as grad
from autograd.calculus.transforms import hessian as hessian
from autograd.calculus.transforms import hvp as hvp
from autograd.calculus.transforms import jacobian as jacobian
from autograd.calculus.transforms import jvp as jvp
from autograd.calculus.transforms import value_and_grad as value_and_grad
from autograd.calculus.transforms import vjp as vjp
from autograd.compiler import compile as compile
from autograd.core.methods import Number as Number
from autograd.core.table import Table as Table
from autograd.core.value import OPERATIONS as OPERATIONS
from autograd.core.value import Value as Value
from autograd.drawing.draw import draw as draw
from autograd.drawing.exercise import exercise as exercise
from autograd.drawing.exercise import exercises as exercises
from autograd.drawing.play import play as play
from autograd.drawing.playground import playground as playground
from autograd.explaining.explain import explain as explain
from autograd.explaining.nudge import nudge as nudge
from autograd.explaining.paths import paths as paths
from autograd.operations import log_softmax as log_softmax
from autograd.operations import primitive as primitive
from autograd.operations import softmax as softmax
from autograd.operations import sum as sum
from autograd.operations import zero_grad as zero_grad

__version__: str
FUNCTIONS: tuple[str, ...]
PRIMITIVES: Table
__all__ = [
    "Value",
    "count_multiplications",
    "draw",
    "exercise",
    "exercises",
    "explain",
    "grad",
    "gradcheck",
    "gradients",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "log_softmax",
    "nudge",
    "paths",
    "play",
    "playground",
    "primitive",
    "softmax",
    "sum",
    "value_and_grad",
    "vjp",
    "zero_grad",
    "exp",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "exp2",
    "sqrt",
    "logaddexp",
    "cbrt",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "sinh",
    "cosh",
    "tanh",
    "asinh",
    "acosh",
    "atanh",
    "hypot",
    "atan2",
    "erf",
    "erfc",
    "sigmoid",
    "relu",
    "leaky_relu",
    "elu",
    "gelu",
    "silu",
    "softplus",
    "log_sigmoid",
    "softsign",
    "sign",
    "step",
    "floor",
    "ceil",
    "trunc",
    "mod",
    "maximum",
    "minimum",
    "clip",
    "where",
    "mean",
    "prod",
    "logsumexp",
    "weighted_sum",
]

@overload
def exp(x: Value) -> Value:
    """`exp(x)`.

    Derivatives, where `out` is the result:
        by x: `out`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def exp(x: Number) -> float: ...
@overload
def expm1(x: Value) -> Value:
    """`expm1(x)`: exp(x) - 1, exact near 0.

    Derivatives, where `out` is the result:
        by x: `exp(x)`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def expm1(x: Number) -> float: ...
@overload
def log(x: Value) -> Value:
    """`log(x)`: the natural logarithm.

    Derivatives, where `out` is the result:
        by x: `1 / x`

    Domain: x > 0. Elsewhere it raises an error that names the operands.
    """

@overload
def log(x: Number) -> float: ...
@overload
def log1p(x: Value) -> Value:
    """`log1p(x)`: log(1 + x), exact near 0.

    Derivatives, where `out` is the result:
        by x: `1 / (1 + x)`

    Domain: x > -1. Elsewhere it raises an error that names the operands.
    """

@overload
def log1p(x: Number) -> float: ...
@overload
def log2(x: Value) -> Value:
    """`log2(x)`.

    Derivatives, where `out` is the result:
        by x: `1 / (x * log(2))`

    Domain: x > 0. Elsewhere it raises an error that names the operands.
    """

@overload
def log2(x: Number) -> float: ...
@overload
def log10(x: Value) -> Value:
    """`log10(x)`.

    Derivatives, where `out` is the result:
        by x: `1 / (x * log(10))`

    Domain: x > 0. Elsewhere it raises an error that names the operands.
    """

@overload
def log10(x: Number) -> float: ...
@overload
def exp2(x: Value) -> Value:
    """`exp2(x)`: 2 ** x.

    Derivatives, where `out` is the result:
        by x: `out * log(2)`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def exp2(x: Number) -> float: ...
@overload
def sqrt(x: Value) -> Value:
    """`sqrt(x)`: the slope at 0 is inf.

    Derivatives, where `out` is the result:
        by x: `0.5 / out`

    Domain: x >= 0. Elsewhere it raises an error that names the operands.
    """

@overload
def sqrt(x: Number) -> float: ...
@overload
def logaddexp(x: Value, y: Value | Number) -> Value:
    """`maximum(x, y) + log1p(exp(-abs(x - y))) if x != y else x + log(2)`: log(exp(x) + exp(y)), never overflowing.

    Derivatives, where `out` is the result:
        by x: `sigmoid(x - y)`
        by y: `sigmoid(y - x)`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def logaddexp(x: Number, y: Value) -> Value: ...
@overload
def logaddexp(x: Number, y: Number) -> float: ...
@overload
def cbrt(x: Value) -> Value:
    """`cbrt(x)`: the cube root, also of negative numbers; the slope at 0 is inf.

    Derivatives, where `out` is the result:
        by x: `1 / (3 * out * out)`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def cbrt(x: Number) -> float: ...
@overload
def sin(x: Value) -> Value:
    """`sin(x)`.

    Derivatives, where `out` is the result:
        by x: `cos(x)`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def sin(x: Number) -> float: ...
@overload
def cos(x: Value) -> Value:
    """`cos(x)`.

    Derivatives, where `out` is the result:
        by x: `-sin(x)`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def cos(x: Number) -> float: ...
@overload
def tan(x: Value) -> Value:
    """`tan(x)`.

    Derivatives, where `out` is the result:
        by x: `1 + out * out`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def tan(x: Number) -> float: ...
@overload
def asin(x: Value) -> Value:
    """`asin(x)`.

    Derivatives, where `out` is the result:
        by x: `1 / sqrt((1 - x) * (1 + x))`

    Domain: -1 <= x <= 1. Elsewhere it raises an error that names the operands.
    """

@overload
def asin(x: Number) -> float: ...
@overload
def acos(x: Value) -> Value:
    """`acos(x)`.

    Derivatives, where `out` is the result:
        by x: `-1 / sqrt((1 - x) * (1 + x))`

    Domain: -1 <= x <= 1. Elsewhere it raises an error that names the operands.
    """

@overload
def acos(x: Number) -> float: ...
@overload
def atan(x: Value) -> Value:
    """`atan(x)`.

    Derivatives, where `out` is the result:
        by x: `1 / (1 + x * x)`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def atan(x: Number) -> float: ...
@overload
def sinh(x: Value) -> Value:
    """`sinh(x)`.

    Derivatives, where `out` is the result:
        by x: `cosh(x)`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def sinh(x: Number) -> float: ...
@overload
def cosh(x: Value) -> Value:
    """`cosh(x)`.

    Derivatives, where `out` is the result:
        by x: `sinh(x)`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def cosh(x: Number) -> float: ...
@overload
def tanh(x: Value) -> Value:
    """`tanh(x)`.

    Derivatives, where `out` is the result:
        by x: `1 - out * out`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def tanh(x: Number) -> float: ...
@overload
def asinh(x: Value) -> Value:
    """`asinh(x)`.

    Derivatives, where `out` is the result:
        by x: `1 / hypot(1, x)`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def asinh(x: Number) -> float: ...
@overload
def acosh(x: Value) -> Value:
    """`acosh(x)`.

    Derivatives, where `out` is the result:
        by x: `1 / (sqrt(x - 1) * sqrt(x + 1))`

    Domain: x >= 1. Elsewhere it raises an error that names the operands.
    """

@overload
def acosh(x: Number) -> float: ...
@overload
def atanh(x: Value) -> Value:
    """`atanh(x)`.

    Derivatives, where `out` is the result:
        by x: `1 / ((1 - x) * (1 + x))`

    Domain: -1 < x < 1. Elsewhere it raises an error that names the operands.
    """

@overload
def atanh(x: Number) -> float: ...
@overload
def hypot(x: Value, y: Value | Number) -> Value:
    """`hypot(x, y)`: both slopes at (0, 0) are 0.

    Derivatives, where `out` is the result:
        by x: `x / out if out > 0 else 0`
        by y: `y / out if out > 0 else 0`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def hypot(x: Number, y: Value) -> Value: ...
@overload
def hypot(x: Number, y: Number) -> float: ...
@overload
def atan2(y: Value, x: Value | Number) -> Value:
    """`atan2(y, x)`: the angle of the point (x, y); no slope at (0, 0).

    Derivatives, where `out` is the result:
        by y: `x / hypot(x, y) / hypot(x, y)`
        by x: `-y / hypot(x, y) / hypot(x, y)`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def atan2(y: Number, x: Value) -> Value: ...
@overload
def atan2(y: Number, x: Number) -> float: ...
@overload
def erf(x: Value) -> Value:
    """`erf(x)`.

    Derivatives, where `out` is the result:
        by x: `2 / sqrt(pi) * exp(-x * x)`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def erf(x: Number) -> float: ...
@overload
def erfc(x: Value) -> Value:
    """`erfc(x)`: 1 - erf(x), exact for large x.

    Derivatives, where `out` is the result:
        by x: `-2 / sqrt(pi) * exp(-x * x)`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def erfc(x: Number) -> float: ...
@overload
def sigmoid(x: Value) -> Value:
    """`(1 if x > 0 else exp(-abs(x))) / (1 + exp(-abs(x)))`: 1 / (1 + exp(-x)).

    Derivatives, where `out` is the result:
        by x: `out * (1 - out)`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def sigmoid(x: Number) -> float: ...
@overload
def relu(x: Value) -> Value:
    """`maximum(x, 0)`: the slope at 0 is 0.

    Derivatives, where `out` is the result:
        by x: `step(x)`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def relu(x: Number) -> float: ...
@overload
def leaky_relu(x: Value, slope: Value | Number = ...) -> Value:
    """`x if x > 0 else slope * x`: the slope at 0 is that of the negative side.

    Derivatives, where `out` is the result:
        by x: `1 if x > 0 else slope`
        by slope: `0 if x > 0 else x`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def leaky_relu(x: Number, slope: Value) -> Value: ...
@overload
def leaky_relu(x: Number, slope: Number = ...) -> float: ...
@overload
def elu(x: Value, alpha: Value | Number = ...) -> Value:
    """`maximum(x, 0) + alpha * expm1(minimum(x, 0))`: the slope at 0 is alpha.

    Derivatives, where `out` is the result:
        by x: `1 if x > 0 else alpha * exp(minimum(x, 0))`
        by alpha: `expm1(minimum(x, 0))`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def elu(x: Number, alpha: Value) -> Value: ...
@overload
def elu(x: Number, alpha: Number = ...) -> float: ...
@overload
def gelu(x: Value) -> Value:
    """`0.5 * x * erfc(-x / sqrt(2))`: x times the normal distribution, exact (by erf).

    Derivatives, where `out` is the result:
        by x: `0.5 * erfc(-x / sqrt(2)) + x * exp(-0.5 * x * x) / sqrt(2 * pi)`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def gelu(x: Number) -> float: ...
@overload
def silu(x: Value) -> Value:
    """`x * sigmoid(x)`: also called swish.

    Derivatives, where `out` is the result:
        by x: `sigmoid(x) * (1 + x * sigmoid(-x))`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def silu(x: Number) -> float: ...
@overload
def softplus(x: Value) -> Value:
    """`maximum(x, 0) + log1p(exp(-abs(x)))`: log(1 + exp(x)).

    Derivatives, where `out` is the result:
        by x: `sigmoid(x)`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def softplus(x: Number) -> float: ...
@overload
def log_sigmoid(x: Value) -> Value:
    """`minimum(x, 0) - log1p(exp(-abs(x)))`: log(sigmoid(x)), never overflowing.

    Derivatives, where `out` is the result:
        by x: `sigmoid(-x)`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def log_sigmoid(x: Number) -> float: ...
@overload
def softsign(x: Value) -> Value:
    """`x / (1 + abs(x))`.

    Derivatives, where `out` is the result:
        by x: `1 / ((1 + abs(x)) * (1 + abs(x)))`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def softsign(x: Number) -> float: ...
@overload
def sign(x: Value) -> Value:
    """`sign(x)`: sign(0) is 0.

    Derivatives, where `out` is the result:
        by x: `0`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def sign(x: Number) -> float: ...
@overload
def step(x: Value) -> Value:
    """`step(x)`: 1 for x > 0, else 0; step(0) is 0.

    Derivatives, where `out` is the result:
        by x: `0`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def step(x: Number) -> float: ...
@overload
def floor(x: Value) -> Value:
    """`floor(x)`.

    Derivatives, where `out` is the result:
        by x: `0`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def floor(x: Number) -> float: ...
@overload
def ceil(x: Value) -> Value:
    """`ceil(x)`.

    Derivatives, where `out` is the result:
        by x: `0`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def ceil(x: Number) -> float: ...
@overload
def trunc(x: Value) -> Value:
    """`trunc(x)`: towards 0.

    Derivatives, where `out` is the result:
        by x: `0`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def trunc(x: Number) -> float: ...
@overload
def mod(x: Value, y: Value | Number) -> Value:
    """`mod(x, y)`: x % y, with the sign of y as in Python.

    Derivatives, where `out` is the result:
        by x: `1`
        by y: `-floor((x - out) / y + 0.5)`

    Domain: y != 0. Elsewhere it raises an error that names the operands.
    """

@overload
def mod(x: Number, y: Value) -> Value: ...
@overload
def mod(x: Number, y: Number) -> float: ...
@overload
def maximum(x: Value, y: Value | Number) -> Value:
    """`maximum(x, y)`.

    Derivatives, where `out` is the result:
        by x: `1 if x > y else 0.5 if x == y else 0`
        by y: `1 if y > x else 0.5 if x == y else 0`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def maximum(x: Number, y: Value) -> Value: ...
@overload
def maximum(x: Number, y: Number) -> float: ...
@overload
def minimum(x: Value, y: Value | Number) -> Value:
    """`minimum(x, y)`.

    Derivatives, where `out` is the result:
        by x: `1 if x < y else 0.5 if x == y else 0`
        by y: `1 if y < x else 0.5 if x == y else 0`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def minimum(x: Number, y: Value) -> Value: ...
@overload
def minimum(x: Number, y: Number) -> float: ...
@overload
def clip(x: Value, low: Value | Number, high: Value | Number) -> Value:
    """`minimum(maximum(x, low), high)`: the slope on the bounds is 1.

    Derivatives, where `out` is the result:
        by x: `0 if x < low else 0 if x > high else 1`
        by low: `0 if low > high else 1 if x < low else 0`
        by high: `1 if x > high else 1 if low > high else 0`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def clip(x: Number, low: Value, high: Value | Number) -> Value: ...
@overload
def clip(x: Number, low: Number, high: Value) -> Value: ...
@overload
def clip(x: Number, low: Number, high: Number) -> float: ...
@overload
def where(condition: Value, x: Value | Number, y: Value | Number) -> Value:
    """`x if condition > 0 else y`: x where the condition is above 0, else y.

    Derivatives, where `out` is the result:
        by condition: `0`
        by x: `1 if condition > 0 else 0`
        by y: `0 if condition > 0 else 1`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def where(condition: Number, x: Value, y: Value | Number) -> Value: ...
@overload
def where(condition: Number, x: Number, y: Value) -> Value: ...
@overload
def where(condition: Number, x: Number, y: Number) -> float: ...
@overload
def mean(xs: Iterable[Value]) -> Value:
    """`sum(xs) / n`.

    Derivatives, where `out` is the result:
        by xs: `1 / n`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def mean(xs: Iterable[Number]) -> float: ...  # pyright: ignore[reportOverlappingOverload] # type: ignore[overload-overlap]
@overload
def mean(xs: Iterable[Value | Number]) -> Value: ...
@overload
def prod(xs: Iterable[Value]) -> Value:
    """`prod(xs)`.

    Derivatives, where `out` is the result:
        by xs: `rest`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def prod(xs: Iterable[Number]) -> float: ...  # pyright: ignore[reportOverlappingOverload] # type: ignore[overload-overlap]
@overload
def prod(xs: Iterable[Value | Number]) -> Value: ...
@overload
def logsumexp(xs: Iterable[Value]) -> Value:
    """`logsumexp(xs)`: log of the sum of exponentials, never overflowing.

    Derivatives, where `out` is the result:
        by xs: `exp(x - out) / total`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def logsumexp(xs: Iterable[Number]) -> float: ...  # pyright: ignore[reportOverlappingOverload] # type: ignore[overload-overlap]
@overload
def logsumexp(xs: Iterable[Value | Number]) -> Value: ...
@overload
def weighted_sum(weights: Iterable[Value], inputs: Iterable[Value | Number], bias: Value | Number = ...) -> Value:
    """`sumproduct(weights, inputs) + bias`: w1 x1 + ... + wn xn + b, what a neuron adds up.

    Derivatives, where `out` is the result:
        by weights: `input`
        by inputs: `weight`
        by bias: `1`

    Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
    """

@overload
def weighted_sum(weights: Iterable[Number], inputs: Iterable[Number], bias: Number = ...) -> float: ...  # pyright: ignore[reportOverlappingOverload] # type: ignore[overload-overlap]
@overload
def weighted_sum(
    weights: Iterable[Value | Number], inputs: Iterable[Value | Number], bias: Value | Number = ...
) -> Value: ...
