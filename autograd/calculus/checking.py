"""gradcheck: reverse mode against numerical derivatives, which know nothing of the table or of the graph.

Central differences are taken with ever smaller steps and extrapolated to step 0 (C. Ridders, Advances in Engineering
Software 4, 1982), which gives the derivative of a smooth function to about ten digits. How many of them to trust
follows from how far the extrapolations differ and from the rounding of the function's values.
"""

import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from autograd.calculus import trees
from autograd.calculus.gradients import worth
from autograd.calculus.transforms import FreshCall, jacobian, positions_of
from autograd.core.graph import backpropagate
from autograd.core.manners import number
from autograd.core.value import Value

TRUSTED = 3e-4  # a numerical derivative whose relative uncertainty is larger decides nothing
NEGLIGIBLE = 1e-10  # errors below are rounding, and differ from machine to machine
ROUNDING = 2.0**-52  # of a function's value, relative
STEPS, SHRINK = 21, 1.6  # from a quarter of the scale to 2e-5 of it


class Comparison(NamedTuple):
    """One derivative by both methods. `note` says why they do not agree, and is empty if they do."""

    argument: str
    reverse: float
    numeric: float
    error: float
    note: str


class Numeric(NamedTuple):
    """A numerical derivative.

    Attributes:
        slope: the derivative; nan where the function has no two sides.
        uncertainty: how far it may be off, from extrapolation and from rounding.
        spread: the slope from the point to one some way off, the measure of what is nearly 0.
        note: what the function has in place of a derivative, a kink or a jump.
    """

    slope: float
    uncertainty: float
    spread: float
    note: str = ""

    @property
    def is_sure(self) -> bool:
        """Whether the uncertainty is small beside the slope, or the slope beside those around."""
        known = self.uncertainty <= TRUSTED * max(abs(self.slope), self.spread) or not self.spread
        return known and not self.note


