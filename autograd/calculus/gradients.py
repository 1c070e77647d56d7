"""Gradients of a cost, as numbers or as a graph of Values that can be drawn, compiled and differentiated again.

For the graph, the walk of `autograd.core.graph` is repeated with the partials of the table evaluated on Values: the
same rows give derivatives of every order, and no further rule is needed.
"""

import functools
import math
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator
from typing import Any, Literal, overload

from autograd.assigning import is_iterable
from autograd.calculus.slopes import (
    AFTER,
    TAME,
    WildError,
    is_bounded,
    is_tame,
    name_of_slope,
    refuse_wild,
    words_calling,
)
from autograd.cautions import warn, warn_of_nan
from autograd.compatibility import infix
from autograd.core.floats import COMPARISONS, divide, power
from autograd.core.graph import backpropagate, topological_order
from autograd.core.manners import datum, described
from autograd.core.table import PRIME, TABLE, OnDemand, Row, evaluate
from autograd.core.value import OPERATIONS, Value

ValueOrFloat = Value | float


@overload
def gradients(
    cost: Value, wrt: Iterable[Value], create_graph: Literal[False] = False, unused: str = ...
) -> list[float]: ...
@overload
def gradients(cost: Value, wrt: Iterable[Value], create_graph: bool, unused: str = ...) -> list[Any]: ...
@overload
def gradients(cost: Value, wrt: None = None, create_graph: bool = False, unused: str = ...) -> dict[Value, Any]: ...
def gradients(
    cost: Any, wrt: Iterable[Value] | None = None, create_graph: bool = False, unused: str = "zero"
) -> list[Any] | dict[Value, Any]:
    """d cost / d value for each value of `wrt`, as a list; without `wrt` a dict over every node of the graph.

    Nothing is written: every `.grad` stays as it is.

    Args:
        cost: the Value to differentiate.
        wrt: the Values to differentiate with respect to, leaves or inner nodes.
        create_graph: give Values instead of floats. They are expressions in the nodes of the cost, so they can be
            differentiated again, drawn and compiled.
        unused: what to do about a value of `wrt` that the cost never reaches: `"zero"` gives 0.0, `"error"` raises.

    Raises:
        TypeError: `cost` is not a Value, or `wrt` not an iterable of Values.
        ValueError: with `unused="error"`, naming the values that are not reached; with `create_graph=True`, when
            somebody has assigned the `.data` of a node after the cost was computed from it.

    >>> from autograd import Value
    >>> x, y = Value(3.0), Value(2.0)
    >>> gradients(x * x * y, [x, y])
    [12.0, 9.0]
    >>> [slope] = gradients(x * x * y, [x], create_graph=True)
    >>> gradients(slope, [x, y])
    [4.0, 6.0]
    """
    if not isinstance(cost, Value):
        advice = "; call it for each of them, or use jacobian" if isinstance(cost, (list, tuple)) else ""
        raise TypeError(f"gradients takes the cost as one Value, not {cost!r}{advice}")
    if unused not in ("zero", "error"):
        raise ValueError(f"unused is 'zero' or 'error', not {unused!r}")
    wrt = None if wrt is None else values(wrt)
    if wrt is not None and unused == "error":
        reached = set(topological_order(cost))
        lost = [f"wrt[{i}] {value.label or value!r}" for i, value in enumerate(wrt) if value not in reached]
        if lost:
            raise ValueError(f"the cost does not depend on {', '.join(lost)}: its gradient with respect to them is 0")
    gradient: dict[Value, Any] = graph_gradient(cost, wrt) if create_graph else backpropagate(cost)
    warn_of_nan({node: worth(slope) for node, slope in gradient.items()} if create_graph else gradient)
    if wrt is None:
        return gradient
    return [gradient[value] if value in gradient else Value(0.0) if create_graph else 0.0 for value in wrt]


def warn_of_slopes(*results: Value) -> None:
    """Issue a RuntimeWarning if a slope in a graph of gradients is infinite or nan at finite data, naming the first."""
    for node in topological_order(*results):
        if PRIME in node.op and not math.isfinite(worth(node)) and all(math.isfinite(worth(x)) for x in node.operands):
            row, _, operand = node.op.partition(PRIME)
            message = (
                f"the slope of {row} in {operand.replace(PRIME, ' and ')} is {worth(node)} at "
                f"{described(node.op, node.operands).replace('out_', f'{row}(...)')}: so may be what follows"
            )
            warn(message)
            return


