"""The expressions of the table as NumPy calls: one an operation, each into an array that is there already."""

from __future__ import annotations

import ast
import functools
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from autograd.compiler.expressions import Fold, Rename, hoist, literal, number_of, parse
from autograd.compiler.trace import Trace
from autograd.core.table import PRIMITIVES

UFUNCS = {
    ast.Add: "np.add", ast.Sub: "np.subtract", ast.Mult: "np.multiply", ast.Div: "np.divide", ast.Pow: "np.power",
    ast.USub: "np.negative", ast.Gt: "np.greater", ast.GtE: "np.greater_equal", ast.Lt: "np.less",
    ast.LtE: "np.less_equal", ast.Eq: "np.equal", ast.NotEq: "np.not_equal",
}  # fmt: skip
COMPARE = {
    ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}  # fmt: skip
_SAME = (
    "exp expm1 log log1p log2 log10 sqrt sin cos tan sinh cosh tanh hypot maximum minimum sign floor ceil exp2 cbrt "
    "trunc mod"
)
WORDS = {name: f"np.{name}" for name in _SAME.split()} | {
    "abs": "np.absolute", "asin": "np.arcsin", "acos": "np.arccos", "atan": "np.arctan", "atan2": "np.arctan2",
    "asinh": "np.arcsinh", "acosh": "np.arccosh", "atanh": "np.arctanh",
    "erf": "erfs", "erfc": "erfcs", "copysign": "np.copysign", "unsigned_sign": "np.sign",
}  # fmt: skip

# What NumPy lacks, for the head of a program that needs it
DEFINITIONS = {
    "erfs": "erfs = np.vectorize(math.erf, otypes=[float])",
    "erfcs": "erfcs = np.vectorize(math.erfc, otypes=[float])",
}


def written(x: float) -> str:
    """A number as text that stands for it in any expression, infinite ones too; what is not a number is `nan`."""
    return ast.unparse(literal(x))


def hides_infinity(op: str) -> bool:
    """Whether an operation may be finite where an operand is infinite."""
    return bool(op) and op not in ("constant", "add", "sub", "mul", "neg", "abs", "sum", "mean", "weighted_sum")


def hides_nan(op: str, constants: Sequence[float | None] = ()) -> bool:
    """Whether an operation may be a number where an operand is none; `constants` are the operands that are known."""
    if op in ("sigmoid", "leaky_relu", "", "constant"):
        return False
    if op == "pow":
        base, exponent = constants or (None, None)
        return base == 1.0 or exponent == 0.0 or (base is None and exponent is None)
    return op == "hypot" or " if " in PRIMITIVES[op].value


def may_hide_nan(traced: Trace) -> bool:
    """Whether an operation of a graph may be a number where an operand is none."""
    suspects = {op for op in set(traced.ops) if hides_nan(op)}
    return any(
        op in suspects and hides_nan(op, [traced.constants.get(x) for x in operands])
        for op, operands in zip(traced.ops, traced.operands if suspects else ())
    )


