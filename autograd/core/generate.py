"""From a row of the table to its eager function, as `dataclasses` writes an `__init__`.

Each operation becomes one straight-line function that computes its value and its partials in floats and records them
in a node. Declaring an operation once, as text, therefore costs nothing when it runs.
"""

import ast
import linecache
import math
from collections.abc import Callable
from typing import Any

from autograd.core.expressions import Fold, Rename, hoist, names_in, parse
from autograd.core.table import FLOATS, PRIMITIVES, Primitive, divide, power


def define(name: str, source: str, namespace: dict[str, Any]) -> Callable[..., Any]:
    """The function `name` of a source text; tracebacks can show its lines."""
    filename = f"<autograd {name}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    defined: dict[str, Any] = {}
    exec(compile(source, filename, "exec"), namespace, defined)
    return defined[name]


def signature(row: Primitive) -> str:
    """The parameters of a row's function, with their defaults."""
    return ", ".join(f"{x}={row.defaults[x]}" if x in row.defaults else x for x in row.operands)


def are_lists(row: Primitive) -> list[bool]:
    """For each operand, whether it is a list."""
    return [operand in row.lists for operand in row.operands]


def is_atom(row: Primitive) -> bool:
    """Whether a row's value is a word of its own, which every reader must know, such as `tanh(x)`."""
    return row.value == f"{row.name}({', '.join(row.operands)})"


# Plain floats ---------------------------------------------------------------------------------------------------


class _CheckedPower(ast.NodeTransformer):
    """`x ** y` as a value: an error where Python would give a complex number."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        return ast.Call(ast.Name("pow"), [node.left, node.right], []) if isinstance(node.op, ast.Pow) else node


class _Careful(ast.NodeTransformer):
    """Division and power as IEEE 754 has them, for slopes: infinite or nan, never an error."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        careful = {ast.Div: "divide", ast.Pow: "power"}.get(type(node.op))
        return ast.Call(ast.Name(careful), [node.left, node.right], []) if careful else node


