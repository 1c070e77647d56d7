"""Formulas: what a value is computed by, and each of its partials, in the labels of its graph.

The rules are the table's rows, evaluated on symbols; here they meet the operands of one node. `notation` writes the
results; `explain` puts them in sentences.
"""

import math
from collections import ChainMap, Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from functools import cache
from itertools import chain, count
from typing import Any, NamedTuple

from autograd.core.floats import COMPARISONS, SLOPES
from autograd.core.graph import topological_order
from autograd.core.table import TABLE, evaluate
from autograd.core.value import Value
from autograd.explaining.crossentropy import Logit
from autograd.explaining.notation import Notation, text
from autograd.explaining.symbols import (
    WORDS,
    Call,
    Choice,
    Dots,
    Name,
    Number,
    Power,
    Product,
    Relation,
    Sum,
    Symbol,
    call,
    contains,
    names_in,
    product,
    symbol,
    total,
)

LARGEST_FORMULA = 12  # operations and operands that a formula may hold before it gets a name of its own
SUMMANDS = 6  # terms of a sum or product that are written out


def is_arithmetic(op: str) -> bool:
    """Whether an operation is made of + - * / ** and sums alone, so that it reads as a part of a formula."""
    row = TABLE[op]
    return _is_arithmetic(row.value, row.operands, row.lists)


@cache
def _is_arithmetic(value: Any, operands: tuple[str, ...], lists: tuple[str, ...]) -> bool:
    names = {x: [Name("x"), Name("y")] if x in lists else Name(x) for x in operands}
    formula = on_symbols(value, {**names, "n": Number(2.0)})
    return not contains(formula, Call) and not contains(formula, Choice)


def on_symbols(rule: Any, operands: dict[str, Any], **instead: Any) -> Symbol:
    """A value or partial of a row, on symbols; what is a function of floats, and no text, is a call."""
    return symbol(evaluate(rule, ChainMap(instead, WORDS), operands))


class Formula(NamedTuple):
    """A symbol, and the comparisons under which it holds (those of the table's `1 if x > 0 else slope`)."""

    symbol: Symbol
    conditions: tuple[Relation, ...] = ()

    def written(self, notation: Notation, if_: str = " if ", and_: str = " and ") -> str:
        """The formula in a notation: `1 if x > 0`."""
        conditions = and_.join(map(notation, self.conditions))
        return notation(self.symbol) + (if_ + conditions if conditions else "")