def values(wrt: Any) -> list[Value]:
    """`wrt` as a list, checked."""
    if isinstance(wrt, Value) or not is_iterable(wrt):
        raise TypeError(f"wrt is a list of Values, as in gradients(cost, [w, b]), not {wrt!r}")
    wrt = list(wrt)
    for value in wrt:
        if not isinstance(value, Value):
            raise TypeError(f"wrt holds Values, the very ones that the cost was computed from, not {value!r}")
    return wrt


def graph_gradient(cost: Value, wrt: list[Value] | None = None) -> dict[Value, Value]:
    """`backpropagate` on Values: d cost / d node, an expression, for every node between `wrt` and the cost."""
    order = topological_order(cost)
    relevant = {cost} | depending(order, order if wrt is None else wrt)
    terms: dict[Value, list[tuple[ValueOrFloat, ValueOrFloat]]] = {node: [] for node in order if node in relevant}
    gradient: dict[Value, ValueOrFloat] = {}
    unbounded: set[ValueOrFloat] = {*depending(order, filter(may_be_infinite, order))}
    for node in reversed(terms):
        gradient[node] = upstream = 1.0 if node is cost else sum_of_products(terms[node], unbounded)
        if terms[node] or node is cost:
            for parent, partial in partials(node, relevant):
                terms[parent].append((partial, upstream))
    # A result is a node of its own: whoever labels it must not rename a node of the cost.
    own = set(order)
    return {
        node: Value(slope) if not isinstance(slope := gradient[node], Value) else 1.0 * slope if slope in own else slope
        for node in terms
    }


def depending(order: list[Value], sources: Iterable[Value]) -> set[Value]:
    """The sources, and all nodes of a topological order that depend on one."""
    found = set(sources)
    for node in order if found else ():
        if node not in found and not found.isdisjoint(node.parents):
            found.add(node)
    return found


def sum_of_products(terms: list[tuple[ValueOrFloat, ValueOrFloat]], unbounded: set[ValueOrFloat]) -> ValueOrFloat:
    """x1 y1 + ... + xn yn with as few nodes as possible: zeros and ones leave none.

    `unbounded` are the Values that slopes with poles are part of, with which a product with 0 may be nan; so is the
    result, if one of them is part of it.
    """

    def vanishes(x: ValueOrFloat, y: ValueOrFloat) -> bool:
        return is_plain(x, 0.0) and (y not in unbounded if isinstance(y, Value) else math.isfinite(y))

    unbounded.update(x for pair in terms for x in pair if isinstance(x, Value) and may_be_infinite(x))
    terms = [(x, y) for x, y in terms if not vanishes(x, y) and not vanishes(y, x)]
    if not terms:
        return 0.0
    if len(terms) == 1:
        result = product(*terms[0])
    elif all(is_plain(x, 1.0) or is_plain(y, 1.0) for x, y in terms):
        summands = [product(x, y) for x, y in terms]
        result = summands[0] + summands[1] if len(terms) == 2 else total(summands)
    else:
        try:
            result = OPERATIONS["weighted_sum"]([x for x, _ in terms], [y for _, y in terms])
        except OverflowError:  # infinite, as in the pass on floats
            result = one_by_one([product(x, y) for x, y in terms])
    if isinstance(result, Value) and any(x in unbounded for pair in terms for x in pair):
        unbounded.add(result)
    return result


def total(summands: list[ValueOrFloat]) -> ValueOrFloat:
    """The sum; infinite where it overflows, as in the pass on floats."""
    try:
        return OPERATIONS["sum"](summands)
    except OverflowError:
        return one_by_one(summands)


def one_by_one(summands: list[ValueOrFloat]) -> ValueOrFloat:
    """The sum in pairs, which does not raise where it overflows."""
    result = summands[0]
    for x in summands[1:]:
        result = result + x
    return result


def may_be_infinite(slope: Value) -> bool:
    """Whether a partial is a slope with poles."""
    return PRIME in slope.op and not is_bounded(TABLE[slope.op])


def product(x: ValueOrFloat, y: ValueOrFloat) -> ValueOrFloat:
    """X * y, without a node for a factor of 1."""
    if is_plain(x, 1.0) or is_plain(y, 1.0):
        return y if is_plain(x, 1.0) else x
    if is_plain(x, -1.0) or is_plain(y, -1.0):
        return -y if is_plain(x, -1.0) else -x
    return x * y


def is_plain(x: ValueOrFloat, value: float) -> bool:
    """Whether x is that plain number (a Value may change when a graph is evaluated again)."""
    return type(x) is float and x == value


# The partials of a row on Values -----------------------------------------------------------------------------------