class _Inline(ast.NodeTransformer):
    """`step(x)` and `maximum(x, 0)` written out, which saves a call."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        match node:
            case ast.Call(ast.Name("step"), [x]):
                return parse(f"1.0 if {ast.unparse(x)} > 0.0 else 0.0")
            case ast.Call(ast.Name("maximum" | "minimum" as name), [ast.Name(x), ast.Constant(bound)]):
                return parse(f"{bound} if {x} {'<=' if name == 'maximum' else '>='} {bound} else {x}")
        return node


def kernel(row: Primitive) -> Callable[..., float]:
    """A row's value as a function of floats (and lists of floats); it raises outside the row's domain."""
    if row.name in FLOATS:
        return FLOATS[row.name]
    if row.is_slope:
        return careful_value(row)
    calls, [value] = hoist([_CheckedPower().visit(Fold().visit(parse(row.value)))])
    lines = [*_count(row), *(f"{name} = {call}" for name, call in calls.items()), f"return {ast.unparse(value)}"]
    return define(row.name, f"def {row.name}({signature(row)}):\n{_indent(lines)}", FLOATS)


def careful_value(row: Primitive) -> Callable[..., float]:
    """The value of a slope as a function of floats: an error only where its domain, another row, has one."""
    source = f"def {row.name}({', '.join(row.operands)}):\n"
    if row.domain:
        source += f"    domain({', '.join(PRIMITIVES[row.domain].operands)})\n"
    source += f"    return {ast.unparse(_Careful().visit(Fold().visit(parse(row.value))))}"
    return define(row.name, source, {**calm_words(), "domain": FLOATS.get(row.domain)})


def calm_words() -> dict[str, Any]:
    """What the words of the table mean for slopes."""
    calm = {name: _calm(word) if callable(word) else word for name, word in FLOATS.items()}
    return {**calm, "divide": divide, "power": power}


def careful_partials(row: Primitive) -> Callable[..., list[float]]:
    """All partials of a row where a slope may be infinite or may not exist: inf or nan, never an error."""
    trees = [_Careful().visit(Fold().visit(parse(partial))) for partial in row.partials]
    lines = [*_count(row), f"return [{', '.join(_items(row, trees, ''))}]"]
    source = f"def {row.name}({', '.join(row.operands)}, out):\n{_indent(lines)}"
    return define(row.name, source, calm_words())


def _calm(function: Callable[..., Any]) -> Callable[..., Any]:
    def calm(*operands: Any) -> Any:
        try:
            return function(*operands)
        except OverflowError:
            return math.inf
        except (ArithmeticError, ValueError):
            return math.nan

    return calm


def _count(row: Primitive) -> list[str]:
    return [f"n = len({row.operands[0]})"] if row.variadic else []


def _items(row: Primitive, partials: list[ast.expr], suffix: str) -> list[str]:
    """The partials as items of a tuple display: those of a list operand starred, one per element."""
    lists = {operand[:-1]: operand + suffix for operand in row.lists}
    lists["rest"] = f"products_of_others({row.operands[0]}{suffix})"

    def item(partial: ast.expr, many: bool) -> str:
        text = ast.unparse(partial)
        used = sorted(names_in(partial) & set(lists)) if many else []
        if not used:
            return f"*[{text}] * n" if many else text
        [name] = used
        return f"*{lists[name]}" if name == text else f"*[{text} for {name} in {lists[name]}]"

    return [item(partial, many) for partial, many in zip(partials, are_lists(row))]


# Nodes ----------------------------------------------------------------------------------------------------------


def node_function(row: Primitive, namespace: dict[str, Any]) -> Callable[..., Any]:
    """The eager function of a row: a float for plain numbers, a node as soon as one operand is a Value.

    `namespace` gives the words that the source uses: Value, new, data_of, number, separated, listed, plain, errors.
    """
    lines = _variadic(row) if row.variadic else _fixed(row)
    words = {"kernel": FLOATS[row.name], "careful_partials": careful_partials(row)}
    source = f"def {row.name}({signature(row)}):\n{_indent(lines)}"
    function = define(row.name, source, {**FLOATS, **namespace, **words})
    function.__doc__ = f"`{row.value}`" + f": {row.note}" * bool(row.note) + "."
    function.__module__ = "autograd"
    return function


def _indent(lines: list[str]) -> str:
    return "\n".join("    " + line for text in lines for line in text.splitlines()) + "\n"


def _block(head: str, lines: list[str]) -> list[str]:
    return [head, *(f"    {line}" for line in lines)]


def _guard(expressions: list[str], lines: list[str], handler: list[str]) -> list[str]:
    """The lines, under a `try` if an expression can raise on floats: a call, a division or a power can."""
    if not any(mark in expression for expression in expressions for mark in ("(", "/", "**")):
        return lines
    return [*_block("try:", lines), *_block("except (ArithmeticError, ValueError) as error:", handler)]


def _compute(row: Primitive, operands: str, is_value: list[bool], partials: str) -> list[str]:
    """Lines that compute `out`, and the partials with respect to Values, from the data of the operands.

    `partials` is the target they are assigned to: names separated by commas, or the one name of a tuple.
    """
    data = {x: f"{x}_data" for x in row.operands}
    prepare = [Rename(data), Fold(), _Inline()]

    def tree(expression: str, *more: ast.NodeTransformer) -> ast.expr:
        result = parse(expression)
        for transformer in (*prepare, *more):
            result = transformer.visit(result)
        return result

    arguments = ", ".join(data.values())
    value = parse(f"kernel({arguments})") if is_atom(row) else tree(row.value, _CheckedPower())
    calls, trees = hoist([value, *(tree(p) for p, wanted in zip(row.partials, is_value) if wanted)])
    first = [f"{name} = {call}" for name, call in calls.items() if name in names_in(trees[0])]
    second = [f"{name} = {call}" for name, call in calls.items() if name not in names_in(trees[0])]
    items = _items(row, trees[1:], "_data") if row.variadic else [ast.unparse(tree) for tree in trees[1:]]
    recorded = f"tuple([p for p, o in zip(careful_partials({arguments}, out), {operands}) if isinstance(o, Value)])"
    if row.is_slope:
        whole = PRIMITIVES[row.domain].operands if row.domain else ()
        handler = f"raise failure('{row.domain}', ({''.join(f'{x}, ' for x in whole)}), error) from None"
        lines = [f"out = kernel({arguments})"]
        lines = (
            [*_block("try:", lines), *_block("except (ArithmeticError, ValueError) as error:", [handler])]
            if whole
            else lines
        )
        return [*lines, f"{partials} = {recorded}"]
    value = ast.unparse(trees[0])
    domain_error = f"raise failure('{row.name}', {operands}, error) from None"
    return [
        *_guard([value, *first], [*first, f"out = {value}"], [domain_error]),
        *_block("if out != out:", [f"refuse_nan('{row.name}', {operands})"]),
        *_guard([*items, *second], [*second, f"{partials} = ({', '.join(items)},)"], [f"{partials} = {recorded}"]),
    ]


def _return_node(row: Primitive, **slots: str) -> list[str]:
    """Lines that record the node and return it; `slots` are its operands and partials as the class lays them out."""
    return [
        "node = new(Value)",
        "node._data = out",
        "node._grad = 0.0",
        "node.label = ''",
        f"node.op = '{row.name}'",
        *(f"node._{slot} = {slots.get(slot)}" for slot in ("x", "y", "dx", "dy")),
        "return node",
    ]


def _fixed(row: Primitive) -> list[str]:
    """Lines for a fixed number of operands: a branch for each choice of which of them are Values."""

    def branch(known: list[bool]) -> list[str]:
        if len(known) < len(row.operands):
            x = row.operands[len(known)]
            other = [f"{x}_data = number({x}, '{row.name}')"]
            if row.infix:  # leaves the operator to the other operand's class if that one defines it
                other = [
                    f"{x}_data = operand({x}, '{row.name}')",
                    *_block(f"if {x}_data is NotImplemented:", [f"return {x}_data"]),
                ]
            return [
                *_block(f"if isinstance({x}, Value):", [f"{x}_data = {x}._data", *branch([*known, True])]),
                *_block(f"if type({x}) is float:", [f"{x}_data = {x}"]),
                *_block("else:", other),
                *branch([*known, False]),
            ]
        if not any(known):
            return [f"return plain('{row.name}', kernel, {', '.join(f'{x}_data' for x in row.operands)})"]
        operands = [x if value else f"{x}_data" for x, value in zip(row.operands, known)]
        tuple_of_operands = f"({', '.join(operands)},)"
        if len(operands) > 2:
            parents = f"({', '.join(x for x, value in zip(row.operands, known) if value)},)"
            partials = _compute(row, tuple_of_operands, known, "partials")
            return [*partials, *_return_node(row, x=tuple_of_operands, y=parents, dx="partials")]
        slots = dict(zip("xy", operands)) | {f"d{s}": f"d{s}" for s, value in zip("xy", known) if value}
        targets = ", ".join(f"d{s}" for s, value in zip("xy", known) if value) + ","
        return [*_compute(row, tuple_of_operands, known, targets), *_return_node(row, **slots)]

    return branch([])


def _variadic(row: Primitive) -> list[str]:
    """Lines for operands that are lists: quickly when all are Values, else one by one."""
    pairs = list(zip(row.operands, are_lists(row)))
    first, *others = row.lists
    empty = {"sum": "return 0.0", "prod": "return 1.0"}.get(row.name, f"raise empty('{row.name}')")
    listed = "".join(f"*{x}, " if many else f"{x}, " for x, many in pairs)
    quick = [f"{x}_data = list(map(data_of, {x}))" if many else f"{x}_data = {x}._data" for x, many in pairs]
    slow = [
        f"{x}, {x}_data = separated({x}, '{row.name}')"
        if many
        else f"{x}, {x}_data = ({x}, {x}._data) if isinstance({x}, Value) else (number({x}, '{row.name}'),) * 2"
        for x, many in pairs
    ]
    all_values = " and ".join(f"isinstance({x}{'[0]' * many}, Value)" for x, many in pairs)
    return [
        *(
            line
            for x in row.lists
            for line in _block(f"if type({x}) is not list:", [f"{x} = listed({x}, '{row.name}')"])
        ),
        f"n = len({first})",
        *(line for x in others for line in _block(f"if len({x}) != n:", [f"raise unequal('{row.name}', n, len({x}))"])),
        *_block("if not n:", [empty]),
        "parents = ()",
        *_block(
            f"if {all_values}:",
            [
                *_block("try:", [*quick, f"operands = parents = ({listed})"]),
                *_block("except AttributeError:", ["pass  # a plain number further on"]),
            ],
        ),
        *_block(
            "if not parents:",
            [
                *slow,
                f"operands = ({listed})",
                "parents = tuple([o for o in operands if isinstance(o, Value)])",
                *_block(
                    "if not parents:",
                    [f"return plain('{row.name}', kernel, {', '.join(f'{x}_data' for x in row.operands)})"],
                ),
            ],
        ),
        *_compute(row, "operands", [True] * len(pairs), "partials"),
        *_block(
            "if parents is not operands and len(partials) > len(parents):",
            ["partials = tuple([p for p, o in zip(partials, operands) if isinstance(o, Value)])"],
        ),
        *_return_node(row, x="operands", y="parents", dx="partials"),
    ]