class GradientReport:
    """What `gradcheck` found: true if all derivatives agree, printed as a table.

    Attributes:
        rows: one `Comparison` for each output of the function and each number among its arguments.
        worst: the row with the largest error; None if there are no rows.
    """

    def __init__(self, rows: Sequence[Comparison]):
        self.rows = list(rows)
        self.worst = max(self.rows, key=lambda row: (bool(row.note), max(row.error, NEGLIGIBLE)), default=None)

    def __bool__(self) -> bool:
        return self.worst is not None and not self.worst.note

    def __repr__(self) -> str:
        width = max([len("argument"), *(len(row.argument) for row in self.rows)])
        lines = [f"{'argument':<{width}} {'reverse':>19} {'numeric':>19} {'error':>8}"]
        for row in self.rows:
            error = f"{row.error:.1e}" if row.error >= NEGLIGIBLE else "" if row.note else "< 1e-10"
            numbers = f"{row.reverse:>19.12g} {row.numeric:>19.12g} {error:>8}"
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
    x                         12                  12  < 1e-10
    y                          9                   9  < 1e-10
    2 agree; the worst: x
    """
    if type(order) is not int or order < 1:
        raise ValueError(f"order is 1 for first derivatives, 2 for second derivatives too, and so on, not {order!r}")
    if isinstance(f, Value) or not callable(f):
        raise TypeError(f"gradcheck takes a function and the arguments to check it at, not {f!r}")
    positions = tuple(positions_of(range(len(args)) if argnums is None else argnums, len(args), "gradcheck"))
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
    names: list[str] = []
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
    call = FreshCall(f, args, {}, positions, "gradcheck")
    point = [worth(leaf) for leaf in call.leaves]

    def moved(i: int, x: float) -> list[float]:
        numbers = [Value(p) for p in [*point[:i], x, *point[i + 1 :]]]
        fresh = dict(zip(positions, trees.assemble(call.argument, numbers)))
        outputs = trees.flat_numbers(f(*[fresh.get(k, x) for k, x in enumerate(args)]))
        return [number(worth(y), "gradcheck") for y in outputs]

    values = [worth(y) for y in call.numbers]
    roundings = [rounding_of(y) if isinstance(y, Value) else 0.0 for y in call.numbers]
    reverse = [[worth(slope) for slope in call.slopes(y)] for y in call.numbers]
    if point and moved(0, point[0]) != values:
        raise ValueError("gradcheck needs a function that returns the same values whenever its arguments are the same")
    addresses = [where for i, tree in zip(positions, call.argument) for where in trees.addresses(tree, names[i])]
    rows: list[Comparison] = []
    for i, x in enumerate(point):
        for j, numeric in enumerate(numerical_derivatives(lambda t: moved(i, t), x, values, roundings)):  # noqa: B023
            where = prefix + addresses[i] + f", result {j}" * (len(values) > 1)
            rows.append(compared(where, reverse[j][i], numeric, tolerance))
    return rows


def compared(argument: str, reverse: float, numeric: Numeric, tolerance: float) -> Comparison:
    """The row for one derivative by both methods."""
    slope, uncertainty = numeric.slope, numeric.uncertainty
    size, difference = max(abs(reverse), abs(slope)), abs(reverse - slope)
    error = difference / size if difference and size else difference
    note = ""
    if math.isnan(slope):
        note = "not defined on both sides"
    elif numeric.note:
        note = numeric.note
    elif not difference <= tolerance * size + uncertainty:
        note = f"wrong by {error:.1e}"
    elif not uncertainty <= TRUSTED * max(size, numeric.spread) and (reverse or numeric.spread):
        note = f"no numerical derivative to trust: its own error is {uncertainty:.1e}"
    return Comparison(argument, reverse, slope, error, note)


def rounding_of(y: Value) -> float:
    """How much of a value is rounding: that of each node, times what it changes in the value, as if by chance."""
    errors = [ROUNDING * worth(node) * slope for node, slope in backpropagate(y).items() if node.op]
    return error if math.isfinite(error := math.hypot(*errors)) else 0.0


def numerical_derivatives(
    f: Callable[[float], list[float]], x: float, values: list[float], roundings: list[float]
) -> list[Numeric]:
    """The derivative of each result of f at x, where f is worth `values`, each known up to its rounding.

    Steps are measured by 1, for a function such as sin x near 0, and by x, for one such as 1 / x; then they shrink
    until every result is sure. What closer steps contradict, as those on the near side of a pole do, is dropped.
    """
    best = [Numeric(math.nan, math.inf, 0.0)] * len(values)
    for scale in dict.fromkeys([max(1.0, abs(x)), *(part * (abs(x) or 1.0) for part in (1.0, 1e-4, 1e-8, 1e-12))]):
        samples = sampled(f, x, scale)
        for j, (value, rounding) in enumerate(zip(values, roundings)):
            old, new = best[j], extrapolated([(h, a[j], b[j]) for h, a, b in samples], value, rounding)
            finer = new.uncertainty < old.uncertainty
            contradicts = abs(new.slope - old.slope) > old.uncertainty + new.uncertainty
            drowned = old.note and not finer and not new.spread  # a kink, in the rounding of a large constant
            closer = (finer and new.spread > 0) or not (old.is_sure or drowned)
            if math.isnan(old.slope) or (new.is_sure and (contradicts or closer)):
                best[j] = new
        if all(not n.note and n.uncertainty <= 1e-9 * abs(n.slope) for n in best):
            break
    return best


def sampled(f: Callable[[float], list[float]], x: float, scale: float) -> list[tuple[float, list[float], list[float]]]:
    """(h, f(x - h), f(x + h)) for ever smaller steps h, where both are in the domain."""
    samples: list[tuple[float, list[float], list[float]]] = []
    for k in range(STEPS):
        h = (x + 0.25 * scale / SHRINK**k) - x  # so that x + h is exact
        if h < 8 * math.ulp(x):
            break
        try:
            samples.append((h, f(x - h), f(x + h)))
        except (ArithmeticError, ValueError):  # closer
            continue
    return samples


def extrapolated(samples: list[tuple[float, float, float]], value: float, rounding: float) -> Numeric:
    """The limit of the central differences (f(x + h) - f(x - h)) / 2h of one result, which is `value` at x.

    Their error is a series in h^2, one term of which is removed by each column of a row of extrapolations.
    """
    slope, uncertainty, spread = math.nan, math.inf, 0.0
    before: list[float] = []
    doubts: list[float] = []
    for i, (h, below, above) in enumerate(samples):
        row = [(above - below) / (2 * h)]
        for k, coarse in enumerate(before, 1):
            row.append(row[-1] + (row[-1] - coarse) / ((samples[i - k][0] / h) ** 2 - 1))
        spread = spread or max(abs(above - value), abs(value - below)) / h
        noise = max(ROUNDING * (abs(above) + abs(below)), rounding) / h + 1e-12 * spread
        changes = [max(abs(fine - row[k]), abs(fine - before[k])) for k, fine in enumerate(row[1:])]
        for k, change in enumerate(changes[:-1]):  # two rows that are alike by chance do not make a limit
            unsure = 2 * max(change, doubts[k] / SHRINK ** (2 * k + 2)) + noise
            if unsure < uncertainty:
                slope, uncertainty = row[k + 1], unsure
        before, doubts = row, changes
    return Numeric(slope, uncertainty, spread, irregular(samples, value, rounding))


def irregular(samples: list[tuple[float, float, float]], value: float, rounding: float) -> str:
    """What a function has at a point where its values or its slopes on both sides do not meet; else nothing."""
    jumps: list[tuple[float, float]] = []
    bends: list[tuple[float, float, float]] = []
    last = math.nan
    for h, below, above in samples:
        noise = 20 * max(ROUNDING * (abs(above) + 2 * abs(value) + abs(below)), rounding)
        if abs(above - below) > noise:
            jumps.append((below, above))
        change = ((above - value) - (value - below)) / h  # of the slope: (a kink) + (a curvature) h
        limit = change + (change - last) / (SHRINK - 1)
        if abs(limit) > noise / h:
            bends.append((limit, (value - below) / h, (above - value) / h))
        last = change
    heights = [above - below for below, above in jumps[-4:]]
    if 4 <= len(jumps) == len(samples) and max(heights) - min(heights) < 0.1 * abs(heights[-1]):
        return f"a jump: {jumps[-1][0]:.6g} before, {value:.6g} here, {jumps[-1][1]:.6g} after"
    limits = [limit for limit, _, _ in bends[-4:]]
    if len(limits) == 4 and max(limits) - min(limits) < 0.1 * abs(limits[-1]):
        _, left, right = bends[-1]
        if abs(right - left) > 1e-6 * max(abs(left), abs(right)):
            return f"a kink: slope {left:.4g} before, {right:.4g} after"
    return ""
