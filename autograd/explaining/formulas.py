"""Formulas: what a value is computed by, and each of its partials, as a tree in the labels of the graph.

The rules come from the table's rows and nowhere else; here they meet the operands of one node and are simplified as a
reader would simplify them (`2 * x ** 1` is `2 x`). `notation` writes the trees; `explain` puts them in sentences.
"""

import ast
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache, reduce
from itertools import chain, count
from typing import Any, NamedTuple

from autograd.core.expressions import names_in, parse
from autograd.core.graph import topological_order
from autograd.core.table import FLOATS, PRIMITIVES, Primitive
from autograd.core.value import Value
from autograd.explaining.notation import text

LARGEST = 12  # operations and operands that a formula may hold before it gets a name of its own
SUMMANDS = 6  # terms of a sum or product that are written out


def is_arithmetic(op: str) -> bool:
    """Whether an operation is made of + - * / ** and sums alone, so that it reads as a part of a formula."""
    return _is_arithmetic(PRIMITIVES[op].value)


@cache
def _is_arithmetic(value: str) -> bool:
    nodes = list(ast.walk(parse(value)))
    functions = {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    return functions <= {"sum", "prod", "sumproduct"} and not any(isinstance(node, ast.IfExp) for node in nodes)


def grouped(row: Primitive, operands: Sequence) -> dict[str, Any]:
    """A node's operands under the names they have in its row, those of a list together."""
    scalars = len(row.operands) - len(row.lists)
    n = (len(operands) - scalars) // len(row.lists) if row.lists else 0
    waiting = iter(operands)
    return {x: [next(waiting) for _ in range(n)] if x in row.lists else next(waiting) for x in row.operands}


class Formula(NamedTuple):
    """A tree, and the comparisons under which it holds (those of the table's `1 if x > 0 else slope`)."""

    tree: ast.expr
    conditions: tuple[ast.Compare, ...] = ()

    def written(self, notation: Callable[[ast.expr], str], if_: str = " if ", and_: str = " and ") -> str:
        """The formula in a notation: `1 if x > 0`."""
        conditions = and_.join(map(notation, self.conditions))
        return notation(self.tree) + (if_ + conditions if conditions else "")


class Formulas:
    """What the values of one graph are called: a label, else a formula, else (where that is long) a name such as u1."""

    def __init__(self, cost: Value, value: Value):
        self.cost, self.value = cost, value
        self.order = topological_order(cost, value)
        self.introduced: dict[Value, str] = {}  # the names given here, in the order in which they came up
        self._definitions: dict[Value, Formula] = {}
        self._long = set()
        size: dict[Any, int] = {}
        for node in self.order:
            size[node] = 1 + sum(size.get(operand, 1) for operand in node.operands) if not node.label else 1
            if size[node] > LARGEST:
                self._long.add(node)
                size[node] = 1
        self._label = numbered(self.order)
        self._given: dict[str, Value] = {label: node for node, label in self._label.items()}
        self._numbered = (f"u{i}" for i in count(1))

    def name(self, node: Value | float) -> ast.expr:
        """What a value is called in a formula."""
        if not isinstance(node, Value):
            return ast.Constant(float(node))
        if node.label:
            return ast.Name(self._label[node])
        if self.is_named(node):
            return ast.Name(self.introduce(node))
        return self.definition(node).tree

    def is_named(self, node: Value) -> bool:
        """Whether a value goes by a name, its own or one given here: long formulas, the cost, the value asked about."""
        asked = node is self.cost or (node is self.value and not node.op)
        return asked or bool(node.label) or node in self._long or node in self.introduced

    def introduce(self, node: Value) -> str:
        """A name for a value without a label, the same one from now on."""
        if node not in self.introduced:
            proper = ["v", "x"] if not node.op else ["C"] if node is self.cost else []
            name = next(name for name in chain(proper, self._numbered) if name not in self._given)
            self.introduced[node], self._given[name] = name, node
        return self.introduced[node]

    def short(self, node: Value, width: int = 28) -> str:
        """What a value is called, as text that fits into a table."""
        name = text(self.name(node))
        return name if len(name) <= width or node.label else name[: width - 3] + "..."

    def where(
        self, trees: Iterable[ast.AST], known: Iterable[Value] = (), limit: int = 8
    ) -> list[tuple[Value, Formula]]:
        """What the names given here stand for, of those that occur in the trees and are not known: (node, formula)."""
        listed: dict[Value, Formula] = dict.fromkeys(known, Formula(ast.Constant(0.0)))
        limit += len(listed)
        waiting = [name for tree in trees for name in sorted(names_in(tree))]
        while waiting and len(listed) < limit:
            node = self._given.get(waiting.pop(0))
            if node in self.introduced and node not in listed:
                listed[node] = self.definition(node)
                waiting += sorted(names_in(listed[node].tree))
        known = set(known)
        return [(node, formula) for node, formula in listed.items() if node not in known]

    def definition(self, node: Value) -> Formula:
        """A value in terms of its operands; a leaf as its number."""
        if node not in self._definitions:
            self._definitions[node] = self._define(node)
        return self._definitions[node]

    def _define(self, node: Value) -> Formula:
        if not node.op:
            return Formula(ast.Constant(node.data))
        row = PRIMITIVES[node.op]
        operands, kept = grouped(row, node.operands), list(row.operands)
        while not is_arithmetic(node.op) and operands[kept[-1]] == row.defaults.get(kept[-1], node):
            kept.pop()  # leaky_relu(x), not leaky_relu(x, 0.01)
        names: dict[str, ast.expr] = {}
        for x in kept:
            if x in row.lists:
                names |= {x: self.listed(operands[x]), "n": ast.Constant(float(len(operands[x])))}
            else:
                names[x] = self.name(operands[x])
        if is_arithmetic(node.op):
            return Formula(simplify(substitute(parse(row.value), names)))
        arguments = [y for x in kept for y in getattr(names[x], "elts", [names[x]])]
        return Formula(ast.Call(ast.Name(node.op), arguments, []))

    def listed(self, operands: list[Value | float]) -> ast.List:
        """The names of a list of operands; of a long one those at its ends."""
        return ast.List([x if isinstance(x, ast.Name) else self.name(x) for x in abbreviated(operands)])

    def partial(self, node: Value, i: int) -> Formula:
        """d node / d parents[i], from the row's rule: the branch of it that holds here."""
        row = PRIMITIVES[node.op]
        position = [k for k, operand in enumerate(node.operands) if isinstance(operand, Value)][i]
        operands = grouped(row, node.operands)
        n = len(operands[row.lists[0]]) if row.lists else 1
        which, element = divmod(position, n)  # lists are the first operands of a row
        for many in row.lists:
            operands[many[:-1]] = operands[many][element]
        rule = parse(row.partials[which])
        used = names_in(rule)
        names = {x: self.name(operands[x]) for x in used & operands.keys()}
        data = {x: operands[x].data if isinstance(operands[x], Value) else operands[x] for x in names}
        if "rest" in used:
            others = [x for k, x in enumerate(operands[row.lists[0]]) if k != element]
            names["rest"] = ast.Call(ast.Name("prod"), [self.listed(others)], [])
        if "n" in used:
            names["n"], data["n"] = ast.Constant(float(n)), n
        if "out" in used:
            names["out"], data["out"] = self.definition(node).tree, node.data
        branch = _Branch(data)
        tree = branch.visit(rule)
        conditions = [substitute(condition, names) for condition in branch.conditions]
        return Formula(simplify(substitute(tree, names)), combined(conditions))


def numbered(nodes: Iterable[Value]) -> dict[Value, str]:
    """The labels of the nodes; those of one label are told apart as z#1, z#2."""
    nodes = [node for node in nodes if node.label]
    several, seen = Counter(node.label for node in nodes), Counter()
    names = {}
    for node in nodes:
        seen[node.label] += 1
        names[node] = f"{node.label}#{seen[node.label]}" if several[node.label] > 1 else node.label
    return names


def abbreviated(items: list) -> list:
    """The items; of many, the first and the last with dots between them."""
    return items if len(items) <= SUMMANDS else [*items[:3], ast.Name("..."), items[-1]]


def substitute(tree: ast.expr, names: dict[str, ast.expr]) -> Any:
    """The tree with the variables replaced by trees; functions keep their names."""

    class Substitute(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return names.get(node.id, node)

        def visit_Call(self, node: ast.Call) -> ast.expr:
            return ast.Call(node.func, [self.visit(argument) for argument in node.args], [])

    return Substitute().visit(tree)


# Cases: which branch of `1 if x > 0 else slope` holds, and what that says about the operands -------------------------


class _Branch(ast.NodeTransformer):
    """Replaces each conditional expression by the branch that the data choose, and keeps the comparisons."""

    def __init__(self, data: dict[str, Any]):
        self.data = data
        self.conditions: list[ast.Compare] = []

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        holds = bool(eval(ast.unparse(node.test), dict(FLOATS), self.data))
        match node.test:
            case ast.Compare(_, [op], [_]) as test:
                self.conditions.append(
                    test if holds else ast.Compare(test.left, [_OPPOSITE[type(op)]()], test.comparators)
                )
        return self.visit(node.body if holds else node.orelse)


_ORDERS = {ast.Lt: {-1}, ast.Eq: {0}, ast.Gt: {1}, ast.LtE: {-1, 0}, ast.GtE: {0, 1}, ast.NotEq: {-1, 1}}
_OPPOSITE = {ast.Lt: ast.GtE, ast.Eq: ast.NotEq, ast.Gt: ast.LtE, ast.LtE: ast.Gt, ast.GtE: ast.Lt, ast.NotEq: ast.Eq}


def combined(conditions: Iterable[ast.Compare]) -> tuple[ast.Compare, ...]:
    """The comparisons without those of plain numbers; several of the same two things as one: >= and != are >."""
    together: dict[tuple[str, str], tuple[ast.Compare, set[int]]] = {}
    for condition in conditions:
        left, right = simplify(condition.left), simplify(condition.comparators[0])
        orders = _ORDERS[type(condition.ops[0])]
        if same(left, right) or (isinstance(left, ast.Constant) and isinstance(right, ast.Constant)):
            continue
        if (text(right), text(left)) in together:
            left, right, orders = right, left, {-order for order in orders}
        _, before = together.get((text(left), text(right)), (None, {-1, 0, 1}))
        op = next(op for op, those in _ORDERS.items() if those == before & orders)
        together[text(left), text(right)] = ast.Compare(left, [op()], [right]), before & orders
    return tuple(condition for condition, _ in together.values())


# Algebra -----------------------------------------------------------------------------------------------------------


def product(formulas: Sequence[Formula]) -> Formula:
    """The product of formulas, which holds where all of them do."""
    tree = reduce(times, (formula.tree for formula in formulas), ast.Constant(1.0))
    return Formula(tree, combined(condition for formula in formulas for condition in formula.conditions))


def total(formulas: Sequence[Formula]) -> Formula:
    """The sum of formulas, which holds where all of them do."""
    number = Counter(ast.dump(formula.tree) for formula in formulas)
    terms = {ast.dump(formula.tree): formula.tree for formula in formulas}
    alike = [times(ast.Constant(float(number[each])), tree) for each, tree in terms.items()]
    tree = simplify(_joined(alike, ast.Add()))
    return Formula(tree, combined(condition for formula in formulas for condition in formula.conditions))


def simplify(tree: ast.expr) -> ast.expr:
    """The tree without what a reader would drop: factors 1, summands 0, double signs, sums and products of lists."""
    match tree:
        case ast.BinOp(x, op, y):
            return _RULES[type(op)](simplify(x), simplify(y))
        case ast.UnaryOp(ast.USub(), x):
            return negative(simplify(x))
        case ast.Call(ast.Name("sum"), [ast.List(items)]):
            return simplify(_joined(items, ast.Add()))
        case ast.Call(ast.Name("prod"), [ast.List(items)]):
            return simplify(_joined(items, ast.Mult()))
        case ast.Call(ast.Name("sumproduct"), [ast.List(ws), ast.List(xs)]):
            return simplify(_joined([ast.BinOp(w, ast.Mult(), x) for w, x in zip(ws, xs)], ast.Add()))
        case ast.Call(function, arguments):
            return ast.Call(function, [simplify(argument) for argument in arguments], [])
        case ast.Constant(int() | float() as x):
            return ast.Constant(float(x))
    return tree


def _joined(items: list[ast.expr], op: ast.operator) -> ast.expr:
    neutral = ast.Constant(0.0 if isinstance(op, ast.Add) else 1.0)
    return reduce(lambda x, y: ast.BinOp(x, op, y), abbreviated(items)) if items else neutral


def same(x: ast.expr, y: ast.expr) -> bool:
    """Whether two trees are written alike."""
    return ast.dump(x) == ast.dump(y)


def constant(tree: ast.expr) -> float | None:
    """The number that a tree is; None for anything else."""
    return tree.value if isinstance(tree, ast.Constant) else None  # type: ignore[return-value]


def negative(x: ast.expr) -> ast.expr:
    """-x"""
    match x:
        case ast.Constant(float() as number):
            return ast.Constant(0.0 - number)
        case ast.UnaryOp(ast.USub(), inner):
            return inner
        case ast.BinOp(a, ast.Sub(), b):
            return ast.BinOp(b, ast.Sub(), a)
        case ast.BinOp(ast.Constant(float() as number), ast.Mult() | ast.Div() as op, b):
            return ast.BinOp(ast.Constant(-number), op, b)
    return ast.UnaryOp(ast.USub(), x)


def plus(x: ast.expr, y: ast.expr) -> ast.expr:
    """x + y"""
    match constant(x), constant(y):
        case float() as a, float() as b:
            return ast.Constant(a + b)
        case 0.0, _:
            return y
        case _, 0.0:
            return x
        case _, float() as b if b < 0:
            return ast.BinOp(x, ast.Sub(), ast.Constant(-b))
    if isinstance(y, ast.UnaryOp):
        return minus(x, y.operand)
    if isinstance(x, ast.UnaryOp):
        return minus(y, x.operand)
    return times(ast.Constant(2.0), x) if same(x, y) and x != ast.Name("...") else ast.BinOp(x, ast.Add(), y)


def minus(x: ast.expr, y: ast.expr) -> ast.expr:
    """x - y; a 0 stays, since it is often a target: a - 0 is an error, not an activation"""
    match constant(x), constant(y):
        case float() as a, float() as b:
            return ast.Constant(a - b)
        case _, float() as b if b < 0:
            return ast.BinOp(x, ast.Add(), ast.Constant(-b))
    return plus(x, y.operand) if isinstance(y, ast.UnaryOp) else ast.BinOp(x, ast.Sub(), y)


def times(x: ast.expr, y: ast.expr) -> ast.expr:
    """x y, numbers first"""
    match x, y:
        case ast.Name("..."), ast.Name("..."):
            return x
        case ast.Constant(float() as a), ast.Constant(float() as b):
            return ast.Constant(a * b)
        case (ast.Constant(0.0) as zero, _) | (_, ast.Constant(0.0) as zero):
            return zero
        case (ast.Constant(1.0), other) | (other, ast.Constant(1.0)):
            return other
        case (ast.Constant(-1.0), other) | (other, ast.Constant(-1.0)):
            return negative(other)
        case (ast.UnaryOp(ast.USub(), a), b) | (a, ast.UnaryOp(ast.USub(), b)):
            return negative(times(a, b))
        case _, ast.Constant():
            return times(y, x)
        case _, ast.BinOp(ast.Constant() as a, ast.Mult(), b):
            return times(times(a, x), b)
        case ast.Constant(), ast.BinOp(ast.Constant() as b, ast.Mult(), c):
            return times(times(x, b), c)
        case (ast.BinOp(ast.Constant(1.0), ast.Div(), b), a) | (a, ast.BinOp(ast.Constant(1.0), ast.Div(), b)):
            return over(a, b)
        case ast.BinOp(a, ast.Pow(), ast.Constant(float() as n)), b if same(a, b):
            return ast.BinOp(a, ast.Pow(), ast.Constant(n + 1))
        case ast.BinOp(ast.Constant() as a, ast.Mult(), b), c if same(b, c):
            return times(a, times(b, c))
    return ast.BinOp(x, ast.Pow(), ast.Constant(2.0)) if same(x, y) else ast.BinOp(x, ast.Mult(), y)


def over(x: ast.expr, y: ast.expr) -> ast.expr:
    """x / y"""
    match x, y:
        case ast.Constant(float() as a), ast.Constant(float() as b) if b and math.isfinite(a) and a % b == 0:
            return ast.Constant(a / b)
        case _, ast.Constant(1.0):
            return x
        case ast.BinOp(a, ast.Div(), b), _:
            return over(a, times(b, y))
        case ast.UnaryOp(ast.USub(), a), _:
            return negative(over(a, y))
    return ast.BinOp(x, ast.Div(), y)


def raised(x: ast.expr, y: ast.expr) -> ast.expr:
    """x to the power y"""
    match constant(x), constant(y):
        case _, 1.0:
            return x
        case _, 0.0:
            return ast.Constant(1.0)
        case float() as a, float() as b if 0 <= b <= 10 and b == int(b):
            return ast.Constant(a**b)
    return ast.BinOp(x, ast.Pow(), y)


_RULES = {ast.Add: plus, ast.Sub: minus, ast.Mult: times, ast.Div: over, ast.Pow: raised}
