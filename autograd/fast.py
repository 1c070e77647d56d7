"""Fast: the functions of the table as straight-line source, written when they are first used, as methods of Value.

`apply` of the core interprets a row; here the row's expressions are written out between the lines that record a node.
Nothing is decided here: whatever raises, or gives a nan, is left to `apply`, so that a test can hold the two equal.
"""

from __future__ import annotations

import math
from itertools import compress

from autograd.compatibility import operate, takes_over
from autograd.core import manners
from autograd.core.floats import VALUES
from autograd.core.table import ATOMS, PRIME, TABLE, evaluate, others
from autograd.core.value import OPERATIONS, Value, apply
from autograd.kinds import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from autograd.core.table import Row

# Python's names of the methods, that for an operand on the right last
OPERATORS = {
    "add": ("__add__", "__radd__"),
    "sub": ("__sub__", "__rsub__"),
    "mul": ("__mul__", "__rmul__"),
    "div": ("__truediv__", "__rtruediv__"),
    "mod": ("__mod__", "__rmod__"),
    "pow": ("__pow__", "__rpow__"),
    **{name: (f"__{name}__",) for name in ("neg", "abs", "floor", "ceil", "trunc")},
}


# A row on sources: the text of an expression of floats -------------------------------------------------------------


class SourceWords(dict[str, "Any"]):
    """What the words of the table write: `calls`, how often; `sure`, those made however conditions turn out."""

    def __init__(self) -> None:
        self.calls: dict[str, int] = {}
        self.sure: set[str] = set()
        self.certain = True
        self.update(pi=VALUES["pi"], nan=Source("nan"), choose=self.choose)

    def choose(self, x: Any, sign: str, y: Any, yes: Callable[[], Any], no: Callable[[], Any]) -> Source:
        """A conditional expression."""
        certain, self.certain = self.certain, False
        branches = Source.of(yes()), Source.of(no())
        self.certain = certain
        return Source(f"({branches[0]} if {Source.of(x)} {sign} {Source.of(y)} else {branches[1]})")

    def __missing__(self, word: str) -> Callable[..., Any]:
        return lambda *operands: self.call(word, operands)

    def call(self, word: str, operands: Sequence[Any]) -> Any:
        """A call of a word, or what it stands for."""
        if not any(isinstance(x, Source) for x in operands):  # a number already: sqrt(2 * pi)
            return VALUES["power" if word == "pow_of_slopes" else word](*operands)
        if word == "divide":
            return Source(f"({Source.of(operands[0])} / {Source.of(operands[1])})")
        if is_expression(word) and not any("(" in Source.of(x) for x in operands):  # written out it takes less time
            return evaluate(ATOMS[word].floats, self, dict(zip("xy", operands)))
        if word not in GLOBALS:
            GLOBALS[word] = VALUES[word]
            GLOBALS[word] = function_of_floats(word)
        call = f"@{word}({', '.join(map(Source.of, operands))})"  # the mark tells exp(x) from the end of myexp(x)
        self.calls[call] = self.calls.get(call, 0) + 1
        if self.certain:
            self.sure.add(call)
        return Source(call)

    def hoisted(self, expressions: list[str]) -> tuple[list[str], list[str]]:
        """Lines that name each call made more than once, the expressions in terms of those names."""
        lines: list[str] = []
        for call, times in reversed(self.calls.items()):  # the largest first
            if (
                times > 1
                and call in self.sure
                and sum(expression.count(call) for expression in (*expressions, *lines)) > 1
            ):
                name = f"t{len(lines)}"
                lines, expressions = ([x.replace(call, name) for x in xs] for xs in (lines, expressions))
                lines.append(f"{name} = {call}")
        return lines[::-1], expressions


def is_expression(word: str) -> bool:
    """Whether an atom is declared by an expression in x and y."""
    meaning = ATOMS[word].floats if word in ATOMS else "word"
    return isinstance(meaning, str) and not meaning.replace(".", "").isidentifier()


def function_of_floats(word: str) -> Callable[..., float]:
    """A word as a function that raises outside its domain: that of `math`, or an expression written out."""
    if is_expression(word):
        parameters, expression = "x, y=0.0", ATOMS[word].floats
    elif word in TABLE and not TABLE[word].atom and not TABLE[word].lists:
        parameters, expression = signature(TABLE[word]), TABLE[word].value
    else:
        return VALUES[word]
    names = {x.partition("=")[0]: Source(x.partition("=")[0]) for x in parameters.split(", ")}
    return define(
        word, [f"def {word}({parameters}):", f"    return {Source.of(evaluate(expression, SourceWords(), names))}"]
    )


