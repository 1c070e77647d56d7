"""The rule behind a local derivative, in the names of one graph: `1 − a²`, `2 (a − y)`, `1 if z > 0 else 0.01`.

Unlike an explanation, which states the branch that holds now, a rule stays true when the leaves are moved.
"""

import ast
import operator
import re
from collections.abc import Callable
from typing import Any

from autograd.core.expressions import parse
from autograd.core.table import PRIMITIVES
from autograd.core.value import Value
from autograd.explaining import notation
from autograd.explaining.formulas import grouped, simplify, substitute
from autograd.explaining.notation import ATOM, POWER, SUM

FEW = 4  # factors that are written out
_COMPARISONS = {
    ast.Gt: (operator.gt, "&gt;"),
    ast.GtE: (operator.ge, "≥"),
    ast.Lt: (operator.lt, "&lt;"),
    ast.LtE: (operator.le, "≤"),
    ast.Eq: (operator.eq, "="),
    ast.NotEq: (operator.ne, "≠"),
}


class Html(notation.Text):
    """Writes a syntax tree as HTML; `names` holds the HTML that stands for each variable."""

    times = " · "

    def __init__(self, names: dict[str, str]):
        self.names = names

    def __call__(self, tree: ast.expr) -> str:
        """The whole formula."""
        return re.sub("\ue000(\\w+)\ue001", lambda name: self.names[name[1]], self.write(tree)[0].replace("-", "−"))

    def name(self, label: str) -> tuple[str, int]:
        """A mark for a variable; its name is put there when the signs are set."""
        return f"\ue000{label}\ue001", ATOM

    def power(self, x: ast.expr, y: ast.expr) -> tuple[str, int]:
        """x to the power y, written high."""
        return f"{self.at_least(x, ATOM)}<sup>{self.write(y)[0]}</sup>", POWER

    def write(self, tree: ast.expr) -> tuple[str, int]:
        """A formula, and how strongly it holds together."""
        match tree:
            case ast.IfExp(test, x, y):
                x, test, y = (self.write(part)[0] for part in (x, test, y))
                return f"{x} if {test} else {y}", 0
            case ast.Compare(x, [op], [y]):
                return f"{self.write(x)[0]} {_COMPARISONS[type(op)][1]} {self.write(y)[0]}", SUM
        return super().write(tree)


class _Settle(ast.NodeTransformer):
    """Takes the branch of a choice between plain numbers, and simplifies both branches of any other."""

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        match simplify(node.test.left), node.test.ops, simplify(node.test.comparators[0]):  # type: ignore
            case ast.Constant(x), [op], ast.Constant(y):
                return self.visit(node.body if _COMPARISONS[type(op)][0](x, y) else node.orelse)
        return ast.IfExp(node.test, simplify(self.visit(node.body)), simplify(self.visit(node.orelse)))


def rules(value: Value, name: Callable[[Any], str]) -> list[str]:
    """For each operand of a value the rule of its local derivative, as HTML; `name` gives that of a Value."""
    row = PRIMITIVES[value.op]
    known = {"out": name(value), "others": "the product of the others", "pi": "π", "nan": "undefined"}

    def leaf(x: Any) -> ast.expr:
        if not isinstance(x, Value):
            return ast.Constant(float(x))
        key = f"v{len(known)}"
        known[key] = name(x)
        return ast.Name(key)

    groups = grouped(row, [leaf(x) for x in value.operands])
    html = Html(known)
    count = max((len(group) for group in groups.values() if isinstance(group, list)), default=1)
    names = {x: group for x, group in groups.items() if not isinstance(group, list)} | {"out": ast.Name("out")}
    found = []
    for operand, partial in zip(row.operands, row.partials):
        for element in range(count if operand in row.lists else 1):
            here: dict[str, Any] = names | {"n": ast.Constant(float(count))}
            here |= {many[:-1]: groups[many][element] for many in row.lists}
            if "rest" in partial:
                others = [x for i, x in enumerate(groups[row.lists[0]]) if i != element]
                here["rest"] = ast.Call(ast.Name("prod"), [ast.List(others)], [])
                here["rest"] = simplify(here["rest"]) if len(others) <= FEW else ast.Name("others")
            found.append(html(simplify(_Settle().visit(substitute(parse(partial), here)))))
    return found
