"""The language of the table: expressions as syntax trees, and the few rewrites that every reader of a row shares."""

import ast
from collections import Counter
from collections.abc import Iterator

from autograd.core.table import CONSTANTS, FLOATS, PRIMITIVES


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
            case ast.Name(name) if name in names or name in CONSTANTS:
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


class Fold(ast.NodeTransformer):
    """Write every number as a float, and evaluate what holds no variable: `sqrt(2 * pi)` becomes its number."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """A node with its parts folded, then itself."""
        node = super().generic_visit(node)
        match node:
            case ast.Constant(int(number)):
                return ast.Constant(float(number))
            case ast.BinOp(ast.Constant(), _, ast.Constant()) | ast.UnaryOp(_, ast.Constant()):
                return ast.Constant(eval(ast.unparse(node)))
            case ast.Call(ast.Name(), arguments) if all(isinstance(x, ast.Constant) for x in arguments):
                return ast.Constant(eval(ast.unparse(node), dict(FLOATS)))
            case ast.Name("pi"):
                return ast.Constant(FLOATS["pi"])
        return node


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