def signature(row: Row) -> str:
    """The parameters of a row's function, with their defaults."""
    return ", ".join(f"{x}={row.defaults[x]}" if x in row.defaults else x for x in row.operands)


# The lines of a function -------------------------------------------------------------------------------------------


WHOLE = {x: float(x) for x in range(-4, 17)}  # one object each, not one for every square in a graph


def plain_operand(x: Any, name: str) -> Any:
    """An operand that is no Value as a float; NotImplemented for what may know the operator itself."""
    if type(x) is int:
        return WHOLE[x] if x in WHOLE else manners.number(x, name)
    return NotImplemented if takes_over(x) else manners.number(x, name)


def separated(xs: list[Any], name: str) -> tuple[list[Value | float], list[float], list[bool]]:
    """Operands with the plain numbers among them as floats, what all of them are worth, and which are Values."""
    types = set(map(type, xs))
    if types == {float}:
        return xs, xs, [False] * len(xs)
    if types == {Value}:
        return xs, [x._data for x in xs], [True] * len(xs)
    known = [isinstance(x, Value) for x in xs]
    data = [x._data if value else x if type(x) is float else manners.number(x, name) for x, value in zip(xs, known)]
    return [x if value else d for x, d, value in zip(xs, data, known)], data, known


GLOBALS: dict[str, Any] = {
    "new": object.__new__,
    "nan": math.nan,
    "fsum": math.fsum,
    "sum_of_floats": sum,
    "pow_of_slopes": math.pow,
}
for _helper in (Value, apply, compress, operate, manners.number, manners.listed, plain_operand, separated, others):
    GLOBALS[_helper.__name__] = _helper


def define(name: str, lines: Sequence[str]) -> Callable[..., Any]:
    """The function `name` of some lines of source; its words stay what they are now, whatever is declared later."""
    defined: dict[str, Any] = {}
    exec(compile("\n".join(lines).replace("@", ""), f"<autograd {name}>", "exec"), dict(GLOBALS), defined)
    return defined[name]


def indented(head: str, lines: Sequence[str]) -> list[str]:
    """A block of lines under its head."""
    return [head, *(f"    {line}" for line in lines)]


def computed(row: Row, wanted: Sequence[bool], otherwise: str) -> list[str]:
    """Lines that compute `out` from x_data, ..., and the wanted partials as `partials`, or in d0, d1, ..."""
    words = SourceWords()
    names: dict[str, Any] = {x: Source(f"{x}_data") for x in row.operands}
    if row.lists:
        names["n"] = Source("n")
    value = Source.of(evaluate(row.value, words, names))
    words["power"] = lambda x, y: words.call("pow_of_slopes", (x, y))
    domain = [Source.of(words.call(row.domain, [names[x] for x in TABLE[row.domain].operands]))] if row.domain else []
    names |= {x[:-1]: Source(f"<{x}>") for x in row.lists} | {"out": Source("<out>")}
    if row.lists:
        names |= {"rest": Source("<rest>"), "total": Source("total_of_all")}
    partials = [Source.of(evaluate(p, words, names)) for p, want in zip(row.partials, wanted) if want]
    shared, (value, *partials) = words.hoisted([value, *partials])
    late = [line for line in shared if "<out>" in line]
    lines = [*domain, *(line for line in shared if line not in late), f"out = {value}", *late]
    if row.lists and any("total_of_all" in partial for partial in partials):  # the sum of all exp(x - out)
        term = Source.of(words.call("exp", [names[row.lists[0][:-1]] - names["out"]]))
        lines.append(f"terms = [{term.replace(f'<{row.lists[0]}>', 'x')} for x in {row.lists[0]}_data]")
        lines.append("total_of_all = fsum(terms)")
        partials = [partial.replace(term, "<terms>") for partial in partials]
    if row.lists and partials:
        items = [each(row, x, partial) for x, partial in zip(row.operands, partials)]
        lines.append(f"partials = ({', '.join(items)},)")
    elif len(row.operands) > 2 and partials:
        lines.append(f"partials = ({', '.join(partials)},)")
    else:
        slots = [i for i, want in enumerate(wanted) if want]
        lines += [f"d{i} = {partial}" for i, partial in zip(slots, partials)]
    return [
        *indented("try:", [line.replace("<out>", "out") for line in lines]),
        *indented("except (ArithmeticError, ValueError):", [f"return {otherwise}"]),
        *indented("if out != out:", [f"return {otherwise}"]),
    ]


