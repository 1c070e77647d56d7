"""Write: the calls of a program as the text of a NumPy program, its arrays named after the labels in the graph.

The text defines `program`, which makes every array once and returns the two passes over them. Single numbers are plain
Python; what of them arrays read is stored in the buffers as well. Nothing reads the text but Python.
"""

from __future__ import annotations

import base64
import builtins
import inspect
import keyword
import math
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np

from autograd.compiler.kernels import Code, Kernel, Loop, flat
from autograd.compiler.terms import (
    REDUCTIONS,
    Buffer,
    Expression,
    Term,
    View,
    is_constant,
    is_scalar,
    numpy_name,
    row_major,
    shape_of,
    whole,
)
from autograd.core import floats
from autograd.core.table import ATOMS, TABLE, called


@dataclass
class Written:
    """The text of a program, without the large arrays that it names, and these.

    Attributes:
        first_input: the row of `vs` at which the inputs begin.
        rows: how many rows `vs` has.
        kernels: how many NumPy calls there are.
        functions: words that are functions of floats, which a declaration gave.
    """

    setup: list[str] = field(default_factory=list)
    forward: list[str] = field(default_factory=list)
    backward: list[str] = field(default_factory=list)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    head: list[str] = field(default_factory=list)
    saved: list[str] = field(default_factory=list)
    roots: str = ""
    first_input: int = 0
    rows: int = 0
    kernels: int = 0
    functions: list[str] = field(default_factory=list)


# What NumPy lacks, for the head of a program that needs it
DEFINITIONS = {
    "repeat": ["from itertools import repeat"],
    "finite": [
        "",
        "def finite(x):",
        '    """x; an error if it is infinite or not a number."""',
        "    if x - x != 0.0:",
        '        raise OverflowError("infinite or not a number")',
        "    return x",
        "",
    ],
    "usual": [
        "",
        "def usual(x):",
        '    """x; an error if it is so large that what is computed from it may be infinite."""',
        "    if not -1e60 <= x <= 1e60:",
        '        raise OverflowError("very large, infinite or not a number")',
        "    return x",
        "",
    ],
    "erfs": ["erfs = np.vectorize(math.erf, otypes=[float])"],
    "erfcs": ["erfcs = np.vectorize(math.erfc, otypes=[float])"],
    "products_of_others": [
        "",
        "def products_of_others(x, axis):",
        '    """For each element the product of all the others along an axis, by running products from both ends."""',
        "    x = np.moveaxis(x, axis, 0)",
        "    before, after = np.ones(x.shape), np.ones(x.shape)",
        "    np.multiply.accumulate(x[:-1], axis=0, out=before[1:])",
        "    np.multiply.accumulate(x[:0:-1], axis=0, out=after[-2::-1] if len(x) > 1 else after[:0])",
        "    return np.moveaxis(before * after, 0, axis)",
        "",
    ],
}
INFIX = {"add": ("+", 2), "subtract": ("-", 2), "multiply": ("*", 3), "divide": ("/", 3), "mod": ("%", 3),
         "greater": (">", 1), "greater_equal": (">=", 1), "less": ("<", 1), "less_equal": ("<=", 1), "equal": ("==", 1),
         "not_equal": ("!=", 1)}  # sign and how tightly it binds  # fmt: skip
RESERVED = (
    "v g vs gs e es np math base64 zlib examples forward backward program order values value_and_grad theta batch"
)


def written(code: Code) -> Written:
    """The text of a program whose kernels are single calls."""
    return Writer(code).write()


