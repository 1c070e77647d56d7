"""Operations: the functions that users call, those that are composed of rows, and `primitive`, which declares a row."""

from __future__ import annotations

import builtins
import keyword
import math

from autograd import fast
from autograd.core import floats, manners
from autograd.core.manners import listed
from autograd.core.table import ATOMS, PRIME, TABLE, Atom, Row, evaluate
from autograd.core.value import OPERATIONS, Value
from autograd.fast import SHIPPED

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ast
    from collections.abc import Callable, Iterable
    from typing import Any


def sum(xs: Iterable[Any], start: Any = 0) -> Any:
    """The sum of Values and numbers, one node or a float, added exactly and rounded once; a `start` comes first.

    It serves in place of Python's: whole numbers alone give a whole number, and what has a sum of its own, such as
    arrays, fractions or lists, has that.

    >>> sum([Value(1.0), 2.0], start=3).operands
    (3.0, Value(data=1.0, grad=0.0), 2.0)
    >>> sum([1, 2]), sum([0.1] * 10), sum([[1], [2]], [])
    (3, 1.0, [1, 2])
    """
    xs = listed(xs, "sum")
    started = [start, *xs] if isinstance(start, Value) or not isinstance(start, int) or start else xs
    if started and set(map(type, started)) <= {int, bool}:
        return builtins.sum(started)
    try:
        return OPERATIONS["sum"](started)
    except TypeError as error:
        try:
            return builtins.sum(xs, start)
        except TypeError:
            raise error from None


def softmax(xs: Iterable[Value | float]) -> list[Any]:
    """exp(x) / sum(exp(x)) of each operand, exact whatever they have in common, and never overflowing.

    >>> softmax([1e17, 1e17])
    [0.5, 0.5]
    """
    powers = [OPERATIONS["exp"](x) for x in _shifted(xs, "softmax")]
    total = OPERATIONS["sum"](powers)
    return [power / total for power in powers]


def log_softmax(xs: Iterable[Value | float]) -> list[Any]:
    """log(exp(x) / sum(exp(x))) of each operand, exact whatever they have in common, and never overflowing.

    >>> log_softmax([1e17, 1e17])
    [-0.6931471805599453, -0.6931471805599453]
    """
    shifted = _shifted(xs, "log_softmax")
    total = OPERATIONS["logsumexp"](shifted)
    return [OPERATIONS["sub"](x, total) for x in shifted]


def _shifted(xs: Iterable[Value | float], name: str) -> list[Any]:
    """The operands minus their logsumexp, which is rounded to the digits of what they have in common: the differences
    are exact but for one shift, and what follows takes that out."""
    xs = [x if hasattr(x, "_made") else manners.number(x, name) for x in listed(xs, name)]
    if not xs:
        raise ValueError(f"{name} of nothing has no value: it needs at least one operand")
    total = OPERATIONS["logsumexp"](xs)
    return [OPERATIONS["sub"](x, total) for x in xs]


def zero_grad(values: Iterable[Any]) -> None:
    """Set the gradient of each of the values to 0.0."""
    try:
        listed = list(values)
    except TypeError:
        raise TypeError(
            "zero_grad takes the Values whose gradients it sets to 0 in a list or another iterable, as in "
            f"zero_grad([w, b]) or zero_grad(model.parameters()), not {values!r}"
        ) from None
    for value in listed:
        if not hasattr(value, "grad"):
            raise TypeError(f"zero_grad takes Values, as in zero_grad(model.parameters()), but there is {value!r}")
    for value in listed:
        value.grad = 0.0


# Operations of one's own -------------------------------------------------------------------------------------------


