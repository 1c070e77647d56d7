"""Gradients of a cost, as numbers or as a graph of Values that can be drawn, compiled and differentiated again.

For the graph, the walk of `autograd.core.graph` is repeated with the partials of the table evaluated on Values: the
same rows give derivatives of every order, and no further rule is needed.
"""

import ast
import functools
import math
import operator
from collections.abc import Callable, Container, Iterable, Iterator
from typing import Any, Literal, overload

from autograd.core.expressions import Fold, hoist, names_in, parse
from autograd.core.generate import careful_partials, define
from autograd.core.graph import backpropagate, topological_order
from autograd.core.table import CONSTANTS, PRIMITIVES, Primitive, products_of_others
from autograd.core.value import Value, described, function, warn_of_nan

Number = Value | float


@overload
def gradients(
    cost: Value, wrt: Iterable[Value], create_graph: Literal[False] = False, unused: str = ...
) -> list[float]: ...
@overload
def gradients(cost: Value, wrt: Iterable[Value], create_graph: bool, unused: str = ...) -> list[Any]: ...
@overload
def gradients(cost: Value, wrt: None = None, create_graph: bool = False, unused: str = ...) -> dict[Value, Any]: ...
def gradients(
    cost: Value, wrt: Iterable[Value] | None = None, create_graph: bool = False, unused: str = "zero"
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
    warn_of_nan({node: slope.data for node, slope in gradient.items()} if create_graph else gradient)
    if wrt is None:
        return gradient
    return [gradient[value] if value in gradient else Value(0.0) if create_graph else 0.0 for value in wrt]


def values(wrt: Iterable[Value]) -> list[Value]:
    """`wrt` as a list, checked."""
    if isinstance(wrt, Value) or not hasattr(wrt, "__iter__"):
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
    terms: dict[Value, list[tuple[Number, Number]]] = {node: [] for node in order if node in relevant}
    gradient: dict[Value, Number] = {}
    for node in reversed(terms):
        gradient[node] = upstream = 1.0 if node is cost else sum_of_products(terms[node])
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
    for node in order:
        if node not in found and not found.isdisjoint(node.parents):
            found.add(node)
    return found


def sum_of_products(terms: list[tuple[Number, Number]]) -> Number:
    """x1 y1 + ... + xn yn with as few nodes as possible: zeros and ones leave none."""
    terms = [(x, y) for x, y in terms if not is_number(x, 0.0) and not is_number(y, 0.0)]
    if not terms:
        return 0.0
    try:
        if len(terms) == 1:
            return product(*terms[0])
        if all(is_number(x, 1.0) or is_number(y, 1.0) for x, y in terms):
            summands = [product(x, y) for x, y in terms]
            return summands[0] + summands[1] if len(terms) == 2 else function("sum")(summands)
        return function("weighted_sum")([x for x, _ in terms], [y for _, y in terms])
    except (ArithmeticError, ValueError):  # 0 * inf or inf - inf: nan, as in the pass on floats, which warns of it
        return sum(float(x) * float(y) for x, y in terms)


def product(x: Number, y: Number) -> Number:
    """X * y, without a node for a factor of 1."""
    if is_number(x, 1.0) or is_number(y, 1.0):
        return y if is_number(x, 1.0) else x
    if is_number(x, -1.0) or is_number(y, -1.0):
        return -y if is_number(x, -1.0) else -x
    return x * y


def is_number(x: Number, value: float) -> bool:
    """Whether x is that plain number (a Value may change when a graph is evaluated again)."""
    return type(x) is float and x == value


# The partials of a row on Values -----------------------------------------------------------------------------------


def partials(node: Value, wanted: Container[Value]) -> Iterator[tuple[Value, Number]]:
    """(parent, d node / d parent) for the wanted parents, each slope an expression in the operands and the node."""
    if not node.op:
        return
    slopes, stored = slope_functions(node.op), iter(node.partials)
    for operand, (position, arguments) in zip(node.operands, occurrences(PRIMITIVES[node.op], node.operands)):
        if isinstance(operand, Value):
            recorded = next(stored)
            if operand in wanted:
                slope = slopes[position]
                yield operand, evaluate(slope, arguments, node, recorded) if callable(slope) else slope


def occurrences(row: Primitive, operands: tuple[Number, ...]) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """For each operand of a node: which partial of the row is its own, and what the words of that partial stand for."""
    if not row.variadic:
        yield from ((position, operands) for position in range(len(operands)))
        return
    groups = grouped(row, operands)
    n = len(groups[0])
    rest = products_of_others(groups[0]) if "rest" in words_of(row.name) else [math.nan] * n
    for position, group in enumerate(groups):
        for i in range(n if isinstance(group, list) else 1):
            yield position, (*[g[i] if isinstance(g, list) else g for g in groups], rest[i], float(n))


def grouped(row: Primitive, operands: tuple[Number, ...]) -> list[Any]:
    """The operands of a node as its function takes them: numbers, and lists of numbers."""
    if not row.variadic:
        return list(operands)
    n = (len(operands) - len(row.operands) + len(row.lists)) // len(row.lists)
    waiting = iter(operands)
    return [[next(waiting) for _ in range(n)] if x in row.lists else next(waiting) for x in row.operands]


def evaluate(slope: Callable[..., Number], arguments: tuple[Any, ...], node: Value, recorded: float) -> Number:
    """A partial on Values; a constant where it has no finite value, as the slope of `sqrt` at 0."""
    try:
        result = slope(*arguments, node)
        unchanged = same(worth(result), recorded) or math.isnan(node.data)
    except (ArithmeticError, ValueError):
        data = grouped(PRIMITIVES[node.op], tuple(map(worth, node.operands)))
        result = recorded
        unchanged = any(same(x, recorded) for x in careful(node.op)(*data, node.data))
    if not unchanged:
        raise ValueError(
            f"the data of {node.op} ({described(node.op, node.operands)}) were assigned after it was computed, so its "
            "partials can no longer be written as expressions: compute the cost again, then ask for its gradient"
        )
    return result


def worth(x: Number) -> float:
    """What a Value or a number is worth."""
    return x.data if isinstance(x, Value) else x


def same(x: float, y: float) -> bool:
    """Whether two evaluations of one slope agree."""
    return math.isclose(x, y, rel_tol=1e-9) or (x != x and y != y)


@functools.cache
def careful(name: str) -> Callable[..., list[float]]:
    """The partials of a row on floats, infinite or nan where they do not exist."""
    return careful_partials(PRIMITIVES[name])


@functools.cache
def slope_functions(name: str) -> list[Callable[..., Number] | float]:
    """The partials of a row: functions of operands and result, Values or floats; or the number that one always is."""
    row = PRIMITIVES[name]
    parameters = [x[:-1] if x in row.lists else x for x in row.operands] + ["rest", "n"] * row.variadic + ["out"]
    words = {word: function(word) for word in words_of(name) & set(PRIMITIVES)} | {"pow": power}
    slopes: list[Callable[..., Number] | float] = []
    for operand, expression in zip(row.operands, row.partials):
        tree = Fold().visit(parse(expression))
        if isinstance(tree, ast.Constant):
            slopes.append(float(tree.value))  # type: ignore[arg-type]
            continue
        calls, [tree] = hoist([tree])
        body = [*(f"{t} = {call}" for t, call in calls.items()), f"return {ast.unparse(OnValues().visit(tree))}"]
        title = f"slope_of_{name}_in_{operand}"
        source = f"def {title}({', '.join(parameters)}):\n" + "".join(f"    {line}\n" for line in body)
        slopes.append(define(title, source, {**CONSTANTS, **words, "choose": choose}))
    return slopes


@functools.cache
def words_of(name: str) -> set[str]:
    """The names in the partials of a row."""
    return set().union(*(names_in(parse(expression)) for expression in PRIMITIVES[name].partials))


def power(x: Number, y: Number) -> Number:
    """X ** y, without a node for a power of 1 or 0."""
    if is_number(y, 1.0) or is_number(y, 0.0):
        return x if y else 1.0
    return function("pow")(x, y)


class OnValues(ast.NodeTransformer):
    """Powers as calls, and a conditional expression as a call of `choose`."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """X ** y as pow(x, y), which refuses what Python would make complex."""
        self.generic_visit(node)
        return ast.Call(ast.Name("pow"), [node.left, node.right], []) if isinstance(node.op, ast.Pow) else node

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        """A if x > y else B."""
        self.generic_visit(node)
        match node:
            case ast.IfExp(ast.Compare(x, [comparison], [y]), a, b):
                x, y, a, b = (ast.unparse(part) for part in (x, y, a, b))
                return parse(f"choose({x}, '{type(comparison).__name__}', {y}, lambda: {a}, lambda: {b})")
        raise ValueError(f"a condition compares two numbers, as x > y does, unlike {ast.unparse(node.test)}")


def minus(x: Number, y: Number) -> Number:
    """X - y, without a node for a 0."""
    return x if is_number(y, 0.0) else -y if is_number(x, 0.0) else x - y


COMPARISONS: dict[str, tuple[Callable[[float, float], bool], Callable[[Number, Number], Number], bool]] = {
    # how floats compare, and an expression that is above 0 exactly where they do (True) or exactly where they do not
    "Gt": (operator.gt, minus, True),
    "Lt": (operator.lt, lambda x, y: minus(y, x), True),
    "LtE": (operator.le, minus, False),
    "GtE": (operator.ge, lambda x, y: minus(y, x), False),
    "NotEq": (operator.ne, lambda x, y: abs(minus(x, y)), True),
    "Eq": (operator.eq, lambda x, y: abs(minus(x, y)), False),
}


def choose(x: Number, comparison: str, y: Number, yes: Callable[[], Number], no: Callable[[], Number]) -> Number:
    """`yes() if x > y else no()`; a `where` node if the condition may change when the graph is evaluated again."""
    compare, difference, positive = COMPARISONS[comparison]
    holds = compare(worth(x), worth(y))
    taken = yes() if holds else no()
    if not isinstance(x, Value) and not isinstance(y, Value):
        return taken
    try:
        other = no() if holds else yes()
    except (ArithmeticError, ValueError):  # the other choice does not exist here
        return taken
    if other is taken or (not isinstance(taken, Value) and not isinstance(other, Value) and same(taken, other)):
        return taken
    undecided = math.isnan(worth(x)) or math.isnan(worth(y))  # as are the arguments of a function that is compiled
    if not undecided and any(not isinstance(choice, Value) and math.isnan(choice) for choice in (taken, other)):
        return taken  # one of them does not exist anywhere
    return function("where")(difference(x, y), *((taken, other) if holds == positive else (other, taken)))
