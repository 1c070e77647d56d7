"""The expressions of the table as NumPy calls: one call an operation, each writing into an array that is there already."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from autograd.expressions import Fold, Rename, hoist, parse
from autograd.primitives import PRIMITIVES, Primitive

UFUNCS = {
    ast.Add: "np.add", ast.Sub: "np.subtract", ast.Mult: "np.multiply", ast.Div: "np.divide", ast.Pow: "np.power",
    ast.USub: "np.negative", ast.Gt: "np.greater", ast.GtE: "np.greater_equal", ast.Lt: "np.less",
    ast.LtE: "np.less_equal", ast.Eq: "np.equal", ast.NotEq: "np.not_equal",
}  # fmt: skip
_SAME = "exp expm1 log log1p log2 log10 sqrt sin cos tan sinh cosh tanh hypot maximum minimum sign floor ceil"
WORDS = {name: f"np.{name}" for name in _SAME.split()} | {
    "abs": "np.absolute", "asin": "np.arcsin", "acos": "np.arccos", "atan": "np.arctan", "atan2": "np.arctan2",
    "erf": "erf", "erfc": "erfc",
}  # fmt: skip

# What NumPy lacks, for the head of a program that needs it
DEFINITIONS = {
    "erf": "erf = np.vectorize(math.erf, otypes=[float])",
    "erfc": "erfc = np.vectorize(math.erfc, otypes=[float])",
}


class Expand(ast.NodeTransformer):
    """Replace words that are rows themselves, such as `sigmoid(x)`, by what these are worth."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """A call of a known word as it is, of any other row as the expression that it stands for."""
        self.generic_visit(node)
        name = ast.unparse(node.func)
        if name in WORDS or name == "step":
            return node
        row = PRIMITIVES[name]
        arguments = [ast.unparse(x) for x in node.args]
        arguments += [str(row.defaults[x]) for x in row.operands[len(arguments) :]]
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
        return Fold().visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        """A choice, or the branch that a comparison of constants takes."""
        self.generic_visit(node)
        match node.test:
            case ast.Compare(ast.Constant(), _, [ast.Constant()]):
                return node.body if eval(ast.unparse(node.test)) else node.orelse
        return node


def tree(expression: str, names: dict[str, str]) -> ast.expr:
    """An expression of the table, in terms of the arrays that `names` gives for its operands, ready for `Writer.write`."""
    return Simplify().visit(Expand().visit(Fold().visit(Rename(names).visit(parse(expression)))))


def value_tree(row: Primitive, names: dict[str, str]) -> ast.expr:
    """The value of a row, its own name taken as a word where NumPy has it."""
    return tree(row.value, names)


class Writer:
    """Writes calls, with temporary arrays from a pool that is kept per shape.

    `declare(shape)` names a new array of a shape, `emit(line)` takes a line of the program.
    """

    def __init__(self, emit: Callable[[str], None], declare: Callable[[str, str], str]):
        self.emit, self.declare = emit, declare
        self.free: dict[tuple[str, str], list[str]] = {}
        self.kind: dict[str, tuple[str, str]] = {}

    def temporary(self, shape: str, dtype: str = "float") -> str:
        """The name of an array of this shape that nobody uses at the moment."""
        free = self.free.setdefault((shape, dtype), [])
        if free:
            return free.pop()
        name = self.declare(shape, dtype)
        self.kind[name] = (shape, dtype)
        return name

    def release(self, *names: str) -> None:
        """Give temporaries back; names of other arrays are ignored."""
        for name in names:
            if name in self.kind and name not in self.free[self.kind[name]]:
                self.free[self.kind[name]].append(name)

    @contextmanager
    def scratch(self, shape: str) -> Iterator[str]:
        """A temporary for the time of a block."""
        name = self.temporary(shape)
        yield name
        self.release(name)

    def write(self, expression: ast.expr, shape: str, out: str) -> None:
        """Emit the calls that compute an expression of arrays of a shape into `out`."""
        calls, [expression] = hoist([expression], prefix="_common")
        names = {}
        for name, call in calls.items():
            names[name] = self.temporary(shape)
            self._into(parse(call), shape, names[name])
        self._into(Rename(names).visit(expression), shape, out)
        self.release(*names.values())

    def _into(self, node: ast.expr, shape: str, out: str) -> None:
        name = self._compute(node, shape, out)
        if name != out:
            self.emit(f"np.copyto({out}, {name})")

    def _call(self, function: str, arguments: list[ast.expr], shape: str, out: str | None, dtype: str = "float") -> str:
        names = [self._compute(argument, shape, None) for argument in arguments]
        self.release(*names)
        target = out or self.temporary(shape, dtype)
        if function in DEFINITIONS:
            self.emit(f"{target}[...] = {function}({', '.join(names)})")
        else:
            self.emit(f"{function}({', '.join(names)}, out={target})")
        return target

    def _compute(self, node: ast.expr, shape: str, out: str | None) -> str:
        match node:
            case ast.Name() | ast.Constant() | ast.Attribute() | ast.Subscript():
                return ast.unparse(node)
            case ast.UnaryOp(ast.USub(), ast.Constant()):
                return ast.unparse(node)
            case ast.BinOp(base, ast.Pow(), ast.Constant(2.0)):
                return self._call("np.square", [base], shape, out)
            case ast.BinOp(base, ast.Pow(), ast.Constant(0.5)):
                return self._call("np.sqrt", [base], shape, out)
            case ast.BinOp(left, operator, right):
                return self._call(UFUNCS[type(operator)], [left, right], shape, out)
            case ast.UnaryOp(operator, operand):
                return self._call(UFUNCS[type(operator)], [operand], shape, out)
            case ast.Compare(left, [comparison], [right]):
                return self._call(UFUNCS[type(comparison)], [left, right], shape, None, "bool")
            case ast.Call(ast.Name("step"), [x]):
                return self._call("np.greater", [x, ast.Constant(0.0)], shape, out, "float" if out else "bool")
            case ast.Call(ast.Name(word), arguments):
                return self._call(WORDS[word], list(arguments), shape, out)
            case ast.IfExp(test, body, orelse):
                names = [self._compute(part, shape, None) for part in (test, body, orelse)]
                self.release(*names)
                target = out or self.temporary(shape)
                self.emit(f"{target}[...] = np.where({', '.join(names)})")
                return target
        raise AssertionError(ast.dump(node))