def primitive(
    name: str,
    value: str | Callable[..., float],
    *partials: str | Callable[..., float],
    operands: str = "",
    note: str = "",
) -> Callable[..., Any]:
    """A new operation: its row is added to the table, its function returned.

    `value` and `partials`, one for each operand, are Python expressions in the operands and the result `out`, made of
    the table's own functions; or functions of the operands, floats. `operands` is `"x"` or `"x, y"` unless it is
    given; `"x, slope=0.01"` declares a default. The operation then works everywhere: as a method of Value, in
    derivatives, compiled, drawn, explained. A partial that is a function has no derivative of its own, unless it is an
    operation itself. `gradcheck` tells whether the partials are right.

    An operation of one's own may be declared again: the later one stands. Values computed before keep their data and
    derivatives, and programs theirs; a graph of before that is refreshed or compiled now is one of the later operation.

    Raises:
        TypeError: something other than text and functions.
        ValueError: a name that is taken, an expression that the table's language does not have or in which constants
            have no finite value, a number of partials that is not the number of operands. Nothing is declared then.

    >>> from autograd import Value, gradcheck
    >>> bump = primitive("bump", "exp(-x * x)", "-2 * x * out", note="a bell curve")
    >>> x = Value(0.5)
    >>> bump(x).backward()
    >>> round(x.grad, 6), bool(gradcheck(bump, 0.5, order=2))
    (-0.778801, True)
    >>> import math
    >>> log_gamma = primitive("log_gamma", math.lgamma, lambda x: math.log(x) - 1 / (2 * x) - 1 / (12 * x**2))
    >>> round(log_gamma(x + 9.5).partials[0], 4)
    2.2518
    """
    for given in (name, operands, note):
        if not isinstance(given, str):
            raise TypeError(f"an operation is declared by text, as in primitive('double', '2 * x', '2'), not {given!r}")
    for given in (value, *partials):
        if not isinstance(given, str) and not callable(given):
            raise TypeError(f"a value or partial is an expression, '2 * x', or a function of floats, not {given!r}")
    try:
        row = Row(
            name, "", *["" for _ in partials], operands=operands or "x, y"[: max(1, 3 * len(partials) - 2)], note=note
        )
    except ValueError:
        raise ValueError(f"a default in {operands!r} is not a number") from None
    _check_names(row)
    atoms: dict[str, Atom] = {}

    def expression(given: Any, word: str) -> str:
        """The text of a value or a partial; a function is called by a word of its own, or that of its operation."""
        if isinstance(given, str):
            return given
        known = getattr(given, "__name__", "")
        if known not in TABLE or OPERATIONS[known] is not given:
            atoms[word] = Atom(_of_floats(given, row, word))
            known = word
        return f"{known}({', '.join(row.operands)})"

    row.value = expression(value, name)
    row.partials = tuple(expression(partial, f"{name}_slope_{x}") for partial, x in zip(partials, row.operands))
    if name not in atoms:
        check(row.value, set(row.operands), name)
    for partial in row.partials:
        if partial.partition("(")[0] not in atoms:
            check(partial, {*row.operands, "out"}, name if name not in atoms else "")
    before = TABLE.get(name)
    if before is not None and not atoms and vars(before) == vars(row):  # the same cell of a notebook, run again
        return OPERATIONS[name]
    known = {word: ATOMS[word] for word in _words(before) if word in ATOMS} if before else {}
    try:
        _declare(row, atoms)
        return OPERATIONS[name]
    except BaseException:  # a function of floats is tried out, and may raise anything
        forget(name)
        if before:
            _declare(before, known)
        raise


def _declare(row: Row, atoms: dict[str, Atom]) -> None:
    """Let a row be the operation of its name."""
    forget(row.name)
    ATOMS.update(atoms)
    TABLE[row.name] = row
    fast.put_in_place(row.name)


def _words(row: Row) -> list[str]:
    """The words that an own operation may have brought with it."""
    return [row.name, *(f"{row.name}_slope_{x}" for x in row.operands)]


def _of_floats(function: Callable[..., Any], row: Row, name: str) -> Callable[..., float]:
    """A function that a row is declared by; an error unless it takes the operands, and wherever it gives no number."""
    import inspect

    try:
        inspect.signature(function).bind(*row.operands)
    except TypeError as error:
        raise TypeError(
            f"{name} is called with floats, its operands {', '.join(row.operands)}, which {function!r} does not take: "
            f"{error}"
        ) from None
    except ValueError:  # a function of C that does not say what it takes
        pass
    return lambda *xs: manners.number(function(*xs), name)


