"""Methods of Value from the table and from around the core. Written by `python tests/test_stubs.py`."""

from typing import Any, TypeAlias

from numpy import bool_, floating, integer

from autograd.core.value import Value

Number: TypeAlias = float | floating[Any] | integer[Any] | bool_

class Methods:
    def refresh(self) -> Value: ...
    def __pos__(self) -> Value: ...
    def __floor__(self) -> Value: ...
    def __ceil__(self) -> Value: ...
    def __trunc__(self) -> Value: ...
    def __lt__(self, other: Value | Number) -> bool: ...
    def __le__(self, other: Value | Number) -> bool: ...
    def __gt__(self, other: Value | Number) -> bool: ...
    def __ge__(self, other: Value | Number) -> bool: ...
    def __bool__(self) -> bool: ...
    def __float__(self) -> float: ...
    def __int__(self) -> int: ...
    def __round__(self, digits: int | None = None) -> float: ...
    @property
    def real(self) -> Value:
        """The value itself, which NumPy's functions of complex numbers ask for."""

    def conjugate(self) -> Value:
        """The value itself, which NumPy's functions of complex numbers ask for."""

    def add(self, y: Value | Number) -> Value:
        """`x + y`.

        Derivatives, where `out` is the result:
            by x: `1`
            by y: `1`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def sub(self, y: Value | Number) -> Value:
        """`x - y`.

        Derivatives, where `out` is the result:
            by x: `1`
            by y: `-1`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def mul(self, y: Value | Number) -> Value:
        """`x * y`.

        Derivatives, where `out` is the result:
            by x: `y`
            by y: `x`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def div(self, y: Value | Number) -> Value:
        """`x / y`.

        Derivatives, where `out` is the result:
            by x: `1 / y`
            by y: `-out / y`

        Domain: y != 0. Elsewhere it raises an error that names the operands.
        """
    def neg(self) -> Value:
        """`-x`.

        Derivatives, where `out` is the result:
            by x: `-1`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def pow(self, y: Value | Number) -> Value:
        """`x ** y`.

        Derivatives, where `out` is the result:
            by x: `y * x ** (y - 1) if y != 0 else y * x ** y / x if x != 0 else 0`
            by y: `out * log(x) if x > 0 else nan if x < 0 else 0 if y > 0 else nan`

        Domain: x > 0, or x = 0 and y >= 0, or x < 0 and y whole. Elsewhere it raises an error that names the operands.
        """
    def abs(self) -> Value:
        """`abs(x)`: |x|' at 0 is 0.

        Derivatives, where `out` is the result:
            by x: `sign(x)`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def exp(self) -> Value:
        """`exp(x)`.

        Derivatives, where `out` is the result:
            by x: `out`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def expm1(self) -> Value:
        """`expm1(x)`: exp(x) - 1, exact near 0.

        Derivatives, where `out` is the result:
            by x: `exp(x)`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def log(self) -> Value:
        """`log(x)`: the natural logarithm.

        Derivatives, where `out` is the result:
            by x: `1 / x`

        Domain: x > 0. Elsewhere it raises an error that names the operands.
        """
    def log1p(self) -> Value:
        """`log1p(x)`: log(1 + x), exact near 0.

        Derivatives, where `out` is the result:
            by x: `1 / (1 + x)`

        Domain: x > -1. Elsewhere it raises an error that names the operands.
        """
    def log2(self) -> Value:
        """`log2(x)`.

        Derivatives, where `out` is the result:
            by x: `1 / (x * log(2))`

        Domain: x > 0. Elsewhere it raises an error that names the operands.
        """
    def log10(self) -> Value:
        """`log10(x)`.

        Derivatives, where `out` is the result:
            by x: `1 / (x * log(10))`

        Domain: x > 0. Elsewhere it raises an error that names the operands.
        """
    def exp2(self) -> Value:
        """`exp2(x)`: 2 ** x.

        Derivatives, where `out` is the result:
            by x: `out * log(2)`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def sqrt(self) -> Value:
        """`sqrt(x)`: the slope at 0 is inf.

        Derivatives, where `out` is the result:
            by x: `0.5 / out`

        Domain: x >= 0. Elsewhere it raises an error that names the operands.
        """
    def logaddexp(self, y: Value | Number) -> Value:
        """`maximum(x, y) + log1p(exp(-abs(x - y))) if x != y else x + log(2)`: log(exp(x) + exp(y)), never overflowing.

        Derivatives, where `out` is the result:
            by x: `sigmoid(x - y)`
            by y: `sigmoid(y - x)`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def cbrt(self) -> Value:
        """`cbrt(x)`: the cube root, also of negative numbers; the slope at 0 is inf.

        Derivatives, where `out` is the result:
            by x: `1 / (3 * out * out)`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def sin(self) -> Value:
        """`sin(x)`.

        Derivatives, where `out` is the result:
            by x: `cos(x)`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def cos(self) -> Value:
        """`cos(x)`.

        Derivatives, where `out` is the result:
            by x: `-sin(x)`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def tan(self) -> Value:
        """`tan(x)`.

        Derivatives, where `out` is the result:
            by x: `1 + out * out`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def asin(self) -> Value:
        """`asin(x)`.

        Derivatives, where `out` is the result:
            by x: `1 / sqrt((1 - x) * (1 + x))`

        Domain: -1 <= x <= 1. Elsewhere it raises an error that names the operands.
        """
    def arcsin(self) -> Value:
        """`asin(x)`.

        Derivatives, where `out` is the result:
            by x: `1 / sqrt((1 - x) * (1 + x))`

        Domain: -1 <= x <= 1. Elsewhere it raises an error that names the operands.
        """
    def acos(self) -> Value:
        """`acos(x)`.

        Derivatives, where `out` is the result:
            by x: `-1 / sqrt((1 - x) * (1 + x))`

        Domain: -1 <= x <= 1. Elsewhere it raises an error that names the operands.
        """
    def arccos(self) -> Value:
        """`acos(x)`.

        Derivatives, where `out` is the result:
            by x: `-1 / sqrt((1 - x) * (1 + x))`

        Domain: -1 <= x <= 1. Elsewhere it raises an error that names the operands.
        """
    def atan(self) -> Value:
        """`atan(x)`.

        Derivatives, where `out` is the result:
            by x: `1 / (1 + x * x)`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def arctan(self) -> Value:
        """`atan(x)`.

        Derivatives, where `out` is the result:
            by x: `1 / (1 + x * x)`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def sinh(self) -> Value:
        """`sinh(x)`.

        Derivatives, where `out` is the result:
            by x: `cosh(x)`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def cosh(self) -> Value:
        """`cosh(x)`.

        Derivatives, where `out` is the result:
            by x: `sinh(x)`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def tanh(self) -> Value:
        """`tanh(x)`.

        Derivatives, where `out` is the result:
            by x: `1 - out * out`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def asinh(self) -> Value:
        """`asinh(x)`.

        Derivatives, where `out` is the result:
            by x: `1 / hypot(1, x)`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def arcsinh(self) -> Value:
        """`asinh(x)`.

        Derivatives, where `out` is the result:
            by x: `1 / hypot(1, x)`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def acosh(self) -> Value:
        """`acosh(x)`.

        Derivatives, where `out` is the result:
            by x: `1 / (sqrt(x - 1) * sqrt(x + 1))`

        Domain: x >= 1. Elsewhere it raises an error that names the operands.
        """
    def arccosh(self) -> Value:
        """`acosh(x)`.

        Derivatives, where `out` is the result:
            by x: `1 / (sqrt(x - 1) * sqrt(x + 1))`

        Domain: x >= 1. Elsewhere it raises an error that names the operands.
        """
    def atanh(self) -> Value:
        """`atanh(x)`.

        Derivatives, where `out` is the result:
            by x: `1 / ((1 - x) * (1 + x))`

        Domain: -1 < x < 1. Elsewhere it raises an error that names the operands.
        """
    def arctanh(self) -> Value:
        """`atanh(x)`.

        Derivatives, where `out` is the result:
            by x: `1 / ((1 - x) * (1 + x))`

        Domain: -1 < x < 1. Elsewhere it raises an error that names the operands.
        """
    def hypot(self, y: Value | Number) -> Value:
        """`hypot(x, y)`: both slopes at (0, 0) are 0.

        Derivatives, where `out` is the result:
            by x: `x / out if out > 0 else 0`
            by y: `y / out if out > 0 else 0`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def atan2(self, x: Value | Number) -> Value:
        """`atan2(y, x)`: the angle of the point (x, y); no slope at (0, 0).

        Derivatives, where `out` is the result:
            by y: `x / hypot(x, y) / hypot(x, y)`
            by x: `-y / hypot(x, y) / hypot(x, y)`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def arctan2(self, x: Value | Number) -> Value:
        """`atan2(y, x)`: the angle of the point (x, y); no slope at (0, 0).

        Derivatives, where `out` is the result:
            by y: `x / hypot(x, y) / hypot(x, y)`
            by x: `-y / hypot(x, y) / hypot(x, y)`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def erf(self) -> Value:
        """`erf(x)`.

        Derivatives, where `out` is the result:
            by x: `2 / sqrt(pi) * exp(-x * x)`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def erfc(self) -> Value:
        """`erfc(x)`: 1 - erf(x), exact for large x.

        Derivatives, where `out` is the result:
            by x: `-2 / sqrt(pi) * exp(-x * x)`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def sigmoid(self) -> Value:
        """`(1 if x > 0 else exp(-abs(x))) / (1 + exp(-abs(x)))`: 1 / (1 + exp(-x)).

        Derivatives, where `out` is the result:
            by x: `out * (1 - out)`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def relu(self) -> Value:
        """`maximum(x, 0)`: the slope at 0 is 0.

        Derivatives, where `out` is the result:
            by x: `step(x)`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def leaky_relu(self, slope: Value | Number = ...) -> Value:
        """`x if x > 0 else slope * x`: the slope at 0 is that of the negative side.

        Derivatives, where `out` is the result:
            by x: `1 if x > 0 else slope`
            by slope: `0 if x > 0 else x`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def elu(self, alpha: Value | Number = ...) -> Value:
        """`maximum(x, 0) + alpha * expm1(minimum(x, 0))`: the slope at 0 is alpha.

        Derivatives, where `out` is the result:
            by x: `1 if x > 0 else alpha * exp(minimum(x, 0))`
            by alpha: `expm1(minimum(x, 0))`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def gelu(self) -> Value:
        """`0.5 * x * erfc(-x / sqrt(2))`: x times the normal distribution, exact (by erf).

        Derivatives, where `out` is the result:
            by x: `0.5 * erfc(-x / sqrt(2)) + x * exp(-0.5 * x * x) / sqrt(2 * pi)`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def silu(self) -> Value:
        """`x * sigmoid(x)`: also called swish.

        Derivatives, where `out` is the result:
            by x: `sigmoid(x) * (1 + x * sigmoid(-x))`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def softplus(self) -> Value:
        """`maximum(x, 0) + log1p(exp(-abs(x)))`: log(1 + exp(x)).

        Derivatives, where `out` is the result:
            by x: `sigmoid(x)`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def log_sigmoid(self) -> Value:
        """`minimum(x, 0) - log1p(exp(-abs(x)))`: log(sigmoid(x)), never overflowing.

        Derivatives, where `out` is the result:
            by x: `sigmoid(-x)`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def softsign(self) -> Value:
        """`x / (1 + abs(x))`.

        Derivatives, where `out` is the result:
            by x: `1 / ((1 + abs(x)) * (1 + abs(x)))`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def sign(self) -> Value:
        """`sign(x)`: sign(0) is 0.

        Derivatives, where `out` is the result:
            by x: `0`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def step(self) -> Value:
        """`step(x)`: 1 for x > 0, else 0; step(0) is 0.

        Derivatives, where `out` is the result:
            by x: `0`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def floor(self) -> Value:
        """`floor(x)`.

        Derivatives, where `out` is the result:
            by x: `0`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def ceil(self) -> Value:
        """`ceil(x)`.

        Derivatives, where `out` is the result:
            by x: `0`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def trunc(self) -> Value:
        """`trunc(x)`: towards 0.

        Derivatives, where `out` is the result:
            by x: `0`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def mod(self, y: Value | Number) -> Value:
        """`mod(x, y)`: x % y, with the sign of y as in Python.

        Derivatives, where `out` is the result:
            by x: `1`
            by y: `-floor((x - out) / y + 0.5)`

        Domain: y != 0. Elsewhere it raises an error that names the operands.
        """
    def maximum(self, y: Value | Number) -> Value:
        """`maximum(x, y)`.

        Derivatives, where `out` is the result:
            by x: `1 if x > y else 0.5 if x == y else 0`
            by y: `1 if y > x else 0.5 if x == y else 0`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def minimum(self, y: Value | Number) -> Value:
        """`minimum(x, y)`.

        Derivatives, where `out` is the result:
            by x: `1 if x < y else 0.5 if x == y else 0`
            by y: `1 if y < x else 0.5 if x == y else 0`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
    def clip(self, low: Value | Number, high: Value | Number) -> Value:
        """`minimum(maximum(x, low), high)`: the slope on the bounds is 1.

        Derivatives, where `out` is the result:
            by x: `0 if x < low else 0 if x > high else 1`
            by low: `0 if low > high else 1 if x < low else 0`
            by high: `1 if x > high else 1 if low > high else 0`

        Domain: all numbers for which a float can hold the result. Elsewhere it raises an error that names the operands.
        """
