"""gradcheck: reverse mode against numerical derivatives, which know nothing of the table or of the graph.

Central differences are taken with ever smaller steps and extrapolated to step 0 (C. Ridders, 1982), which gives the
derivative of a smooth function to about ten digits and says how many of them to trust. Where the function takes
complex numbers, a complex step (W. Squire and G. Trapp, 1998) gives them all.
"""

import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from autograd.calculus import trees
from autograd.calculus.gradients import worth
from autograd.calculus.transforms import Call, jacobian
from autograd.core.value import Value, number

SMALL = 1e-4  # errors are relative to the derivative, but at least to this part of what the function itself is worth
TRUSTED = 1e-4  # a numerical derivative less certain than this decides nothing
STEPS, SHRINK = 20, 1.6


class Comparison(NamedTuple):
    """One derivative by both methods. `note` says why they do not agree, and is empty if they do."""

    argument: str
    reverse: float
    numeric: float
    error: float
    note: str


class GradientReport:
    """What `gradcheck` found: true if all derivatives agree, printed as a table.

    Attributes:
        rows: one `Comparison` for each output of the function and each number among its arguments.
        worst: the row with the largest error; None if there are no rows.
    """

    def __init__(self, rows: Sequence[Comparison]):
        self.rows = list(rows)
        self.worst = max(self.rows, key=lambda row: (bool(row.note), row.error), default=None)

    def __bool__(self) -> bool:
        return self.worst is not None and not self.worst.note

    def __repr__(self) -> str:
        width = max([len("argument"), *(len(row.argument) for row in self.rows)])
        lines = [f"{'argument':<{width}} {'reverse':>19} {'numeric':>19} {'error':>8}"]
        for row in self.rows:
            numbers = f"{row.reverse:>19.12g} {row.numeric:>19.12g} {row.error:>8.1e}"
            lines.append(f"{row.argument:<{width}} {numbers}  {row.note}".rstrip())
        if self.worst is None:
            return "nothing was compared: the function has no arguments or no results"
        wrong = sum(bool(row.note) for row in self.rows)
        verdict = f"{wrong} of {len(self.rows)} disagree" if wrong else f"{len(self.rows)} agree"
        return "\n".join([*lines, f"{verdict}; the worst: {self.worst.argument}"])


def gradcheck(
    f: Callable[..., Any],
    *args: Any,
    argnums: int | Sequence[int] | None = None,
    order: int = 1,
    tolerance: float = 1e-6,
) -> GradientReport:
    """A report that is true if reverse mode agrees with numerical derivatives of `f` at the arguments, else false.

    `f` returns a number, or lists, tuples, dicts and arrays of numbers; every derivative is compared. In a test write
    `assert gradcheck(f, 0.5, [1.0, 2.0])`: a failure shows the table.

    Args:
        f: the function; it is called with Values.
        args: where to compare: numbers, or lists, tuples, dicts and arrays of numbers.
        argnums: the position of an argument, or several, to differentiate with respect to; all of them by default.
        order: 2 compares the second derivatives, too, and so on.
        tolerance: the relative error that is still agreement.

    What cannot be decided counts as disagreement: a kink, an end of the domain, a function too wild to difference.

    Raises:
        TypeError: `f` is not a function of numbers.
        ValueError: `f` returns different values for the same arguments.

    >>> gradcheck(lambda x, y: x * x * y, 3.0, 2.0)
    argument             reverse             numeric    error
    x                         12                  12  0.0e+00
    y                          9                   9  0.0e+00
    2 agree; the worst: x
    """
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"order is 1 for first derivatives, 2 for second derivatives too, and so on, not {order!r}")
    if isinstance(f, Value) or not callable(f):
        raise TypeError(f"gradcheck takes a function and the arguments to check it at, not {f!r}")
    positions = tuple(range(len(args)) if argnums is None else [argnums] if isinstance(argnums, int) else argnums)
    names = argument_names(f, args)
    rows: list[Comparison] = []
    for level in range(1, order + 1):
        rows += compare(f, args, positions, names, f"order {level}: " if order > 1 else "", tolerance)
        f = jacobian(f, positions)
    return GradientReport(rows)


def argument_names(f: Callable[..., Any], args: Sequence[Any]) -> list[str]:
    """What the function calls its arguments."""
    try:
        bound = inspect.signature(f).bind(*args)
    except (TypeError, ValueError):
        return [f"args[{i}]" for i in range(len(args))]
    names = []
    for name, value in bound.arguments.items():
        several = bound.signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL
        names += [f"{name}[{i}]" for i in range(len(value))] if several else [name]
    return names