class Formulas:
    """What the values of one graph are called: a label, else a formula, else (where that is long) a name: u_1."""

    def __init__(self, cost: Value, value: Value):
        self.cost, self.value = cost, value
        self.order = topological_order(cost, value)
        self.introduced: dict[Value, str] = {}  # the names given here, in the order in which they came up
        self._definitions: dict[Value, Symbol] = {}
        self._long = set()
        size: dict[Any, int] = {}
        for node in self.order:
            size[node] = 1 + sum(size.get(operand, 1) for operand in node.operands) if not node.label else 1
            if size[node] > LARGEST_FORMULA:
                self._long.add(node)
                size[node] = 1
        self._label = distinct_labels(self.order)
        self._given: dict[str, Value] = {label: node for node, label in self._label.items()}
        self._numbered = numbered(self._given)
        self.losses: dict[Value, list[Logit]] = {}  # cross-entropies, which are written by p_j - y_j
        self._added: dict[str, tuple[Symbol, float]] = {}  # what these names are, and are worth

    def name(self, node: Value | float) -> Symbol:
        """What a value is called in a formula."""
        if not isinstance(node, Value):
            return Number(float(node))
        if node.label:
            return Name(self._label[node])
        return Name(self.introduce(node)) if self.is_named(node) else self.definition(node)

    def alone(self, node: Value | float) -> Symbol:
        """What a value is called where it stands by itself: by nothing that a value before it is called."""
        if isinstance(node, Value) and not self.is_named(node):
            return self.told_apart(node)
        return self.name(node)

    def told_apart(self, node: Value) -> Symbol:
        """A value without a label in terms of its operands: 1 z rather than z, which is another value."""
        formula = self.definition(node)
        if node.label or not node.op or is_apart(formula, self._names_before(node)):
            return formula
        return literal(node, self.alone)

    def _names_before(self, node: Value) -> Iterator[Symbol]:
        """What the operands are called, and the operands of those that go by a formula."""
        for x in node.operands:
            if isinstance(x, Value):
                yield self.name(x)
                if not x.label and not self.is_named(x):
                    yield from self._names_before(x)

    def given(self, name: str) -> Value:
        """The value that goes by a name."""
        return self._given[name]

    def data(self, name: str) -> float:
        """What a name is worth."""
        return self._added[name][1] if name in self._added else self._given[name].data

    def added(self) -> list[tuple[Symbol, Symbol, float]]:
        """The probabilities and targets that were given names, each as (name, formula, worth)."""
        return [(Name(name), formula, worth) for name, (formula, worth) in self._added.items()]

    def _add(self, name: str, formula: Symbol, worth: float) -> Symbol:
        """A name for a formula, numbered where it stands for another one already."""
        for numbered_name in chain([name], (f"{name}#{i}" for i in count(2))):
            there = self._added.get(numbered_name)
            if numbered_name not in self._given and (there is None or there[0].key == formula.key):
                self._added[numbered_name] = formula, worth
                return Name(numbered_name)
        raise AssertionError

    def probability(self, loss: Value, logit: Logit) -> Symbol:
        """p_j, the softmax of the logits of a cross-entropy; p, the sigmoid, where there is only one."""
        logits = [each.value for each in self.losses[loss]]
        if len(logits) == 1:
            return self._add("p", call("sigmoid", self.name(logit.value)), logit.probability)
        terms = abbreviated([call("exp", self.name(z)) for z in logits], 4)
        formula = call("exp", self.name(logit.value)) / total(terms)
        return self._add(f"p_{logits.index(logit.value)}", formula, logit.probability)

    def target(self, loss: Value, logit: Logit) -> Symbol:
        """y_j, the target of a logit."""
        if isinstance(logit.target, Value):
            return self.name(logit.target)
        logits = [each.value for each in self.losses[loss]]
        name = f"y_{logits.index(logit.value)}" if len(logits) > 1 else "y"
        return self._add(name, Number(logit.target), logit.target)

    def short(self, node: Value, notation: Notation = text, width: int = 28) -> Any:
        """What a value is called, so that it fits into a table."""
        name = text(self.alone(node))
        if len(name) <= width or node.label:
            return notation(self.alone(node))
        return notation.row(name[: width - 3] + "...")

    def is_named(self, node: Value) -> bool:
        """Whether a value goes by a name, its own or one given here: long formulas, the cost, the value asked about."""
        asked = node is self.cost or (node is self.value and not node.op)
        return asked or bool(node.label) or node in self._long or node in self.introduced

    def introduce(self, node: Value) -> str:
        """A name for a value without a label, the same one from now on."""
        if node not in self.introduced:
            is_cost = node is self.cost and node.op and "C" not in self._given
            name = "C" if is_cost else next(self._numbered)
            self.introduced[node], self._given[name] = name, node
        return self.introduced[node]

    def where(self, formulas: Iterable[Symbol], known: Iterable[Value] = (), limit: int = 8) -> list[Value]:
        """The values that have a name given here which occurs in the formulas, without those that are known."""
        known = set(known)
        listed: dict[Value, None] = {}
        waiting = [name for formula in formulas for name in names_in(formula)]
        while waiting and len(listed) < limit:
            node = self._given.get(waiting.pop(0))
            if node in self.introduced and node not in listed and node not in known:
                listed[node] = None
                waiting += names_in(self.definition(node))
        return list(listed)

    def definition(self, node: Value) -> Symbol:
        """A value in terms of its operands; a leaf as its number."""
        if node not in self._definitions:
            self._definitions[node] = defined(node, self.name)
        return self._definitions[node]

    def partial(self, node: Value, i: int) -> Formula:
        """d node / d parents[i], from the row's rule: the branch of it that holds here."""
        position = [k for k, operand in enumerate(node.operands) if isinstance(operand, Value)][i]
        rule, operands = operands_of_partial(node, position)
        branches = taken(rule, operands)
        conditions: list[Relation] = []

        def follow(x: Any, sign: str, y: Any, yes: Callable[[], Any], no: Callable[[], Any]) -> Any:
            test, holds = Relation(symbol(x), sign, symbol(y)), next(branches)
            conditions.append(test if holds else test.opposite)
            return yes() if holds else no()

        names = symbols_of(operands, self.name) | {"out": self.definition(node)}
        return Formula(on_symbols(rule, names, choose=follow), combined(conditions))