class Expand(ast.NodeTransformer):
    """Replace words that are rows themselves, such as `sigmoid(x)`, by what these are worth."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """A call of a known word as it is, of any other row as the expression that it stands for."""
        self.generic_visit(node)
        name = ast.unparse(node.func)
        if name in WORDS or name == "step" or name not in PRIMITIVES:
            return node
        row = PRIMITIVES[name]
        arguments = [ast.unparse(x) for x in node.args]
        arguments += [written(row.defaults[x]) for x in row.operands[len(arguments) :]]
        body = Rename({x: f"({a})" for x, a in zip(row.operands, arguments)}).visit(parse(row.value))
        return self.visit(Fold().visit(body))


class Simplify(ast.NodeTransformer):
    """Leave out factors of 1, powers of 1, and branches that constants decide."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """An operation, or the operand that it leaves as it is."""
        self.generic_visit(node)
        match node:
            case ast.BinOp(x, ast.Mult() | ast.Pow() | ast.Div(), ast.Constant(1.0)):
                return x
            case ast.BinOp(ast.Constant(1.0), ast.Mult(), x):
                return x
            case ast.BinOp(x, ast.Mult(), ast.BinOp(ast.Constant(1.0), ast.Div(), y)):
                return ast.BinOp(x, ast.Div(), y)
        return Fold().visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        """A choice, or the branch that a comparison of constants takes."""
        self.generic_visit(node)
        match node.test:
            case ast.Compare(left, [comparison], [right]):
                x, y = number_of(left), number_of(right)
                if x is not None and y is not None:
                    return node.body if COMPARE[type(comparison)](x, y) else node.orelse
        return node


def tree(expression: str, names: Mapping[str, str]) -> ast.expr:
    """An expression of the table in terms of the names given for its operands, expanded and simplified."""
    return Simplify().visit(Expand().visit(Fold().visit(Rename(dict(names)).visit(parse(expression)))))


def without_factor(product: ast.expr) -> tuple[float, ast.expr | None]:
    """The constant factor of a product, and what remains of it; None if that is all."""
    if (number := number_of(product)) is not None:
        return number, None
    match product:
        case ast.UnaryOp(ast.USub(), x):
            factor, rest = without_factor(x)
            return -factor, rest
        case ast.BinOp(x, ast.Mult(), y):
            (factor, left), (other, right) = without_factor(x), without_factor(y)
            rest = ast.BinOp(left, ast.Mult(), right) if left and right else left or right
            return factor * other, rest
        case ast.BinOp(x, ast.Div(), divisor) if y := number_of(divisor):
            factor, rest = without_factor(x)
            return factor / y, rest
    return 1.0, product


class ScalarPower(ast.NodeTransformer):
    """Powers for plain Python: `pow(x, y)` of the math module, which raises where a product would become infinite."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """A power by another name; anything else as it is."""
        self.generic_visit(node)
        return ast.Call(ast.Name("pow"), [node.left, node.right], []) if isinstance(node.op, ast.Pow) else node


@dataclass(frozen=True)
class Recipe:
    """The calls for an expression, with `<x>` for the array of operand x, `<>` for the result, `<0>` for a temporary.

    An expression that is an operand as it stands has no lines: its name is in `operand`.
    """

    lines: tuple[str, ...]
    temporaries: tuple[str, ...]
    operand: str = ""


@functools.lru_cache(maxsize=1024)
def recipe(expression: str, literals: tuple[tuple[str, str], ...]) -> Recipe:
    """How to compute an expression of the table when some of its operands are numbers."""
    simplified = tree(expression, dict(literals))
    if isinstance(simplified, ast.Name):
        return Recipe((), (), simplified.id)
    cook = _Cook()
    calls, [simplified] = hoist([simplified], prefix="_common")
    for name, call in calls.items():
        cook.into(parse(call), name)
    cook.into(simplified, "")
    kinds = {name: dtype for dtype, names in cook.made.items() for name in names} | dict.fromkeys(calls, "float")
    number = {name: k for k, name in enumerate(kinds)}
    lines = tuple(re.sub(r"<(\w+)>", lambda m: f"<{number.get(m[1], m[1])}>", line) for line in cook.lines)
    return Recipe(lines, tuple(kinds.values()))


@functools.lru_cache(maxsize=1024)
def _scaled(expression: str, literals: tuple[tuple[str, str], ...]) -> tuple[float, str]:
    factor, rest = without_factor(tree(expression, dict(literals)))
    return factor, ast.unparse(rest) if rest else "1.0"


def _risky(tree: ast.AST) -> bool:
    """Whether an expression has a domain that the elements of the other branch of a conditional may lie outside of."""
    return any(
        (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.Pow))
        or (
            isinstance(node, ast.Call)
            and ast.unparse(node.func) in ("log", "log2", "log10", "log1p", "sqrt", "asin", "acos", "acosh", "atanh")
        )
        for node in ast.walk(tree)
    )


class _Cook:
    """Turns a syntax tree into calls; every name in a line stands in angle brackets."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.made: dict[str, list[str]] = {"float": [], "bool": []}
        self.free: dict[str, list[str]] = {"float": [], "bool": []}
        self.mask = ""  # where the calls are to be made: in a branch, nothing may raise for the other branch's elements

    def into(self, node: ast.expr, out: str) -> None:
        """The calls that leave the value of an expression in an array."""
        result = self._compute(node, out)
        if result != f"<{out}>":
            self.lines.append(f"np.copyto(<{out}>, {result})")

    def _target(self, read: list[str], out: str | None, dtype: str = "float") -> str:
        """Where a result goes; temporaries that a call reads are free for its own result."""
        for kind, names in self.made.items():
            self.free[kind] += [name for name in names if f"<{name}>" in read and name not in self.free[kind]]
        if out is not None:
            return f"<{out}>"
        if not self.free[dtype]:
            name = f"{dtype}_{len(self.made[dtype])}"
            self.made[dtype].append(name)
            self.free[dtype].append(name)
        return f"<{self.free[dtype].pop()}>"

    def _call(self, function: str, arguments: list[ast.expr], out: str | None, dtype: str = "float") -> str:
        read = [self._compute(argument, None) for argument in arguments]
        target = self._target(read, out, dtype)
        if function in DEFINITIONS:
            self.lines.append(f"{target}[...] = {function}({', '.join(read)})")
        else:
            where = f", where={self.mask}" if self.mask and dtype != "bool" else ""
            self.lines.append(f"{function}({', '.join(read)}, out={target}{where})")
        return target

    def _conditional(self, node: ast.IfExp, out: str | None) -> str:
        """Both branches, each computed only where it is taken if elsewhere it could raise."""
        test = self._compute(node.test, None)
        results = []
        for branch, taken in ((node.body, True), (node.orelse, False)):
            outer = self.mask
            if _risky(branch):
                self.mask = test if taken else self._mask(f"np.logical_not({test}")
                if outer:
                    self.mask = self._mask(f"np.logical_and({self.mask}, {outer}")
            results.append(self._compute(branch, None))
            self.mask = outer
        target = self._target([test, *results], out)
        self.lines.append(f"{target}[...] = np.where({test}, {results[0]}, {results[1]})")
        return target

    def _mask(self, call: str) -> str:
        target = self._target([], None, "bool")
        self.lines.append(f"{call}, out={target})")
        return target

    def _compute(self, node: ast.expr, out: str | None) -> str:
        match node:
            case ast.Name(name):
                return f"<{name}>" if name != "nan" else "math.nan"
            case _ if number_of(node) is not None:
                return ast.unparse(node)
            case ast.BinOp(base, ast.Pow(), ast.Constant(2.0)):
                return self._call("np.square", [base], out)
            case ast.BinOp(base, ast.Pow(), ast.Constant(0.5)):
                return self._call("np.sqrt", [base], out)
            case ast.BinOp(ast.Name() as base, ast.Pow(), ast.Constant(3.0)):  # np.power takes ten times as long
                return self._call("np.multiply", [ast.BinOp(base, ast.Pow(), ast.Constant(2.0)), base], out)
            case ast.BinOp(base, ast.Pow(), ast.UnaryOp(ast.USub(), ast.Constant(1.0))):
                return self._call("np.divide", [ast.Constant(1.0), base], out)
            case ast.BinOp(ast.Name("_up") as up, ast.Mult(), ast.Call(ast.Name("step" | "sign" as word), [x])):
                # of a slope neither the sign of a zero nor a nan matters: that of the value is found by the scalars
                above = ast.Compare(x, [ast.Gt()], [ast.Constant(0.0)])
                slope = above if word == "step" else ast.Call(ast.Name("unsigned_sign"), [x], [])
                return self._call("np.multiply", [up, slope], out)
            case ast.BinOp(left, operator, right):
                return self._call(UFUNCS[type(operator)], [left, right], out)
            case ast.UnaryOp(operator, operand):
                return self._call(UFUNCS[type(operator)], [operand], out)
            case ast.Compare(left, [comparison], [right]):
                return self._call(UFUNCS[type(comparison)], [left, right], None, "bool")
            case ast.Call(ast.Name("step"), [x]):
                return self._call("np.heaviside", [x, ast.Constant(0.0)], out)
            case ast.Call(ast.Name("sign"), [x]):  # of NumPy's, a zero has no sign
                return self._call("np.copysign", [ast.Call(ast.Name("unsigned_sign"), [x], []), x], out)
            case ast.Call(ast.Name(word), arguments):
                return self._call(WORDS[word], list(arguments), out)
            case ast.IfExp():
                return self._conditional(node, out)
        raise AssertionError(ast.dump(node))