def compare(
    f: Callable[..., Any],
    args: Sequence[Any],
    positions: Sequence[int],
    names: list[str],
    prefix: str,
    tolerance: float,
) -> list[Comparison]:
    """One row for each output of `f` and each number among its arguments."""
    call = Call(f, args, {}, positions, "gradcheck")
    point = [leaf.data for leaf in call.leaves]

    def outputs(numbers: list[Any]) -> list[Any]:
        fresh = dict(zip(positions, trees.assemble(call.argument, numbers)))
        return trees.numbers(f(*[fresh.get(i, x) for i, x in enumerate(args)]))

    def moved(i: int, x: float) -> list[float]:
        return [number(worth(y), "gradcheck") for y in outputs([Value(p) for p in [*point[:i], x, *point[i + 1 :]]])]

    values = [worth(y) for y in call.numbers]
    reverse = [[worth(slope) for slope in call.slopes(y)] for y in call.numbers]
    if point and moved(0, point[0]) != values:
        raise ValueError("gradcheck needs a function that returns the same values whenever its arguments are the same")
    addresses = [where for i, tree in zip(positions, call.argument) for where in trees.addresses(tree, names[i])]
    rows = []
    for i, x in enumerate(point):
        estimates = central_differences(lambda t: moved(i, t), x, len(values))  # noqa: B023
        exact = complex_step(outputs, point, i)
        for j, (numeric, uncertainty) in enumerate(estimates):
            if exact and abs(exact[j] - numeric) <= max(1e-6 * abs(numeric), uncertainty):
                numeric, uncertainty = exact[j], 0.0
            size = max(abs(reverse[j][i]), abs(numeric), SMALL * abs(values[j]) / max(1.0, abs(x)))
            error = abs(reverse[j][i] - numeric) / size if size else 0.0
            note = ""
            if math.isnan(numeric):
                note = "not defined on both sides"
            elif not uncertainty <= TRUSTED * size:
                note = f"no numerical derivative to trust: its own error is {uncertainty:.1e}"
            elif not error <= tolerance + uncertainty / (size or 1.0):
                note = f"wrong by {error:.1e}" + kink(lambda t: moved(i, t)[j], x)  # noqa: B023
            where = prefix + addresses[i] + f", result {j}" * (len(values) > 1)
            rows.append(Comparison(where, reverse[j][i], numeric, error, note))
    return rows


def central_differences(f: Callable[[float], list[float]], x: float, n: int) -> list[tuple[float, float]]:
    """(derivative, its uncertainty) of each of the n results of f at x; (nan, inf) where f has no two sides."""
    best = [(math.nan, math.inf)] * n
    for scale in {0.1 * max(1.0, abs(x)), 0.1 * (abs(x) or 1.0)}:
        columns: list[list[float]] = [[] for _ in range(n)]  # of each result the latest row of extrapolations
        for step in range(STEPS):
            h = scale / SHRINK**step
            try:
                above, below = f(x + h), f(x - h)
            except (ArithmeticError, ValueError):  # out of the domain: closer
                continue
            for j in range(n):
                before, row = columns[j], [(above[j] - below[j]) / ((x + h) - (x - h))]
                for k, coarse in enumerate(before, 1):
                    row.append(row[-1] + (row[-1] - coarse) / (SHRINK ** (2 * k) - 1))
                    uncertainty = max(abs(row[-1] - row[-2]), abs(row[-1] - coarse))
                    if uncertainty < best[j][1]:
                        best[j] = (row[-1], uncertainty)
                columns[j] = row
            if all(uncertainty <= 1e-11 * abs(derivative) for derivative, uncertainty in best):
                return best
    return best


def complex_step(outputs: Callable[[list[Any]], list[Any]], point: list[float], i: int) -> list[float]:
    """The derivative of each output, Im f(x + ih) / h, where the function takes complex numbers; else nothing."""
    h = 1e-100
    try:
        moved = outputs([complex(x, h) if k == i else x for k, x in enumerate(point)])
        return [complex(y).imag / h for y in moved]
    except Exception:  # whatever a function does with a number that it was not made for
        return []


def kink(f: Callable[[float], float], x: float) -> str:
    """The slopes on both sides of x, if they differ."""
    h = 1e-6 * (abs(x) or 1.0)
    left, right = (f(x) - f(x - h)) / h, (f(x + h) - f(x)) / h
    return f" at a kink: slope {left:.3g} before, {right:.3g} after" if abs(left - right) > 1e-2 * abs(left) else ""