class Writer:
    """Writes the calls of a program."""

    def __init__(self, code: Code):
        self.code, self.written = code, Written(first_input=code.first_input, rows=code.values[1].size)
        self.names = {*RESERVED.split(), *ATOMS, *TABLE, "pow", *keyword.kwlist, *dir(builtins), *DEFINITIONS}
        self.numbered: dict[str, int] = {}
        self.buffers: dict[Buffer, str] = dict(zip((*code.values, *code.slopes), ("v", "vs", "g", "gs")))
        self.shapes: dict[Buffer, tuple[int, ...]] = {}  # of arrays that have one shape everywhere
        self.arrays: dict[str, str] = {}  # by their sources
        self.numbers: dict[View, str] = {}
        self.words: set[str] = set()
        self.unchecked = ""  # an array that may be infinite without NumPy's having said so
        self.lines: list[str] = []
        self.saved: dict[str, None] = {}
        self.has_loop = any(isinstance(item, Loop) for item in code.forward)
        self.lists: dict[str, str] = {}  # of the values that loops keep
        self.defined: set[str] = set()  # names that the forward pass gives to numbers
        self.owners: dict[str, tuple[bool, int]] = {}  # of names that are kept for arrays and their gradients
        self.group_names = [""] * len(code.names)
        for numbered in (False, True):  # labels come first
            for k, name in enumerate(code.names):
                if name and name.endswith("#") == numbered:
                    self.group_names[k] = self.group_name(name, k)
        self.find_stored()

    # Names

    def unique(self, name: str) -> str:
        """The name, or the name with a number that makes it new."""
        candidate = name
        while candidate in self.names:
            self.numbered[name] = self.numbered.get(name, 1) + 1
            candidate = f"{name}_{self.numbered[name]}"
        self.names.add(candidate)
        return candidate

    def group_name(self, name: str, k: int) -> str:
        """A name for an array: its own, or a kind of array, which is numbered."""
        if name.endswith("#"):
            base, n = name[:-1], self.numbered.get(name, 0) + 1
            while {f"{base}{n}", f"d{base}{n}"} & self.names:
                n += 1
            self.numbered[name] = n
            name = f"{base}{n}"
        name = self.unique(name if is_name(name) else "x")
        self.owners[name] = (False, k)
        if f"d{name}" not in self.names:
            self.names.add(f"d{name}")
            self.owners[f"d{name}"] = (True, k)
        return name

    def claimed(self, name: str, owner: tuple[bool, int] | None = None) -> str:
        """A name that is kept for this array, or a new one."""
        if owner and self.owners.get(name) == owner:
            del self.owners[name]
            return name
        return self.unique(name)

    def owner(self, view: View) -> tuple[bool, int] | None:
        """The array that a view is all of, or the first part of."""
        code = self.code
        if view.buffer not in (*code.values, *code.slopes):
            return None
        return view.buffer in code.slopes, int(code.regions[view.batched][view.start])

    def hint(self, view: View) -> str:
        """What a view of the buffers of values or gradients should be called."""
        buffer, last = view.buffer, view.stop - 1
        batched, d = buffer.batched, "d" * (buffer in self.code.slopes)
        k = int(self.code.regions[batched][view.start])
        if k >= 0:
            return d + self.group_names[k]
        name, other = (self.code.hint(batched, place) for place in (view.start, last))
        for is_batched, start, stop in self.code.ones:
            if is_batched == batched and start <= view.start < stop:
                k = int(self.code.regions[batched][last])
                return f"{d}ones_{self.group_names[k] if k >= 0 else other or 'x'}"
        if name and name != other and self.code.order and not batched:
            following = self.code.hint(batched, view.start + min(filter(None, view.strides), default=0))
            name = f"{name}_{other}" if other and other == following else ""  # weights after their bias
        elif name != other:
            name = ""
        if not is_name(name) or view.size == self.code.parameters > 1:
            name = ""
        return d + (name or ("theta" if view.start < self.code.parameters and not batched else "x"))

    # What is one number, and what of it arrays read

    def find_stored(self) -> None:
        """Find the places of numbers that arrays read or write."""
        (values, _), (slopes, _) = self.code.values, self.code.slopes
        self.array_reads, self.array_slopes = np.zeros(values.size, bool), np.zeros(slopes.size, bool)
        self.is_local = np.zeros(slopes.size, bool)
        seen = np.zeros(slopes.size, bool)
        touched = {values: self.array_reads, slopes: self.array_slopes}
        for kernel in (*flat(self.code.forward), *flat(self.code.backward)):
            for view in array_reads(kernel.term):
                if view.buffer in touched:
                    touched[view.buffer][view.places] = True
            if isinstance(kernel.term, Term) and kernel.term.op == "take":
                source = kernel.term.args[0].buffer
                touched.get(source, np.zeros(source.size, bool))[kernel.term.detail.data.ravel()] = True
            out = kernel.out
            if out.buffer is not slopes:
                continue
            if kernel.at is not None:
                self.array_slopes[kernel.at.data.ravel()] = True
            elif out.shape == ():
                if not seen[out.start]:
                    self.is_local[out.start] = not kernel.add
                seen[out.start] = True
            elif kernel.term != 0.0:
                self.array_slopes[out.places] = True
        self.is_local &= ~self.array_slopes

    def variable(self, view: View) -> str:
        """The name of one number."""
        if view not in self.numbers:
            code, buffer = self.code, view.buffer
            if buffer in (*code.values, *code.slopes):
                k = int(code.regions[0][view.start])
                d = "d" * (buffer in code.slopes)
                name = self.group_names[k] if k >= 0 else code.hint(False, view.start)
                is_one = code.regions[0][max(view.start - 1, 0) : view.start + 2].tolist().count(k) == 1
                if k >= 0 and not is_one:
                    name += f"_{view.start}"  # one element of an array
                name = d + (name if is_name(name) else f"p_{view.start}")
                self.numbers[view] = self.claimed(name, self.owner(view) if is_one else None)
            else:
                self.numbers[view] = self.unique(buffer.name)
        return self.numbers[view]

    def in_memory(self, view: View) -> bool:
        """Whether one number lies in a buffer alone."""
        return view.buffer is self.code.slopes[0] and not self.is_local[view.start]

    def number_name(self, view: View) -> str:
        """One number where it is read."""
        if view.buffer.data is not None:
            return literal(float(view.buffer.data.flat[view.start]))
        if self.in_memory(view):
            return f"g.item({view.start})"
        name = self.variable(view)
        if name not in self.defined:  # a leaf, or an element of an array
            item = f"v.item({view.start})"
            if self.has_loop and view.buffer is self.code.values[0]:
                self.words.add("usual")
                item = f"usual({item})"
            self.lines.append(f"{name} = {item}")
            self.defined.add(name)
        if self.is_backward and name in self.from_forward:
            self.saved[name] = None
        return name

    def expression(self, x: Expression, level: int = 0) -> str:
        """A term of single numbers as plain Python, in parentheses unless it binds tighter than `level`."""
        if isinstance(x, View):
            return self.number_name(x)
        if not isinstance(x, Term):
            text = literal(x)
            return f"({text})" if text[0] == "-" and level > 3 else text
        if x.op == "examples":
            return "examples"
        if x.op in REDUCTIONS:
            self.count += 1
            return f"float(np.{REDUCTIONS[x.op]}.reduce({self.matrix(x.args[0])}, axis=None))"
        if x.op == "indicator":
            return self.expression(x.args[0], level)
        if x.op == "product":
            self.count += 1
            return f"float({self.matrix(x.args[0])}.dot({self.matrix(x.args[1])}))"
        if x.op in INFIX:
            sign, own = INFIX[x.op]
            left, right = x.args
            text = f"{self.expression(left, own)} {sign} {self.expression(right, own + 1)}"
        elif x.op == "negative":
            own, text = 4, f"-{self.expression(x.args[0], 4)}"
        elif x.op == "square" and isinstance(x.args[0], View):
            own, text = 3, f"{self.expression(x.args[0], 3)} * {self.expression(x.args[0], 4)}"
        elif x.op == "square":
            return self.expression(Term("power", (*x.args, 2.0)), level)
        elif x.op == "where":
            test, yes, no = x.args
            own, text = 0, f"{self.expression(yes, 1)} if {self.expression(test, 1)} else {self.expression(no)}"
        elif x.op.startswith("logical"):
            own, text = 9, f"({' and '.join(self.expression(arg, 2) for arg in x.args)})"
            if x.op == "logical_not":
                text = f"(not {text})"
        else:
            name = next((word for word in ATOMS if numpy_name(word) == x.op), x.op) if x.op != "power" else "pow"
            self.words.add(name)
            own, text = 9, f"{name}({', '.join(map(self.expression, x.args))})"
        return f"({text})" if own < level else text

    # Arrays

    def array(self, source: str, hint: str, owner: tuple[bool, int] | None = None) -> str:
        """The name of an array whose source is given; equal sources are one array."""
        if source not in self.arrays:
            self.arrays[source] = self.claimed(hint, owner)
            self.written.setup.append(f"{self.arrays[source]} = {source}")
        return self.arrays[source]

    def declared(self, buffer: Buffer, shape: tuple[int, ...]) -> str:
        """The name of an array of its own, declared in a shape."""
        if buffer not in self.buffers:
            self.buffers[buffer] = name = self.unique(buffer.name)
            dtype = ", bool" if buffer.dtype == "bool" else ""
            if buffer.data is None:
                self.shapes[buffer] = shape
                self.written.setup.append(f"{name} = np.empty({dimensions(shape, buffer.batched)}{dtype})")
            elif name.startswith(("ones", "factors")) and (buffer.batched or buffer.data.ndim == 1):
                self.shapes[buffer] = buffer.data.shape
                n, x = "examples" if buffer.batched else str(buffer.size), float(buffer.data.flat[0])
                self.written.setup.append(f"{name} = {f'np.ones({n})' if x == 1.0 else f'np.full({n}, {x!r})'}")
            else:
                self.shapes[buffer] = buffer.data.shape
                self.written.arrays[name] = buffer.data
        return self.buffers[buffer]

    def view(self, view: View, dense: bool = False) -> str:
        """The name of a view. Axes of step 0 have length 1 in it; those that lead are left out unless it is `dense`."""
        buffer = view.buffer
        steps = list(view.strides)
        lead = 0 if dense else next((k for k, step in enumerate(steps) if step), len(steps))
        index = [":" if step else "None" for step in steps[lead:]]
        axes = [(n, step) for n, step in zip(view.shape, view.strides) if step]
        if buffer in (*self.code.values, *self.code.slopes):
            if axes == [(buffer.size, 1)] and index == [":"]:
                return self.buffers[buffer]
            source, hint = strided(self.buffers[buffer], buffer, view.start, axes), self.hint(view)
        else:
            own = view.is_whole and view.size == buffer.size
            name = hint = self.declared(buffer, view.shape if own else (buffer.size,))
            declared = self.shapes[buffer]
            trimmed = view.shape[lead:]
            if buffer.batched and buffer.data is not None:  # ones for all examples
                return name
            if own and trimmed == declared:
                return name
            rows = len(declared) == 1
            source = name if rows else f"{name}.reshape({buffer.size}{', examples' * buffer.batched})"
            source = strided(source, buffer, view.start, axes)
        if "None" in index:
            while index[-1] == ":":
                index.pop()
            source += f"[{', '.join(index)}]"
            hint = f"{hint}_"
        return self.array(source, hint, self.owner(view))

    def elements(self, x: Expression, batched: bool, rank: int) -> str:
        """An operand of an elementwise call."""
        if not isinstance(x, View):
            return self.constant(x) if is_constant(x) else self.expression(x)
        if is_scalar(x):
            if x.buffer.data is not None or (self.in_memory(x) and not self.array_slopes[x.start]):
                return self.number_name(x)
            if x.buffer is self.code.values[0] and self.variable(x) not in self.defined:
                return self.view(x)
            return self.number_name(x)
        name = self.view(x)
        if batched and not x.batched:
            return self.array(f"{name}[..., None]", f"{name}_")
        return name

    def constant(self, x: Expression) -> str:
        """A number as an array without axes, which NumPy takes up sooner than a float."""
        name = re.sub(r"\W", "_", f"{x:g}".replace("-", "minus_", x < 0)) if isinstance(x, float) else "share"
        return self.array(f"np.array({self.expression(x)})", f"c_{name}" if name[0].isdigit() else name)

    def filled(self, x: float, like: View) -> str:
        """An array full of a number, in the shape of another."""
        lead = next((k for k, step in enumerate(like.strides) if step), len(like.shape))  # as in `view`
        sizes, text = dimensions(shape_of(like)[0][lead:], like.batched), literal(x)
        return (
            self.array(f"np.full({sizes}, {text})", "full")
            if text != "0.0"
            else self.array(f"np.zeros({sizes})", "zeros")
        )

    def matrix(self, x: Any) -> str:
        """An operand of a product or reduction, in its full shape."""
        if all(step or n == 1 for n, step in zip(x.shape, x.strides)):
            return self.view(x, dense=True)
        return self.full(x)

    def full(self, x: View) -> str:
        """An array in its full shape, where one value serves many."""
        name = self.view(x, dense=True)
        return self.array(f"np.broadcast_to({name}, {dimensions(x.shape, x.batched)})", f"{name}_")

    # Calls

    def array_call(self, kernel: Kernel) -> str:
        """The line of one call."""
        out, term = kernel.out, kernel.term
        self.count += 1
        dense = isinstance(term, Term) and term.op in ("take", "product", "others", *REDUCTIONS)
        target = self.view(out, dense)
        batched, rank = out.batched, len(out.shape)
        if kernel.at is not None:
            return self.scatter(kernel, target)
        if term == 0.0 and not isinstance(term, Term):
            return f"{target}.fill(0.0)"
        if not isinstance(term, Term) or is_scalar(term):
            return f"{target}[...] = {self.elements(term, batched, rank)}"
        if term.op == "take":
            axis = ", axis=0" if batched else ""
            source = self.view(whole(term.args[0].buffer))
            return f"{source}.take({self.declared(term.detail, ())}{axis}, out={target}, mode='clip')"
        if term.op == "product":
            return self.product(term, out)
        if term.op in REDUCTIONS:
            rank = len(term.args[0].shape) + term.args[0].batched
            axes = tuple(rank - 1 if axis == "e" else axis for axis in term.detail)
            text = str(axes[0]) if len(axes) == 1 else str(axes)
            return f"np.{REDUCTIONS[term.op]}.reduce({self.matrix(term.args[0])}, axis={text}, out={target})"
        if term.op == "indicator":  # as an array of floats it multiplies in half the time
            [test] = term.args
            left, right = [self.elements(x, batched, rank) for x in test.args]
            return f"{target}[...] = {left} {INFIX[test.op][0]} {right}"
        if term.op == "others":
            self.words.add("products_of_others")
            return f"{target}[...] = products_of_others({self.matrix(term.args[0])}, {term.detail})"
        if term.op in ("maximum", "minimum"):  # quick between arrays alone
            args = [self.filled(x, out) if isinstance(x, float) else self.elements(x, batched, rank) for x in term.args]
        else:
            args = [self.elements(x, batched, rank) for x in term.args]
        args = ", ".join(args)
        if term.op in ("erf", "erfc"):
            self.words.add(f"{term.op}s")
            return f"{target}[...] = {term.op}s({args})"
        if term.op == "where":
            return f"{target}[...] = np.where({args})"
        if term.op == "sign":  # of NumPy's, a zero has no sign
            self.count += 1
            return f"np.copysign(np.sign({args}), {args}, out={target})"
        if term.op == "step":
            return f"np.heaviside({args}, 0.0, out={target})"
        if not hasattr(np, term.op):  # a function of floats
            self.written.functions.append(term.op)
            return f"{target}[...] = {term.op}_each({args})"
        mask = f", where={self.elements(kernel.mask, batched, rank)}" if kernel.mask is not None else ""
        return f"np.{term.op}({args}, out={target}{mask})"

    def scatter(self, kernel: Kernel, target: str) -> str:
        """Values added to places that may repeat."""
        assert kernel.at is not None
        index = self.declared(kernel.at, ())
        values: Any = kernel.term
        if not kernel.add:  # each to a place of its own
            return f"{target}[{index}] = {self.matrix(values)}"
        if not kernel.out.batched:
            places = index if kernel.at.data.ndim == 1 else self.array(f"{index}.ravel()", f"{index}_")
            return f"np.add.at(g, {places}, {self.view(whole(values.buffer, (values.size,), values.start))})"
        places = self.array(f"({index}[..., None] * examples + np.arange(examples)).ravel()", "places")
        return f"np.add.at(gs.ravel(), {places}, {self.matrix(values)}.ravel())"

    def product(self, term: Term, out: View) -> str:
        """The quickest call for a sum of products."""
        (x, y), (a, b, c) = term.args, term.detail
        X, Y, target = self.matrix(x), self.matrix(y), self.view(out, dense=True)
        shared = [letter for letter in a if letter in b]
        summed = [letter for letter in shared if letter not in c]
        if len(shared) == len(summed) == 1 and len(a) <= 2 and len(b) <= 2:
            turned = View(out.buffer, out.start, out.shape[::-1], out.strides[::-1])
            if turned.is_whole and not out.is_whole:
                return self.product(Term("product", term.args, (a, b, c[::-1])), turned)
            s = summed[0]
            ways = [
                ((p[-1] != s, left), (q[0] != s, right))
                for (left, right), (p, q) in (((X, Y), (a, b)), ((Y, X), (b, a)))
                if p.replace(s, "") + q.replace(s, "") == c
            ]
            way = min(ways, key=lambda way: way[0][0] + way[1][0])
            left, right = [self.array(f"{x}.T", f"{x}_T") if is_turned else x for is_turned, x in way]
            return dotted(left, right, target) if out.is_whole else f"np.matmul({left}, {right}, out={target})"
        if not shared and len(a) == len(b) == 1 and out.is_whole:
            left, right = self.axes(X, a, c), self.axes(Y, b, c)
            return dotted(left, right, target) if c == a + b else dotted(right, left, target)
        if not summed and ordered(a, c) and ordered(b, c):
            return f"np.multiply({self.axes(X, a, c)}, {self.axes(Y, b, c)}, out={target})"
        if len(summed) == 1:
            s = summed[0]
            if a == c + s and ordered(b, a):
                return f"np.vecdot({X}, {self.axes(Y, b, a)}, out={target})"
            if b == c + s and ordered(a, b):
                return f"np.vecdot({Y}, {self.axes(X, a, b)}, out={target})"
            if a[:1] == b[:1] == c[:1] != s and len(shared) == 2 and len(b) == 3 and len(a) <= 3:
                if len(a) == 2:  # a row for each matrix of a stack
                    right = Y if b[1] == s else self.turned(Y)
                    left, target = self.axes(X, a, f"{a[0]}?{s}"), self.axes(target, c, f"{c[0]}?{c[1:]}")
                    return f"np.matmul({left}, {right}, out={target})"
                for (left, right), (p, q) in (((X, Y), (a, b)), ((Y, X), (b, a))):
                    if p.replace(s, "") + q[1:].replace(s, "") == c:
                        left = left if p[2] == s else self.turned(left)
                        right = right if q[1] == s else self.turned(right)
                        return f"np.matmul({left}, {right}, out={target})"
        self.unchecked = target
        return f"np.einsum('{a},{b}->{c}', {X}, {Y}, out={target})"

    def turned(self, name: str) -> str:
        """A stack of matrices, each transposed."""
        return self.array(f"{name}.swapaxes(1, 2)", f"{name}_T")

    def axes(self, name: str, letters: str, wanted: str) -> str:
        """An array with an axis of length 1 for each letter that it lacks."""
        index = [":" if letter in letters else "None" for letter in wanted]
        if "None" not in index:
            return name
        while index[-1] == ":":
            index.pop()
        return self.array(f"{name}[{', '.join(index)}]", f"{name}_")

    # The passes

    def write(self) -> Written:
        """The whole program."""
        self.allocate()
        written = self.written
        self.is_backward, self.from_forward, self.count = False, set(), 0
        self.lines = written.forward
        self.kernels(self.code.forward)
        roots = [self.view(root) if root.batched else self.expression(root) for root in self.code.roots]
        written.roots = roots[0] if len(roots) == 1 else f"({', '.join(roots)})"
        self.is_backward, self.from_forward = True, set(self.defined)
        self.lines = written.backward
        self.kernels(self.code.backward)
        for place in np.flatnonzero(self.is_local[: self.code.parameters]).tolist():
            name = self.variable(View(self.code.slopes[0], place))
            if name in self.defined:
                self.lines.append(f"g[{place}] = {name}")
        written.kernels = self.count
        written.saved = sorted(self.saved)
        written.head = head(self.words)
        written.functions += [word for word in self.words if word in ATOMS and callable(ATOMS[word].floats)]
        if self.code.order:
            written.arrays["order"] = np.array(self.code.order)
        return written

    def kernels(self, kernels: Iterable[Kernel | Loop]) -> None:
        """The lines of calls, in order."""
        for kernel in kernels:
            if isinstance(kernel, Loop):
                self.loop(kernel)
            elif kernel.at is not None or kernel.out.shape or kernel.out.batched:
                self.lines.append(self.array_call(kernel))
                if self.unchecked:  # einsum does not say when it overflows
                    self.lines.append(f"finite(float(np.sum({self.unchecked} * 0.0)))")
                    self.words.add("finite")
                    self.unchecked = ""
            else:
                self.number_line(kernel)

    def loop(self, loop: Loop) -> None:
        """The lines of a loop, which keeps values on the way forth and takes them up again on the way back."""
        for kernel in loop.kernels:  # leaves have their names before it
            for view in kernel.reads:
                if view.buffer is self.code.values[0] and self.code.regions[0][view.start] < 0:
                    self.number_name(view)
        for now, before in loop.before:
            slope = View(self.code.slopes[0], before.start)
            if before not in self.numbers:
                self.numbers[before] = self.unique(f"{self.variable(now)}_before")
                self.numbers[slope] = self.unique(f"d{self.numbers[before]}")
        keeps = [(self.variable(now), self.variable(before)) for now, before in loop.kept]
        keeps += [(self.variable(view), self.variable(view)) for view in loop.saved]
        lists = [self.lists.setdefault(name, self.unique(f"{name}_kept")) for name, _ in keeps]
        n, head = len(loop.kept), f"for _ in repeat(None, {loop.count}):"  # range would make a number for every round
        self.words.add("repeat")
        outer, self.lines = self.lines, []
        words, self.words = self.words, set()
        own = {kernel.out for kernel in loop.kernels} | set(loop.saved)
        self.defined |= {self.variable(view) for view in chain(own, chain(*loop.before)) if not self.in_memory(view)}
        if loop.back and lists:
            names, sources = [name for _, name in keeps], [f"reversed({kept})" for kept in lists]
            over = ", ".join(sources)
            head = f"for {', '.join(names)} in {over if len(sources) == 1 else f'zip({over})'}:"
            self.saved |= dict.fromkeys(lists)
            self.saved |= {self.variable(now): None for now, _ in loop.kept}
            self.from_forward -= {self.variable(view) for view in loop.saved}
            self.from_forward -= {self.variable(before) for _, before in loop.before}
            self.kernels(loop.kernels)
            body = [*self.lines, *(f"{name} = {before}" for name, before in keeps[:n])]
        else:
            outer += [f"{kept} = []" for kept in lists]
            self.kernels(loop.kernels)
            body = [f"{kept}.append({name})" for kept, (name, _) in zip(lists, keeps)]
            body = [*body[:n], *self.lines, *body[n:]]
        self.lines = outer
        self.lines += [head, *(f"    {line}" for line in body or ["pass"])]
        local = {word for word in self.words & set(ATOMS) if ATOMS[word].floats == f"math.{word}"}
        lines = [f"{word} = math.{word}" for word in sorted(local)]
        self.lines[:0] = [line for line in lines if line not in self.lines]  # found sooner than what is global
        self.words = words | (self.words - local)

    def number_line(self, kernel: Kernel) -> None:
        """The line that computes one number."""
        out = kernel.out
        if isinstance(kernel.term, Term) and kernel.term.op == "nonzero":
            [x] = kernel.term.args
            all_of = self.expression(x, 1) if is_scalar(x) else f"{self.view(x)}.all()"
            self.lines.append(f"if not {all_of}: raise ArithmeticError  # of a zero the scalars know the sign")
            return
        text = self.expression(kernel.term)
        if self.in_memory(out):
            self.lines.append(f"g[{out.start}] {'+=' if kernel.add else '='} {text}")
            return
        name = self.variable(out)
        self.lines.append(f"{name} {'+=' if kernel.add else '='} {text}")
        self.defined.add(name)
        if out.buffer is self.code.values[0] and self.array_reads[out.start]:
            self.lines.append(f"v[{out.start}] = {name}")

    def allocate(self) -> None:
        """The lines that make the buffers."""
        code, setup = self.code, self.written.setup
        single, batched = (buffer.size for buffer in code.values)
        setup += [
            "# single values and their gradients; those that differ by example, a row each",
            f"v, g = np.zeros({single}), np.zeros({single})",
            f"vs, gs = np.zeros(({batched}, examples)), np.zeros(({batched}, examples))",
        ]
        if code.constants:
            places, values = list(code.constants), ", ".join(map(literal, code.constants.values()))
            run = places == list(range(places[0], places[0] + len(places)))
            where = f"{places[0]} : {places[-1] + 1}" if run else str(places)
            setup.append(f"v[{where}] = [{values}]  # constants")
        for is_batched, start, stop in code.ones:
            row = f"{start} : {stop}" if stop > start + 1 else start
            setup.append(f"{'vs' if is_batched else 'v'}[{row}] = 1.0  # what the biases are multiplied with")
        if len(code.others):
            start, name = code.parameters, self.unique("leaves")
            self.written.arrays[name] = np.array(code.others)
            setup.append(f"v[{start} : {start + len(code.others)}] = {name}  # the other leaves")
        setup.append("# the same as arrays, and arrays for results in between")