@dataclass(frozen=True)
class Formula:
    """An expression of the table with the names of the arrays (or the numbers) that its operands are."""

    expression: str
    names: Mapping[str, str]

    @property
    def literals(self) -> tuple[tuple[str, str], ...]:
        """The operands that are numbers."""
        return tuple((x, name) for x, name in self.names.items() if not name[0].isalpha() and name[0] != "_")

    @property
    def recipe(self) -> Recipe:
        """Its calls."""
        return recipe(self.expression, self.literals)

    @property
    def scaled(self) -> tuple[float, Formula]:
        """A number and a formula, of which it is the product."""
        factor, rest = _scaled(self.expression, self.literals)
        return factor, Formula(rest, self.names)

    @property
    def name(self) -> str:
        """The array that it is without any computation; an empty string if it takes some."""
        operand = self.recipe.operand
        return self.names.get(operand, operand)


class Writer:
    """Writes calls into a program, with temporary arrays that are shared by all that need one of their shape.

    `declare(shape, dtype)` names a new array, `emit(line)` takes a line of the program.
    """

    def __init__(self, emit: Callable[[str], None], declare: Callable[[str, str], str]):
        self.emit, self.declare = emit, declare
        self.free: dict[tuple[str, str], list[str]] = {}

    @contextmanager
    def scratch(self, shape: str, dtype: str = "float") -> Iterator[str]:
        """A temporary for the time of a block."""
        free = self.free.setdefault((shape, dtype), [])
        name = free.pop() if free else self.declare(shape, dtype)
        yield name
        free.append(name)

    def write(self, formula: Formula, shape: str, out: str) -> None:
        """Emit the calls that compute a formula of arrays of a shape into `out`."""
        if formula.name:
            self.emit(f"np.copyto({out}, {formula.name})")
            return
        found = formula.recipe
        names = {"": out, **formula.names}
        for k, dtype in enumerate(found.temporaries):
            free = self.free.setdefault((shape, dtype), [])
            names[str(k)] = free.pop() if free else self.declare(shape, dtype)
        for line in found.lines:
            self.emit(re.sub(r"<(\w*)>", lambda m: names[m[1]], line))
        for k, dtype in enumerate(found.temporaries):
            self.free[shape, dtype].append(names[str(k)])