def _check_names(row: Row) -> None:
    """Raise a ValueError unless an operation may have its name, its operands and their number."""
    own = set(TABLE) - SHIPPED
    taken = {*TABLE, *ATOMS, *floats.VALUES, *fast.GLOBALS, *dir(builtins), *keyword.kwlist, *_RESERVED}
    if (
        not row.name.isidentifier()
        or row.is_slope
        or ((row.name in taken or hasattr(Value, row.name)) and row.name not in own)
    ):
        raise ValueError(f"{row.name!r} cannot name an operation: it must be an identifier that is not in use already")
    if len(row.partials) != len(row.operands):
        raise ValueError(
            f"{row.name} has {len(row.operands)} operands ({', '.join(row.operands)}) and {len(row.partials)} "
            "partials: give one derivative for each operand, and operands='x, y, slope' for more than two"
        )
    for x in row.operands:
        if not x.isidentifier() or x in taken or x.endswith("_data") or row.operands.count(x) > 1:
            raise ValueError(
                f"{x!r} cannot name an operand of {row.name}: use distinct identifiers such as x, y, slope"
            )
    if row.lists:
        raise ValueError(
            f"{row.name} would take a list: write it as a function of sum, prod, mean, logsumexp, weighted_sum"
        )
    if set(row.operands[len(row.operands) - len(row.defaults) :]) != set(row.defaults):
        raise ValueError(
            f"an operand of {row.name} with a default stands before one without: {', '.join(row.operands)}"
        )
    for x, default in row.defaults.items():
        if not math.isfinite(default):
            raise ValueError(f"the default {default} of {x} is not a finite number")


_RESERVED = set("n rest total out node error partials operands parents d0 d1 t0 t1 t2 t3 t4 t5 t6 t7".split())


def check(expression: str, names: set[str], declared: str = "") -> None:
    """Raise a ValueError unless the expression is in the language of the table, in these names.

    `declared` is the operation that it is to be part of, which it cannot call.
    """
    import ast

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
            case ast.Call(ast.Name(word), parts, []) if word in TABLE and not TABLE[word].lists:
                row = TABLE[word]
                if not len(row.operands) - len(row.defaults) <= len(parts) <= len(row.operands):
                    raise ValueError(f"{expression!r} calls {word} with {len(parts)} operands, not {len(row.operands)}")
                if declared and declared in (word, *_reached(word)):
                    raise ValueError(f"{declared} cannot be made of {word}, which is made of {declared}")
            case _:
                words = ", ".join(name for name, row in TABLE.items() if not row.lists)
                raise ValueError(
                    f"{ast.unparse(tree)!r} in {expression!r} is not understood. An expression is made of real "
                    f"numbers, the names {', '.join(sorted(names))} and pi, "
                    f"+ - * / **, `a if x > y else b` and calls of {words}"
                )
        for part in parts:
            visit(part)
        if all(node.id in ("pi", *TABLE) for node in ast.walk(tree) if isinstance(node, ast.Name)):
            _check_constant(ast.unparse(tree), expression)

    try:
        visit(ast.parse(expression, mode="eval").body)
    except (SyntaxError, RecursionError, MemoryError, UnicodeError) as error:
        raise ValueError(f"{expression!r} is not an expression: {getattr(error, 'msg', error)}") from None


def _check_constant(constant: str, expression: str) -> None:
    try:
        value = evaluate(constant, floats.VALUES, {})
    except (ArithmeticError, ValueError) as error:
        raise ValueError(f"{constant[:40]!r} in {expression[:80]!r} has no value: {error}") from None
    if not math.isfinite(value):
        raise ValueError(f"{constant[:40]!r} in {expression[:80]!r} is {value}, not a finite number")


def _reached(word: str) -> set[str]:
    """The operations that one of one's own is made of, and theirs."""
    import ast

    if word in SHIPPED or word not in TABLE:
        return set()
    row = TABLE[word]
    trees = [ast.parse(text) for text in (row.value, *row.partials)]
    words = {node.id for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Name)} & set(TABLE) - {word}
    return words.union(*(_reached(w) for w in words))


def forget(name: str) -> None:
    """Take an operation of one's own back, and whatever was written for others that use it."""
    everywhere = TABLE, TABLE.slopes, ATOMS, floats.VALUES, floats.SLOPES, fast.GLOBALS, OPERATIONS
    for own in set(TABLE) - SHIPPED:
        fast.put_in_place(own)
        fast.GLOBALS.pop(own, None)
    for words in everywhere:
        for slope in [word for word in words if PRIME in word]:
            del words[slope]
    if name in TABLE:
        for word in _words(TABLE[name]):
            for words in everywhere:
                words.pop(word, None)
        delattr(Value, name)