def dotted(left: str, right: str, target: str) -> str:
    """The product of two matrices or vectors: the method is half as long on its way to BLAS as `np.dot` is."""
    return f"{left}.dot({right}, out={target})"


def array_reads(x: Expression) -> Iterable[View]:
    """The views that a call reads as arrays, not as one number."""
    if isinstance(x, View):
        if x.shape:
            yield x
    elif isinstance(x, Term):
        for arg in x.args:
            if x.op == "take":
                continue
            yield from array_reads(arg)


def is_name(text: str) -> bool:
    """Whether a text can be a name, whose characters all look as they are."""
    return text.isascii() and text.isidentifier()


def ordered(letters: str, among: str) -> bool:
    """Whether letters come in the same order as among others."""
    places = [among.find(letter) for letter in letters]
    return min(places, default=0) >= 0 and places == sorted(places)


def literal(x: float) -> str:
    """A number as source."""
    return repr(x) if math.isfinite(x) else "math.nan" if x != x else "math.inf" if x > 0 else "-math.inf"


def listed(x: Any) -> str:
    """Nested lists of numbers as source."""
    return f"[{', '.join(map(listed, x))}]" if isinstance(x, list) else literal(x) if isinstance(x, float) else repr(x)


def array_literal(array: np.ndarray) -> str:
    """A constant array as source: written out while it is short, else packed."""
    if array.size <= 64:
        return f"np.array({listed(array.tolist())})"
    dtype = "float64" if array.dtype.kind == "f" else "int32"
    packed = base64.b85encode(zlib.compress(array.astype(dtype).tobytes())).decode()
    return f"np.frombuffer(zlib.decompress(base64.b85decode({packed!r})), {dtype!r}).reshape({array.shape})"