def partials(node: Value, wanted: Container[Value]) -> Iterator[tuple[Value, ValueOrFloat]]:
    """(parent, d node / d parent) for the wanted parents, each slope an expression in the operands and the node."""
    if not node.op:
        return
    row, recorded = TABLE[node.op], iter(node.partials)
    groups = row.grouped(node.operands)
    for operand, (position, names) in zip(node.operands, row.occurrences(groups, node, OPERATIONS)):
        if isinstance(operand, Value):
            stored = next(recorded)
            if operand in wanted and not (node.op == AFTER and position):  # on that one nothing depends
                yield operand, partial(row, position, names, node, stored)


def partial(row: Row, position: int, names: dict[str, Any], node: Value, recorded: float) -> ValueOrFloat:
    """One partial on Values: written out if it is tame, else one node of the row that it is itself."""
    try:
        slope = written_out(row, position, names)
        unchanged = same(worth(slope), recorded) or math.isnan(worth(node))
    except (ArithmeticError, ValueError):  # a domain that the data have left since
        unchanged = slope = False
    if not unchanged:
        raise ValueError(
            f"the data of {node.op} ({described(node.op, node.operands)}) were assigned after it was computed, so its "
            "partials can no longer be written as expressions: compute the cost again, or refresh() it, then ask for "
            "its gradient"
        )
    return slope


def written_out(row: Row, position: int, names: dict[str, Any]) -> ValueOrFloat:
    """The expression of a partial, or its row where that is wild for Values; plain numbers may tame it."""
    tame, words = manner(row, position)
    if tame or any(type(names[x]) is float for x in row.operands):
        try:
            slope = evaluate(row.partials[position], words, names)
            if isinstance(slope, Value) or slope == slope:  # what follows from a slope that does not exist is none
                return slope
        except WildError:
            pass
    slope = TABLE[name_of_slope(row, position)]
    return OPERATIONS[slope.name](*[names["out" if x == "out_" and x not in names else x] for x in slope.operands])


@functools.cache
def manner(row: Row, position: int) -> tuple[bool, OnDemand]:
    """Whether a partial is tame, and what its words mean on Values."""
    return is_tame(row, position), WORDS_BY_OPERATOR[infix(row)]


def worth(x: ValueOrFloat) -> float:
    """What a Value or a number is worth."""
    return x if type(x) is float else datum(x, "")


def same(x: float, y: float) -> bool:
    """Whether two evaluations of one slope agree."""
    return math.isclose(x, y, rel_tol=1e-9) or (x != x and y != y)


def tame_call(name: str, *operands: ValueOrFloat) -> ValueOrFloat:
    """A word of the table, if it is tame or one of numbers."""
    return (
        OPERATIONS[name](*operands)
        if name in TAME or not any(isinstance(x, Value) for x in operands)
        else refuse_wild()
    )


def quotient(x: ValueOrFloat, y: ValueOrFloat) -> ValueOrFloat:
    """X / y; a slope has no error between numbers."""
    if isinstance(x, Value) or isinstance(y, Value):
        return x / y if isinstance(y, Value) or y else refuse_wild()
    return divide(x, y)


def reduced(x: ValueOrFloat, y: ValueOrFloat) -> ValueOrFloat:
    """X / y for a number y."""
    return refuse_wild() if isinstance(y, Value) else quotient(x, y)


def choice(
    x: ValueOrFloat, sign: str, y: ValueOrFloat, yes: Callable[[], ValueOrFloat], no: Callable[[], ValueOrFloat]
) -> ValueOrFloat:
    """A choice between numbers is made."""
    if isinstance(x, Value) or isinstance(y, Value):
        return refuse_wild()
    return yes() if COMPARISONS[sign](x, y) else no()


def raised(x: ValueOrFloat, y: ValueOrFloat) -> ValueOrFloat:
    """X ** y with a power that no number is outside the domain of if it is inside that of x ** (y + 1)."""
    if isinstance(y, Value) or y < 0:
        return refuse_wild()
    if not isinstance(x, Value):
        return power(x, y)
    return x**y if y not in (0.0, 1.0) else x if y else 1.0


# What the words of a partial mean on Values, for rows with the operator ** or / and for all others
_ONE = words_calling(tame_call, choose=choice, divide=reduced, power=refuse_wild)
WORDS_BY_OPERATOR: defaultdict[str, OnDemand] = defaultdict(lambda: _ONE)
WORDS_BY_OPERATOR["/"] = words_calling(tame_call, choose=choice, divide=quotient, power=refuse_wild)
WORDS_BY_OPERATOR["**"] = words_calling(tame_call, choose=choice, divide=reduced, power=raised)