# One node of a graph -----------------------------------------------------------------------------------------------

Naming = Callable[[Any], Symbol]


def defined(node: Any, name: Naming, most: int = SUMMANDS) -> Symbol:
    """A value in terms of its operands, in the names that these are given; a leaf as its number."""
    if not node.op:
        return Number(node.data)
    row = TABLE[node.op]
    operands = row.grouped(node.operands)
    if is_arithmetic(node.op):
        return on_symbols(row.value, symbols_of(operands, name, most))
    kept = list(row.operands)
    while operands[kept[-1]] is row.defaults.get(kept[-1], node) or operands[kept[-1]] == row.defaults.get(kept[-1]):
        kept.pop()  # leaky_relu(x), not leaky_relu(x, 0.01)
    names = symbols_of({x: operands[x] for x in kept}, name, most)
    return call(node.op, *(names[x] for x in kept))


def literal(node: Any, name: Naming) -> Symbol:
    """A value as its own operation on its operands, with nothing simplified away: 1 z, z + 0, sum(z)."""
    operands = tuple(map(name, node.operands))
    match node.op, operands:
        case "add", (x, y):
            return Sum((x, y))
        case "sub", (x, y):
            return Sum((x, Product(-1.0, 1.0, ((y, 1.0),))))
        case "mul", (x, y):
            return Product(1.0, 1.0, ((x, 1.0), (y, 1.0)))
        case "div", (x, y):
            return Product(1.0, 1.0, ((x, 1.0), (y, -1.0)))
        case "pow", (x, y):
            return Power(x, y)
    return call(node.op, *operands)


def is_apart(formula: Symbol, names: Iterable[Symbol]) -> bool:
    """Whether a formula is written like none of the names, and is more than a number."""
    return any(names_in(formula)) and all(formula.key != name.key for name in names)


def numbered(taken: Container[str]) -> Iterator[str]:
    """u_1, u_2, ...: names for values without a label, as far as they are not taken."""
    return (name for i in count(1) if (name := f"u_{i}") not in taken and f"u{i}" not in taken)


def operands_of_partial(node: Value, position: int) -> tuple[Any, dict[str, Any]]:
    """The rule of d node / d operands[position], and what its words stand for: Values, numbers and lists of them."""
    row = TABLE[node.op]
    operands = row.grouped(node.operands)
    first = operands[row.lists[0]] if row.lists else []
    n, listed = len(first), len(first) * len(row.lists)  # lists are the first operands of a row
    if position >= listed:
        return row.partials[len(row.lists) + position - listed], operands | {"n": float(n), "out": node}
    which, k = divmod(position, n)
    operands |= {many[:-1]: operands[many][k] for many in row.lists}
    operands |= {"n": float(n), "rest": [*first[:k], *first[k + 1 :]], "total": 1.0}
    return row.partials[which], operands | {"out": node}