def dimensions(shape: tuple[int, ...], batched: bool) -> str:
    """Source for the shape of an array."""
    sizes = [*map(str, shape), *["examples"] * batched]
    return f"({', '.join(sizes)}{',' * (len(sizes) == 1)})"


def strided(name: str, buffer: Buffer, start: int, axes: list[tuple[int, int]]) -> str:
    """The source of a strided view of a flat array."""
    examples = ["examples"] if buffer.batched else []
    match axes:
        case []:
            return f"{name}[{start}]" if buffer.batched else f"{name}[{start} : {start + 1}].reshape(())"
        case [(n, 1)]:
            return f"{name}[{start} : {start + n}]"
        case [(n, step)] if step > 0:
            return f"{name}[{start} : {start + (n - 1) * step + 1} : {step}]"
        case [(m, row), (n, 1)] if row >= n and start + m * row <= buffer.size:
            source = f"{name}[{start} : {start + m * row}].reshape({', '.join([str(m), str(row), *examples])})"
            return source if row == n else f"{source}[:, :{n}]"
        case [(n, 1), (m, row)] if row >= n and start + m * row <= buffer.size:
            return f"{strided(name, buffer, start, [(m, row), (n, 1)])}.swapaxes(0, 1)"
    shape = tuple(n for n, _ in axes)
    if tuple(step for _, step in axes) == row_major(shape):
        sizes = ", ".join([*map(str, shape), *examples])
        return f"{name}[{start} : {start + math.prod(shape)}].reshape({sizes})"
    steps = [f"{step} * {name}.strides[0]" for _, step in axes] + [f"{name}.strides[1]"] * buffer.batched
    return (
        f"np.lib.stride_tricks.as_strided({name}[{start}:], {dimensions(shape, buffer.batched)}, ({', '.join(steps)},))"
    )


def head(words: set[str]) -> list[str]:
    """Definitions of the words that a program uses beyond NumPy's, for the head of its source."""
    lines = [line for word, definition in DEFINITIONS.items() if word in words for line in definition]
    needed = words | {"floor"} if words & {"ceil", "trunc"} else words
    for word in sorted(needed - set(DEFINITIONS)):
        meaning = "math.pow" if word == "pow" else called(word, "floats")
        if callable(meaning):
            lines.append(f"# {word} is a function that was declared")
        elif meaning.startswith("math."):
            lines.append(f"{word} = {meaning}")
        elif meaning.isidentifier():
            lines += ["", "", *inspect.getsource(getattr(floats, word)).splitlines()]
        else:
            operands = ", ".join(TABLE[word].operands)
            lines += ["", "", f"def {word}({operands}):", f"    return {meaning}"]
    return lines
