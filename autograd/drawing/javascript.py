"""From a row of the table to its twin in JavaScript, for the page that plays a backward pass.

A row is translated as it stands; only the few words that every reader must know (`words.js`) are written by hand.
"""

import ast
import pathlib
import re
from collections.abc import Iterable

from autograd.core.expressions import parse
from autograd.core.generate import are_lists, is_atom
from autograd.core.table import PRIMITIVES, Primitive

_SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_COMPARISONS = {ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.LtE: "<=", ast.Eq: "===", ast.NotEq: "!=="}
_CONSTANTS = {"pi": "Math.PI", "nan": "NaN"}


def translated(tree: ast.expr) -> str:
    """An expression of the table in JavaScript; a variable `x` is `$x`, whatever is reserved there.

    >>> translated(parse("1 - out * out"))
    '(1 - ($out * $out))'
    """
    match tree:
        case ast.Constant(int() | float() as x):
            return repr(x)
        case ast.Name(name):
            return _CONSTANTS.get(name, f"${name}")
        case ast.UnaryOp(ast.USub(), x):
            return f"(-{translated(x)})"
        case ast.BinOp(x, ast.Pow(), y):
            return f"words.power({translated(x)}, {translated(y)})"
        case ast.BinOp(x, op, y) if type(op) in _SIGNS:
            return f"({translated(x)} {_SIGNS[type(op)]} {translated(y)})"
        case ast.IfExp(test, x, y):
            return f"({translated(test)} ? {translated(x)} : {translated(y)})"
        case ast.Compare(x, [op], [y]):
            return f"{translated(x)} {_COMPARISONS[type(op)]} {translated(y)}"
        case ast.Call(ast.Name(word), arguments):
            return f"words.{word}({', '.join(map(translated, arguments))})"
    raise ValueError(f"{ast.unparse(tree)!r} has no translation into JavaScript")


def value(row: Primitive) -> str:
    """The value of a row as an arrow function of its operands, lists as arrays."""
    operands = ", ".join(f"${x} = {row.defaults[x]!r}" if x in row.defaults else f"${x}" for x in row.operands)
    count = f"const $n = ${row.lists[0]}.length; " if row.variadic else ""
    return f"({operands}) => {{ {count}return {translated(parse(row.value))}; }}"


def partials(row: Primitive) -> str:
    """The partials of a row as an arrow function of its operands and `$out`: one flat array."""
    operands = ", ".join(f"${x}" for x in (*row.operands, "out"))
    if not row.variadic:
        return f"({operands}) => [{', '.join(translated(parse(partial)) for partial in row.partials)}]"
    first = row.lists[0]
    elements = "".join(f"const ${x[:-1]} = ${x}[$i]; " for x in row.lists)
    items = [
        f"...${first}.map((_, $i) => {{ {elements}const $rest = $others[$i]; return {translated(parse(partial))}; }})"
        if many
        else translated(parse(partial))
        for partial, many in zip(row.partials, are_lists(row))
    ]
    total = f", $total = words.total(${first}, $out)" if any("total" in partial for partial in row.partials) else ""
    return (
        f"({operands}) => {{ const $n = ${first}.length, $others = words.products_of_others(${first}){total}; "
        f"return [{', '.join(items)}]; }}"
    )


def _words(text: str) -> set[str]:
    """The operations that an expression calls."""
    return {node.func.id for node in ast.walk(parse(text)) if isinstance(node, ast.Call)} & set(PRIMITIVES)  # type: ignore


def data_file(name: str) -> str:
    """The text of a file that is installed beside this module."""
    return (pathlib.Path(__file__).parent / name).read_text(encoding="utf-8")


def page(template: str, filled: dict[str, str]) -> str:
    """A template with `{{name}}` replaced by what is filled in, and `{{web/name.js}}` by the text of that file."""

    def part(place: re.Match[str]) -> str:
        return data_file(place[1]) if "." in place[1] else filled[place[1]]

    return re.sub(r"\{\{([\w/.]+)\}\}", part, data_file(template))


def program(names: Iterable[str]) -> str:
    """JavaScript that defines `words`, and `operations[name]` = {lists, value, partials} for each of the rows.

    What the rows call is defined as well, down to the words of `words.js`.
    """
    names = list(dict.fromkeys(names))
    needed = dict.fromkeys(names)
    waiting = [text for name in names for text in (PRIMITIVES[name].value, *PRIMITIVES[name].partials)]
    for text in waiting:  # grows while it is walked
        for word in sorted(_words(text) - set(needed)):
            needed[word] = None
            waiting.append(PRIMITIVES[word].value)
    lines = [data_file("words.js")]
    lines += [f"words.{name} = {value(PRIMITIVES[name])};" for name in needed if not is_atom(PRIMITIVES[name])]
    lines.append("const operations = Object.create(null);")
    for name in names:
        row = PRIMITIVES[name]
        shape = ", ".join("true" if many else "false" for many in are_lists(row))
        lines.append(
            f"operations.{name} = {{\n  lists: [{shape}],\n  value: words.{name},\n  partials: {partials(row)},\n}};"
        )
    return "\n".join(lines)