def each(row: Row, operand: str, partial: str) -> str:
    """A partial as an item of a tuple display: that of a list once for each element."""
    if operand not in row.lists:
        return partial
    sources = {f"<{x}>": f"{x}_data" for x in row.lists}
    sources |= {"<rest>": f"others({row.lists[0]}_data)", "<terms>": "terms"}
    used = [mark for mark in sources if mark in partial]
    if not used:
        return f"*[{partial}] * n"
    [mark] = used
    return f"*{sources[mark]}" if partial == mark else f"*[{partial.replace(mark, 'x')} for x in {sources[mark]}]"


def recording_lines(row: Row, **slots: str) -> list[str]:
    """Lines that record a node and return it; `slots` are its operands and partials as the class lays them out."""
    return [
        "node = new(Value)",
        "node._data = out",
        "node._grad = 0.0",
        f"node._made = ({row.name!r}, '')",
        *(f"node._{slot} = {slots.get(slot)}" for slot in ("x", "y", "dx", "dy")),
        "return node",
    ]


def branches(row: Row, known: list[bool], convert: str, otherwise: str) -> list[str]:
    """Lines for a fixed number of operands: a branch for each choice of which of them are Values."""
    if len(known) < len(row.operands):
        x = row.operands[len(known)]
        return [
            *indented(f"if isinstance({x}, Value):", branches(row, [*known, True], convert, otherwise)),
            *as_float(row, x, convert),
            *branches(row, [*known, False], convert, otherwise),
        ]
    data = [f"{x}_data = {x}._data" if value else f"{x}_data = {x}" for x, value in zip(row.operands, known)]
    lines = [*data, *computed(row, known, otherwise)]
    if not any(known):
        return [*lines, "return out"]
    if len(known) > 2:
        parents = ", ".join(x for x, value in zip(row.operands, known) if value)
        return [*lines, *recording_lines(row, x=f"({', '.join(row.operands)})", y=f"({parents},)", dx="partials")]
    slots = dict(zip("xy", row.operands)) | {f"d{'xy'[i]}": f"d{i}" for i, value in enumerate(known) if value}
    return [*lines, *recording_lines(row, **slots)]


def as_float(row: Row, x: str, convert: str) -> list[str]:
    """Lines that make a float of an operand that is no Value."""
    refused = indented(f"if {x} is NotImplemented:", [f"return {x}"]) if convert == "plain_operand" else []
    return indented(f"if type({x}) is not float:", [f"{x} = {convert}({x}, {row.name!r})", *refused])


def of_many(row: Row, otherwise: str) -> list[str]:
    """Lines for operands that are lists: quickly when all are Values, else one by one."""
    first, *more = row.lists
    display = "".join(f"*{x}, " if x in row.lists else f"{x}, " for x in row.operands)
    quick = [
        f"{x}_data = [value._data for value in {x}]" if x in row.lists else f"{x}_data = {x}._data"
        for x in row.operands
    ]
    slow = [
        f"{x}, {x}_data, {x}_are_values = separated({x}, {row.name!r})"
        if x in row.lists
        else f"[{x}], [{x}_data], {x}_are_values = separated([{x}], {row.name!r})"
        for x in row.operands
    ]
    values = " and ".join(f"isinstance({x}{'[0]' * (x in row.lists)}, Value)" for x in row.operands)
    # a masked array has `_data`, too, an array, of which a sum is none of floats
    floats = " and ".join(f"type(sum_of_floats({x}_data)) is float" for x in row.lists)
    lists = [
        line for x in row.lists for line in indented(f"if type({x}) is not list:", [f"{x} = listed({x}, {row.name!r})"])
    ]
    return [
        *lists,
        f"n = len({first})",
        *indented(f"if not n{''.join(f' or len({x}) != n' for x in more)}:", [f"return {otherwise}"]),
        "parents = ()",
        *indented(
            f"if {values}:",
            [
                *indented("try:", quick),
                *indented("except AttributeError:", ["pass  # a plain number further on"]),
                *indented("else:", indented(f"if {floats}:", [f"operands = parents = ({display})"])),
            ],
        ),
        *indented(
            "if not parents:",
            [
                *slow,
                f"operands = ({display})",
                f"are_values = {' + '.join(f'{x}_are_values' for x in row.operands)}",
                "parents = tuple(compress(operands, are_values))",
                *indented("if not parents:", [*computed(row, [], otherwise), "return out"]),
            ],
        ),
        *computed(row, [True] * len(row.operands), otherwise),
        *indented(
            "if parents is not operands and len(partials) > len(parents):",
            ["partials = tuple(compress(partials, are_values))"],
        ),
        *recording_lines(row, x="operands", y="parents", dx="partials"),
    ]