def symbols_of(operands: dict[str, Any], name: Naming, most: int = SUMMANDS) -> dict[str, Any]:
    """The symbols of operands; those of a long list in part."""
    found: dict[str, Any] = {}
    for x, operand in operands.items():
        if isinstance(operand, list):
            found[x] = [each if isinstance(each, Dots) else name(each) for each in abbreviated(operand, most)]
            found["n"] = found.get("n", Number(float(len(operand))))
        elif x != "out":
            found[x] = name(operand)
    if "rest" in found:
        found["rest"] = product(found["rest"])
    return found


def taken(rule: Any, operands: dict[str, Any]) -> Iterator[bool]:
    """Which way each comparison of a rule turned out, in the order in which they are met."""
    met: list[bool] = []

    def choose(x: float, sign: str, y: float, yes: Callable[[], Any], no: Callable[[], Any]) -> Any:
        met.append(COMPARISONS[sign](x, y))
        return yes() if met[-1] else no()

    worth = lambda x: x.data if isinstance(x, Value) else x  # noqa: E731
    data: dict[str, Any] = {
        x: list(map(worth, xs)) if isinstance(xs, list) else worth(xs) for x, xs in operands.items()
    }
    if "rest" in data:
        data["rest"] = math.prod(data["rest"])
    evaluate(rule, ChainMap({"choose": choose}, SLOPES), data)
    return iter(met)


def abbreviated(items: list, most: int = SUMMANDS) -> list:
    """The items; of many, the first and the last with dots between them."""
    return items if len(items) <= most else [*items[: most // 2], Dots(), items[-1]]


def derivative_rules(node: Value, name: Naming) -> list[Symbol]:
    """For each operand of a value its partial with all branches, which stays true when the leaves are moved."""
    found = []
    for position in range(len(node.operands)):
        rule, operands = operands_of_partial(node, position)
        found.append(on_symbols(rule, symbols_of(operands, name) | {"out": name(node)}))
    return found


def distinct_labels(nodes: Iterable[Value]) -> dict[Value, str]:
    """The labels of the nodes; those of one label are told apart as z#1, z#2."""
    nodes = [node for node in nodes if node.label]
    several, seen = Counter(node.label for node in nodes), Counter()
    names = {}
    for node in nodes:
        seen[node.label] += 1
        names[node] = f"{node.label}#{seen[node.label]}" if several[node.label] > 1 else node.label
    return names


# Cases: what a branch says about the operands, and sums and products of formulas that hold in a case ----------------

_ORDERS = {"<": {-1}, "==": {0}, ">": {1}, "<=": {-1, 0}, ">=": {0, 1}, "!=": {-1, 1}}


def combined(conditions: Iterable[Relation]) -> tuple[Relation, ...]:
    """The comparisons without those of plain numbers; several of the same two things as one: >= and != are >."""
    together: dict[tuple, tuple[Relation, set[int]]] = {}
    for condition in conditions:
        left, right, orders = condition.left, condition.right, _ORDERS[condition.sign]
        if left.key == right.key or (isinstance(left, Number) and isinstance(right, Number)):
            continue
        if (right.key, left.key) in together:
            left, right, orders = right, left, {-order for order in orders}
        _, before = together.get((left.key, right.key), (None, {-1, 0, 1}))
        sign = next((sign for sign, those in _ORDERS.items() if those == before & orders), condition.sign)
        together[left.key, right.key] = Relation(left, sign, right), before & orders
    return tuple(condition for condition, _ in together.values())


def product_of_formulas(formulas: Sequence[Formula]) -> Formula:
    """The product of formulas, which holds where all of them do."""
    conditions = combined(condition for formula in formulas for condition in formula.conditions)
    return Formula(product(formula.symbol for formula in formulas), conditions)


def sum_of(formulas: Sequence[Formula]) -> Formula:
    """The sum of formulas, which holds where all of them do; of very many different terms only some are written."""
    conditions = combined(condition for formula in formulas for condition in formula.conditions)
    whole = total(formula.symbol for formula in formulas)
    if isinstance(whole, Sum) and len(whole.terms) > SUMMANDS:
        whole = Sum(tuple(abbreviated(list(whole.terms))))
    return Formula(whole, conditions)
