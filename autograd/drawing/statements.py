"""Expressions as they are typed: `z = w*a + b; C = (tanh(z) - y)^2` as a graph of Values, without Python's eval.

Statements stand on lines or after `;`. Each is compiled to a list of instructions in postfix order, which a loop runs:
neither long nor deep text can exhaust anything. `web/statements.js` is its twin, message for message.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from autograd.compatibility import infix
from autograd.core.graph import topological_order
from autograd.core.table import TABLE, Row
from autograd.core.value import OPERATIONS, Value

LONGEST_TEXT = 10_000  # characters
DEEPEST = 100  # parentheses inside each other
MOST_OPERATIONS = 1_000  # operations
STARTS = (0.5, 1.5, 0.75, 1.25, 0.6, 1.4, 0.9, 1.1)  # what names are worth that are given no number
OPERATOR_ROWS = {infix(row): row.name for row in TABLE.values() if infix(row) and len(row.operands) == 2}
OPERATOR_ROWS |= {"^": "pow", "×": "mul", "·": "mul", "÷": "div", "−": "sub"} | ({"%": "mod"} if "mod" in TABLE else {})
RAISED = {"²": 2.0, "³": 3.0}
OTHER_NAMES = {"ln": "log", "sgn": "sign", "swish": "silu"}
OF_SEVERAL = {  # functions of the library whose result is more than one number, and what is written for one of these
    "softmax": "exp(x - logsumexp(x, y))",
    "log_softmax": "x - logsumexp(x, y)",
}
NAMED_NUMBERS = {"pi": math.pi, "π": math.pi}
_TOKEN = re.compile(
    r"(?P<blank>[ \t\r\f\u00a0]+|\#[^\n]*)|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[^\W\d]\w*)|(?P<sign>\*\*|==|<=|>=|!=|[\s\S])"
)


class ExpressionError(ValueError):
    """What is wrong with a text, and where: the characters from `at` to `end`."""

    def __init__(self, reason: str, text: str, at: int, end: int):
        line = text.count("\n", 0, at) + 1
        start = text.rfind("\n", 0, at) + 1
        shown = text[start:].partition("\n")[0]
        column = at - start
        cut = max(0, column - 60)
        marks = " " * (column - cut) + "^" * max(1, min(end, start + len(shown)) - at)
        super().__init__(f"line {line}, column {column + 1}: {reason}\n  {shown[cut : cut + 100]}\n  {marks[:100]}")
        self.reason, self.at, self.end = reason, at, end


@dataclass(frozen=True)
class ParsedExpression:
    """The graph of a text: its cost, the leaves by name in the order in which they came up, and the names of those
    that the text gives no number, so that they got one of `STARTS`."""

    text: str
    cost: Value
    leaves: dict[str, Value]
    free: list[str]


def operations() -> dict[str, Row]:
    """The rows that an expression may be made of: those of the table, without the slopes that were made from them."""
    return {name: row for name, row in TABLE.items() if not row.is_slope}


def functions() -> dict[str, Row]:
    """The rows that are called by name."""
    return {name: row for name, row in operations().items() if not infix(row)}


def expression(text: str) -> ParsedExpression:
    """The graph that a text describes.

    The cost is the last statement, those apart that only give a name its number; `^` and `**` are powers; a name that
    is not assigned is a leaf; the functions are those of the table, those of many taking `sum(a, b)` or `sum([a, b])`.

    Raises:
        TypeError: for anything but a str.
        ExpressionError: a ValueError that says in words what is wrong, and where.

    >>> found = expression("z = w*a + b; C = (tanh(z) - y)^2; w = 0.8")
    >>> found.cost.label, list(found.leaves), found.leaves["w"].data
    ('C', ['w', 'a', 'b', 'y'], 0.8)
    """
    if not isinstance(text, str):
        raise TypeError(f"an expression is text such as 'C = (tanh(w*a + b) - y)^2', not {type(text).__name__}")
    return _Builder(text).build()


@dataclass(frozen=True)
class _Instruction:
    """Push a number or a name, or call an operation on the last `size` results, lists being results too."""

    kind: str  # "number", "name", "list", "call"
    what: Any
    at: int
    end: int
    size: int = 0


@dataclass(frozen=True)
class _Statement:
    name: str
    at: int
    end: int
    code: list[_Instruction]

    @property
    def is_number(self) -> bool:
        """Whether it gives a name its number."""
        return bool(self.name) and not any(step.kind == "name" for step in self.code)


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    """(kind, word, place) of each token; a name is made of letters, digits and _, not of other numbers such as ²."""
    at = 0
    while at < len(text):
        found: Any = _TOKEN.match(text, at)
        kind, word = found.lastgroup, found[0]
        if kind == "name":
            other = (i for i, c in enumerate(word) if c.isnumeric() and not c.isdecimal() and not c.isalpha())
            word = word[: next(other, len(word))]
            kind, word = ("name", word) if word else ("sign", found[0][0])
        if kind != "blank":
            yield kind, word, at
        at += len(word)


def _meant_function(word: str, rows: Iterable[str]) -> str:
    """The function that was meant: of another name for it, of its beginning, or with few letters to change, if any."""
    other = OTHER_NAMES.get(word, word.replace("arc", "a"))
    if other in rows:
        return other
    begun = next((name for name in rows if len(word) > 2 and name.startswith(word)), "")
    near = min(rows, key=lambda name: _letters_to_change(word[:30], name))
    few = _letters_to_change(word[:30], near) <= max(1, len(word) // 3)
    return begun or (near if few else "")


def _letters_to_change(a: str, b: str) -> int:
    """How many letters must be added, left out, replaced, or change places with the next to make b of a."""
    older, before = [], list(range(len(b) + 1))
    for i in range(len(a)):
        line = [i + 1]
        for j in range(len(b)):
            line.append(min(before[j + 1] + 1, line[j] + 1, before[j] + (a[i] != b[j])))
            if i and j and (a[i - 1], a[i]) == (b[j], b[j - 1]):
                line[-1] = min(line[-1], older[j - 1] + 1)
        older, before = before, line
    return before[-1]


class _Parser:
    """From text to statements."""

    def __init__(self, text: str):
        self.text = text
        if len(text) > LONGEST_TEXT:
            raise ExpressionError(
                f"the text is longer than {LONGEST_TEXT} characters", text, LONGEST_TEXT, LONGEST_TEXT
            )
        self.tokens = [*_tokens(text), ("sign", "", len(text))]
        self.place = self.depth = self.operations = 0
        self.code: list[_Instruction] = []
        self.open = 0

    def fault(self, reason: str, at: int | None = None, end: int | None = None) -> ExpressionError:
        _, word, here = self.tokens[self.place]
        at = here if at is None else at
        return ExpressionError(reason, self.text, at, max(at + 1, here + len(word) if end is None else end))

    def peek(self) -> str:
        """The next token; line breaks inside parentheses are blanks."""
        while self.open and self.tokens[self.place][1] == "\n":
            self.place += 1
        return self.tokens[self.place][1]

    def next(self) -> tuple[str, str, int]:
        self.peek()
        self.place += 1
        return self.tokens[self.place - 1]  # type: ignore[return-value]

    def emit(self, kind: str, what: Any, at: int, size: int = 0) -> None:
        _, word, start = self.tokens[self.place - 1]
        self.code.append(_Instruction(kind, what, at, start + len(word), size))
        self.operations += kind == "call"
        if self.operations > MOST_OPERATIONS:
            raise self.fault(f"there are more than {MOST_OPERATIONS} operations")

    def statements(self) -> list[_Statement]:
        found = []
        while True:
            while self.peek() in (";", "\n"):
                self.place += 1
            if not self.peek():
                return found
            found.append(self.statement())

    def statement(self) -> _Statement:
        kind, word, at = self.tokens[self.place]
        name = ""
        if kind == "name" and self.tokens[self.place + 1][1] == "=":
            if word in NAMED_NUMBERS:
                raise self.fault(f"{word} is a number already: choose another name")
            if word in operations():
                raise self.fault(f"{word} is a function: choose another name")
            name, self.place = word, self.place + 2
        self.code, self.open, self.depth = [], 0, 0
        self.sum()
        word = self.peek()
        if word not in ("", ";", "\n"):
            raise self.fault(self.surprise(word))
        end = self.code[-1].end
        return _Statement(name, at, end, self.code)

    def surprise(self, word: str) -> str:
        """Why a token cannot stand after a complete expression."""
        if word == ")" or word == "]":
            return f"this {word} closes nothing"
        if word == "=":
            return "= gives a name its value: it stands after the first name of a statement, as in z = w*a + b"
        if word in ("==", "<", ">", "<=", ">=", "!="):
            return "values are not compared here: where(a - b, x, y) is x where a is above b, and y elsewhere"
        if word == ",":
            return "a comma stands between the operands of a function only"
        kind = self.tokens[self.place][0]
        if kind in ("number", "name") or word in ("(", "["):
            return "an operator is missing here: a product is written 2*x"
        return f"{word} is not part of an expression"

    def sum(self) -> None:
        self.chain(self.product, "add", "sub")

    def product(self) -> None:
        self.chain(self.unary, "mul", "div", "mod")

    def chain(self, part: Callable[[], None], *names: str) -> None:
        at = self.tokens[self.place][2]
        part()
        while OPERATOR_ROWS.get(self.peek()) in names:
            name = OPERATOR_ROWS[self.next()[1]]
            part()
            self.emit("call", name, at, 2)

    def unary(self) -> None:
        word, at = self.peek(), self.tokens[self.place][2]
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.fault(f"more than {DEEPEST} parentheses or signs stand inside each other here")
        if word in ("-", "−", "+"):
            self.place += 1
            self.unary()
            if word != "+":
                self.emit("call", "neg", at, 1)
        else:
            self.power()
        self.depth -= 1

    def power(self) -> None:
        self.peek()
        at = self.tokens[self.place][2]
        self.atom()
        while self.peek() in RAISED:
            _, word, place = self.next()
            self.emit("number", RAISED[word], place)
            self.emit("call", "pow", at, 2)
        if OPERATOR_ROWS.get(self.peek()) == "pow":
            self.place += 1
            self.unary()
            self.emit("call", "pow", at, 2)

    def atom(self) -> None:
        word = self.peek()
        kind, _, at = self.tokens[self.place]
        if kind == "number":
            number = float(word)
            if math.isinf(number):
                raise self.fault("this number is too large")
            self.place += 1
            self.emit("number", number, at)
        elif kind == "name":
            self.name(word, at)
        elif word == "(":
            self.place += 1
            self.open += 1
            self.sum()
            self.close(")", at)
        elif word == "[":
            raise self.fault("a list stands only inside a function of many, as in sum([a, b])")
        elif word in ("", ";", "\n", ")", "]", ",", "=") or word in OPERATOR_ROWS or word in RAISED:
            raise self.fault("here a number, a name or a ( is missing", end=at + 1)
        else:
            raise self.fault(self.surprise(word))

    def close(self, bracket: str, opened: int) -> None:
        word = self.peek()
        if word == bracket:
            self.place += 1
            self.open -= 1
        elif word in ("", ";"):
            raise self.fault(f"this {self.text[opened]} is never closed", opened, opened + 1)
        else:
            raise self.fault(self.surprise(word))

    def name(self, word: str, at: int) -> None:
        self.place += 1
        called = self.peek() == "("
        rows = functions()
        if word in rows and not called:
            raise self.fault(f"{word} is a function: write {word}(...)", at, at + len(word))
        if not called:
            self.emit("number", NAMED_NUMBERS[word], at) if word in NAMED_NUMBERS else self.emit("name", word, at)
        elif word not in rows:
            if word in OF_SEVERAL:
                one = f"{word} gives several values, and an expression is one: write {OF_SEVERAL[word]}"
                raise self.fault(one, at, at + len(word))
            near = _meant_function(word, rows)
            advice = f"; did you mean {near}?" if near else f"; a product is written {word}*(...)"
            raise self.fault(f"there is no function {word}{advice}", at, at + len(word))
        else:
            self.call(rows[word], at)

    def call(self, row: Row, at: int) -> None:
        opened = self.next()[2]
        self.open += 1
        start, sizes = len(self.code), []
        while self.peek() != ")" or sizes:
            if self.peek() == "[" and row.lists:
                sizes.append(self.list())
            else:
                self.sum()
                sizes.append(0)
            if self.peek() != ",":
                break
            self.place += 1
        self.close(")", opened)
        if len(row.operands) == len(row.lists) == 1 and sizes and not any(sizes):
            self.emit("list", None, self.code[start].at, len(sizes))
            sizes = [len(sizes)]
        least = len(row.operands) - len(row.defaults)
        fits = all(bool(size) == (x in row.lists) for x, size in zip(row.operands, sizes))
        if not (least <= len(sizes) <= len(row.operands) and fits and len({size for size in sizes if size}) < 2):
            form = ", ".join(f"[{x[0]}1, {x[0]}2]" if x in row.lists else x for x in row.operands)
            raise self.fault(f"{row.name} is written {row.name}({form})", at, self.tokens[self.place - 1][2] + 1)
        for x in row.operands[len(sizes) :]:
            self.emit("number", row.defaults[x], at)
        self.emit("call", row.name, at, len(row.operands))

    def list(self) -> int:
        """A list of operands; its length."""
        _, _, opened = self.next()
        self.open += 1
        size = 0
        while self.peek() != "]" or size:
            self.sum()
            size += 1
            if self.peek() != ",":
                break
            self.place += 1
        self.close("]", opened)
        self.emit("list", None, opened, size)
        return size


class _Builder:
    """From statements to Values."""

    def __init__(self, text: str):
        self.text = text
        self.statements = _Parser(text).statements()
        self.values: dict[str, Any] = {}
        self.leaves: dict[str, Value] = {}
        self.starts = cycle(STARTS)

    def fault(self, reason: str, step: _Instruction | _Statement) -> ExpressionError:
        return ExpressionError(reason, self.text, step.at, step.end)

    def build(self) -> ParsedExpression:
        if not self.statements:
            raise ExpressionError("the text holds no expression", self.text, 0, 0)
        self.names: dict[str, _Statement] = {}
        for statement in self.statements:
            if statement.name in self.names:
                raise self.fault(f"{statement.name} has its value already, from an earlier statement", statement)
            if statement.name:
                self.names[statement.name] = statement
        numbers = {s.name: self.run(s) for s in self.statements if s.is_number}
        self.given: dict[str, float] = numbers
        formulas = [s for s in self.statements if not s.is_number]
        if not formulas:
            raise self.fault(
                "a number alone has no gradient: write an expression with a name in it", self.statements[-1]
            )
        result: Any = None
        for statement in formulas:
            result = self.run(statement)
            if statement.name:
                self.values[statement.name] = result
                if isinstance(result, Value) and not result.label:
                    result.label = statement.name
        last = formulas[-1]
        if not isinstance(result, Value):
            raise self.fault("a number alone has no gradient: write an expression with a name in it", last)
        if not result.label:
            taken = {*self.names, *self.leaves}
            result.label = next(n for n in ("C", "cost", *(f"C_{i}" for i in range(len(taken) + 1))) if n not in taken)
        used = set(topological_order(result))
        leaves = {name: leaf for name, leaf in self.leaves.items() if leaf in used}
        return ParsedExpression(self.text, result, leaves, [name for name in leaves if name not in self.given])

    def run(self, statement: _Statement) -> Any:
        stack: list[Any] = []
        for step in statement.code:
            if step.kind == "number":
                stack.append(step.what)
            elif step.kind == "name":
                stack.append(self.named(step))
            else:
                cut = len(stack) - step.size
                operands = stack[cut:]
                del stack[cut:]
                stack.append(operands if step.kind == "list" else self.call(step, operands))
        return stack[0]

    def named(self, step: _Instruction) -> Any:
        name = step.what
        if name in self.values:
            return self.values[name]
        if name in self.names and not self.names[name].is_number:
            raise self.fault(f"{name} is used here before the statement that computes it", step)
        if name not in self.leaves:
            number = self.given[name] if name in self.given else next(self.starts)
            self.leaves[name] = Value(number, label=name)
        return self.leaves[name]

    def call(self, step: _Instruction, operands: list[Any]) -> Any:
        try:
            return OPERATIONS[step.what](*operands)
        except (ArithmeticError, ValueError):
            raise self.fault(f"{step.what} has no finite value here", step) from None