def written_function(name: str) -> Callable[..., Any]:
    """The function of a row: a float for plain numbers, a node as soon as one operand is a Value."""
    if name not in TABLE and PRIME not in name:
        raise TypeError(
            f"{name} is no operation, so it has no derivative: declare it as one by primitive({name!r}, ...), and "
            "give that as the partial of the operation that uses it"
        )
    row = TABLE[name]
    otherwise = f"apply({', '.join((repr(name), *row.operands))})"
    lines = of_many(row, otherwise) if row.lists else branches(row, [], "number", otherwise)
    function = define(name, indented(f"def {name}({signature(row)}):", lines))
    function.__doc__ = description(row)
    function.__module__ = "autograd"
    return function


SHIPPED = frozenset(TABLE)  # the rows that users cannot declare again
# Where an operation has a value, if not for all numbers
DOMAINS = {
    "div": "y != 0",
    "mod": "y != 0",
    "pow": "x > 0, or x = 0 and y >= 0, or x < 0 and y whole",
    "log1p": "x > -1",
    "sqrt": "x >= 0",
    "acosh": "x >= 1",
    "atanh": "-1 < x < 1",
    **dict.fromkeys(("log", "log2", "log10"), "x > 0"),
    **dict.fromkeys(("asin", "acos"), "-1 <= x <= 1"),
}
EVERYWHERE = "all numbers for which a float can hold the result"


def description(row: Row) -> str:
    """What `help` says of an operation: its value, its note, its partials, an example."""
    lines = [f"`{row.value}`" + f": {row.note}" * bool(row.note) + ".", "", "Derivatives, where `out` is the result:"]
    lines += [f"    by {x}: `{partial}`" for x, partial in zip(row.operands, row.partials)]
    domain = DOMAINS.get(row.name, EVERYWHERE) if row.name in SHIPPED else "wherever that is a number"
    lines += ["", f"Domain: {domain}. Elsewhere it raises an error that names the operands."]
    for start in (0.5, 1.5):  # where it has a value
        xs = {x: start + k / 4 for k, x in enumerate(row.operands) if x not in row.defaults}
        groups = [[x, x + 1.0] if name in row.lists else x for name, x in xs.items()]
        try:
            example = f">>> {row.name}({', '.join(map(repr, groups))})\n{apply(row.name, *groups)!r}"
            return "\n".join([*lines, "", example, ""])
        except TypeError:  # of an own function, which gives no number
            raise
        except Exception:  # outside its domain; what an own function raises there, nobody knows
            continue
    return "\n".join([*lines, ""])


def operator_method(name: str, method: str) -> Callable[..., Any]:
    """The operator of a row as a method: the one of its operands that is `self` is known to be a Value."""
    row = TABLE[name]
    if len(row.operands) == 1:
        return OPERATIONS[name]
    x, y = row.operands
    otherwise = f"operate({name!r}, {x}, {y})"
    if method == OPERATORS[name][0]:
        return define(method, indented(f"def {method}({x}, {y}):", branches(row, [True], "plain_operand", otherwise)))
    lines = [*as_float(row, x, "plain_operand"), *branches(row, [False, True], "plain_operand", otherwise)]
    return define(method, indented(f"def {method}({y}, {x}):", lines))


class Lazy:
    """A method that is written when it is first looked up. (A `__getattr__` would slow down every attribute.)"""

    def __init__(self, name: str, method: str):
        self.name, self.method = name, method

    def __get__(self, value: Value | None, owner: type) -> Any:
        made = operator_method(self.name, self.method) if self.method[0] == "_" else OPERATIONS[self.name]
        setattr(Value, self.method, made)
        return made.__get__(value, owner)


def methods(name: str) -> list[str]:
    """The names under which a row is a method of Value, NumPy's among them."""
    if TABLE[name].lists or TABLE[name].is_slope or name == "where":
        return []
    return [name, *([ATOMS[name].method] if name in ATOMS and ATOMS[name].method else [])]


def put_in_place(name: str) -> None:
    """Let a row's operator and methods be its own functions, from their first use on."""
    OPERATIONS.pop(name, None)
    for method in (*methods(name), *OPERATORS.get(name, ())):
        setattr(Value, method, Lazy(name, method))


OPERATIONS.make = written_function
for _name in TABLE:
    put_in_place(_name)
for _ in range(32):  # CPython makes room for attributes that it expects, for fewer after each Value that has none
    Value(0.0)
