"""The language of the table: expressions as syntax trees, and the few rewrites that every reader of a row shares."""

import ast
import math
import operator
from collections import Counter
from collections.abc import Callable, Iterator

from autograd.compiler.legacy import FLOATS
from autograd.core.table import PRIMITIVES


def parse(expression: str) -> ast.expr:
    """The syntax tree of one expression."""
    return ast.parse(expression, mode="eval").body


def names_in(tree: ast.AST) -> set[str]:
    """The names that occur in an expression, functions included."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def check(expression: str, names: set[str]) -> None:
    """Raise a ValueError unless the expression is in the language of the table, in these names."""

    def visit(tree: ast.expr) -> None:
        match tree:
            case ast.Constant(int() | float()) if not isinstance(tree.value, bool):
                parts = []
            case ast.Name(name) if name in names or name in ("pi", "nan"):
                parts = []
            case ast.UnaryOp(ast.USub(), x):
                parts = [x]
            case ast.BinOp(x, ast.Add() | ast.Sub() | ast.Mult() | ast.Div() | ast.Pow(), y):
                parts = [x, y]
            case ast.IfExp(
                ast.Compare(x, [ast.Gt() | ast.Lt() | ast.GtE() | ast.LtE() | ast.Eq() | ast.NotEq()], [y]), a, b
            ):
                parts = [x, y, a, b]
            case ast.Call(ast.Name(word), parts, []) if word in PRIMITIVES and not PRIMITIVES[word].variadic:
                row = PRIMITIVES[word]
                if not len(row.operands) - len(row.defaults) <= len(parts) <= len(row.operands):
                    raise ValueError(f"{expression!r} calls {word} with {len(parts)} operands, not {len(row.operands)}")
            case _:
                words = ", ".join(name for name, row in PRIMITIVES.items() if not row.variadic)
                raise ValueError(
                    f"{ast.unparse(tree)!r} in {expression!r} is not understood. An expression is made of real "
                    f"numbers, the names {', '.join(sorted(names))} and pi, "
                    f"+ - * / **, `a if x > y else b` and calls of {words}"
                )
        for part in parts:
            visit(part)

    try:
        visit(parse(expression))
    except SyntaxError as error:
        raise ValueError(f"{expression!r} is not an expression: {error.msg}") from None


class Rename(ast.NodeTransformer):
    """Replace variables; what takes the place of a name may be any expression."""

    def __init__(self, names: dict[str, str]):
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """The expression that takes the place of a name."""
        return parse(self.names[node.id]) if node.id in self.names else node


def literal(x: float) -> ast.expr:
    """A number as a syntax tree. A negative one is a negation, so that text made of it has its parentheses."""
    if math.isnan(x):
        return ast.Name("nan")
    return ast.UnaryOp(ast.USub(), ast.Constant(-x)) if math.copysign(1.0, x) < 0 else ast.Constant(x)


def number_of(tree: ast.AST) -> float | None:
    """The number that a syntax tree is, if it is one."""
    match tree:
        case ast.Constant(int() | float() as x):
            return float(x)
        case ast.UnaryOp(ast.USub(), ast.Constant(int() | float() as x)):
            return -float(x)
    return None


ARITHMETIC = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: FLOATS["pow"],
}  # fmt: skip


class Fold(ast.NodeTransformer):
    """Write every number as a float, and evaluate what holds no variable: `sqrt(2 * pi)` becomes its number.

    What has no finite value, such as `log(0)`, stays as it is: it may never be evaluated.
    """

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """A node with its parts folded, then itself."""
        node = super().generic_visit(node)
        match node:
            case ast.Constant(int() as x):
                return literal(float(x))
            case ast.Name("pi"):
                return literal(math.pi)
            case ast.BinOp(left, operation, right):
                return folded(node, ARITHMETIC[type(operation)], [left, right])
            case ast.Call(ast.Name(word), arguments) if word in FLOATS:
                return folded(node, FLOATS[word], arguments)
        return node


def folded(node: ast.expr, function: Callable[..., float], operands: list[ast.expr]) -> ast.expr:
    """The number that a function of numbers is worth; the node itself where it is none."""
    numbers = [x for x in map(number_of, operands) if x is not None]
    if len(numbers) < len(operands):
        return node
    try:
        result = function(*numbers)
    except (ArithmeticError, ValueError):
        return node
    return literal(float(result)) if math.isfinite(result) else node


def unconditional(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes of an expression that are evaluated whichever way its conditions turn out."""
    yield tree
    for part in [tree.test] if isinstance(tree, ast.IfExp) else ast.iter_child_nodes(tree):
        yield from unconditional(part)


def hoist(trees: list[ast.expr], prefix: str = "t") -> tuple[dict[str, str], list[ast.expr]]:
    """Name each call that occurs more than once: ({name: call}, the expressions in terms of those names).

    A call that its first expression may never evaluate stays where it is: it may be undefined.
    """
    count: Counter[str] = Counter()
    repeated: list[str] = []
    for tree in trees:
        certain = {ast.unparse(node) for node in unconditional(tree) if isinstance(node, ast.Call)}
        calls = Counter(ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Call))
        repeated += [call for call in calls if call not in count and call in certain]
        count += calls
    repeated = [call for call in repeated if count[call] > 1]
    largest = [call for call in repeated if not any(call != other and call in other for other in repeated)]
    names = {call: f"{prefix}{i}" for i, call in enumerate(largest)}

    class Replace(ast.NodeTransformer):
        def visit_Call(self, node: ast.Call) -> ast.expr:
            name = names.get(ast.unparse(node))
            return ast.Name(name) if name else self.generic_visit(node)  # type: ignore[return-value]

    return {name: call for call, name in names.items()}, [Replace().visit(tree) for tree in trees]
