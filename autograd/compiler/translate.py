"""Translate: a program as the text of one function of arrays, for JAX or for PyTorch, as a person would write it.

Every array of the layout becomes a line. What a line reads is found by its places among the results before it: one of
them, a part of one by slices, reshapes and transpositions, several put together; a gather only where nothing else will
do. The host differentiates. Where its rule may be another one than the table's, at a kink or far from 0, the row comes
with its partials.
"""

from __future__ import annotations

import builtins
import itertools
import keyword
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from autograd.compiler.kernels import Kernels, Operation
from autograd.compiler.repeats import Reading, Repeat, gaps
from autograd.compiler.roll import Read
from autograd.compiler.terms import (
    COMPARISONS,
    WORDS,
    Buffer,
    Expression,
    Number,
    Shape,
    Term,
    View,
    Words,
    broadcast,
    numpy_name,
    row_major,
    shape_of,
    term_of,
    views,
)
from autograd.compiler.write import INFIX, array_literal, is_name, literal
from autograd.core.table import ATOMS, PRIME, TABLE, evaluate

PARTS = 8  # arrays that are put together without an index
RESERVED = frozenset(
    "theta batch e jax jnp np torch array row log_sum_exp cost values base64 math zlib carry xs".split()
)

# Rows whose derivative in JAX and PyTorch is that of the table wherever there is one; but for `own` ones of a host
SHARED = frozenset(
    "exp log log1p log2 log10 exp2 sqrt sin cos tan atan sinh cosh tanh asinh erf erfc abs sign floor ceil trunc "
    "maximum minimum relu sigmoid".split()
)
ARITHMETIC = {"add": "add", "sub": "subtract", "mul": "multiply", "div": "divide", "pow": "power", "neg": "negative"}


@dataclass(frozen=True)
class Host:
    """How a host writes what differs.

    Attributes:
        module: where its functions are that have NumPy's names, and `names` of those that have others.
        head: the imports.
        helpers: functions that it lacks; `row` makes one of a row and its partials.
        forms: pieces of text with operands in them.
        prepared: the first lines of the function.
        tensors: functions that take no plain numbers.
        own: shared rows that have another derivative here at a kink.
        most: lines and gathered parts that it can take; more of them would be a `burden`.
    """

    name: str
    module: str
    head: str
    helpers: dict[str, str]
    names: dict[str, str]
    forms: dict[str, str]
    prepared: tuple[str, ...] = ()
    tensors: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    most: int = 400
    burden: str = ""


# Rows as text -------------------------------------------------------------------------------------------------------


class Calls(Words):
    """What the words of the table mean in the text of a host: atoms are its functions, other rows calls of theirs."""

    def __missing__(self, name: str) -> Callable[..., Any]:
        of_terms = super().__missing__(name)
        if name in ATOMS or PRIME in name:
            return of_terms
        row = TABLE[name]

        def called(*args: Any) -> Any:
            if not any(isinstance(x, Number) for x in args):
                return of_terms(*args)
            given = {**row.defaults, **dict(zip(row.operands, args))}
            return Number(elementwise(name, [term_of(given[x]) for x in row.operands]))

        return called


CALLS = Calls(WORDS)


def elementwise(op: str, operands: Sequence[Expression]) -> Expression:
    """A row of the table on its operands, by operators and functions that the hosts have, or as a call of the row."""
    if op in ARITHMETIC and not (op == "pow" and isinstance(operands[1], (Term, View))):
        return Term(ARITHMETIC[op], tuple(operands))
    if op == "where":
        return Term("where", (Term("greater", (operands[0], 0.0)), *operands[1:]))
    if op in SHARED:
        return Term(numpy_name(op) if op in ATOMS else op, tuple(operands))
    return Term("call", tuple(operands), op)


def found_shape(x: Expression) -> Shape:
    """The shape of the text of elementwise operations, in which an array of one number is a number."""
    if isinstance(x, View):
        return shape_of(x) if any(x.strides) else ((), x.batched)
    return broadcast(list(map(found_shape, x.args))) if isinstance(x, Term) else ((), False)


# Places -------------------------------------------------------------------------------------------------------------


@dataclass
class Affine:
    """Places `start + i * strides[0] + ...`; along axes of length 1 the stride is 0."""

    start: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def affine(at: np.ndarray) -> Affine | None:
    """Places as start and strides, if that is what they are."""
    start, strides = int(at.flat[0]), []
    expected = np.full(at.shape, start)
    for axis, n in enumerate(at.shape):
        step = int(at.take(1, axis).flat[0]) - start if n > 1 else 0
        expected += step * np.arange(n).reshape([-1 if k == axis else 1 for k in range(at.ndim)])
        strides.append(step)
    return Affine(start, at.shape, tuple(strides)) if np.array_equal(expected, at) else None


def cuts(owner: np.ndarray, index: np.ndarray, axis: int) -> list[int]:
    """Where along an axis parts begin that do not go on as those before, `[0, ..., n]`; too many of them are cut."""
    n = owner.shape[axis]
    own, flat = (np.moveaxis(x, axis, 0).reshape(n, -1) for x in (owner, index))
    ends, step = [0], None
    for k in range(n - 1):
        is_constant, steps = (own[k] < 0).all(), flat[k + 1] - flat[k]
        goes_on = (own[k] == own[k + 1]).all() and (is_constant or (steps == steps[0]).all())
        new = 0 if is_constant else int(steps[0])
        if goes_on and step in (None, new):
            step = new
        else:
            ends.append(k + 1)
            step = None
        if len(ends) > PARTS + 1:
            break
    return [*ends, n]


def sliced(start: int, n: int, step: int, length: int) -> str:
    """`start:stop:step` of an axis of some length."""
    stop = start + (n - 1) * step + 1
    text = f"{start or ''}:{'' if stop == length else stop}"
    return text if step == 1 else f"{text}:{step}"


def tupled(names: list[str]) -> str:
    """The text of a tuple."""
    return f"({', '.join(names)}{',' * (len(names) == 1)})"


def bracketed(text: str, index: list[str]) -> str:
    """An array with an index, without what stands for whole axes at its end."""
    while index and index[-1] == ":":
        index.pop()
    return f"{text}[{', '.join(index)}]" if index else text


# The text -----------------------------------------------------------------------------------------------------------


@dataclass
class Result:
    """An array that the text names.

    Attributes:
        given: whether it is the parameters or the inputs, whose parts get names.
    """

    name: str
    shape: tuple[int, ...]
    given: bool = False


@dataclass
class Translation:
    """The text of a function, and the constants that it names.

    Attributes:
        data: of the inputs, for calls without a batch.
        repeats: the operations that are loops.
        lines: of each its name and its text.
        owner: of each place in the buffers of single and per-example values the number of the result that has it, and
            `index` where in that it is; for a constant -1, and where in `fixed` its value is.
        parts: names of what is read of the parameters and inputs.
        functions: names of functions that are made of rows, and `definitions` their text.
    """

    kernels: Kernels
    host: Host
    data: list[float]
    repeats: list[Repeat]
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    lines: list[tuple[str, str]] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    parts: dict[tuple, str] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)
    definitions: list[str] = field(default_factory=list)
    helpers: dict[str, None] = field(default_factory=dict)  # that are called
    gathered_parts: int = 0  # how many parts are read by an index
    is_given: bool = False  # whether the line that is being written reads nothing but constants
    operands: dict[Buffer, str] = field(default_factory=dict)  # of the row that is being written

    def __post_init__(self) -> None:
        self.code = code = self.kernels.code
        self.taken = {*RESERVED, *keyword.kwlist, *dir(builtins)}
        self.labels = {name for name in code.names if not name.endswith("#")}
        self.owner = [np.full(buffer.size, -1) for buffer in code.values]
        self.index = [np.arange(buffer.size) for buffer in code.values]
        self.copies = {kernel.out.buffer: kernel.term for kernel in code.forward}
        n, m = code.parameters, code.inputs
        self.fixed = np.full(code.values[0].size, np.nan)
        self.fixed[n : n + len(code.others)] = code.others
        self.fixed[list(code.constants)] = list(code.constants.values())
        if n:
            self.result(Result("theta", (n,), given=True), False, range(n))
        if m:
            example = self.form("array", self.constant(np.array([self.data]), "example"))
            self.lines.append(("batch", f"{example} if batch is None else batch"))
            self.result(Result("batch.T", (m,), given=True), True, range(code.first_input, code.first_input + m))
        operations = self.kernels.operations
        for apart, found in gaps(self.repeats, len(operations)):
            for k in apart:
                self.lines.append(self.line(k, operations[k]))
            if found:
                self.loop(found)
        self.lines.append(("", f"return {self.returned()}"))

    # Names

    def form(self, name: str, *parts: Any) -> str:
        """A piece of text as the host has it."""
        return self.host.forms[name].format(*parts)

    def unique(self, name: str) -> str:
        """A name that nothing else has; `z#` is a kind of array, which is numbered, but for what has that label."""
        is_kind, base = name.endswith("#"), name.rstrip("#")
        base = base if is_name(base) else "x"
        numbered = (f"{base}{n}" if is_kind else f"{base}_{n}" for n in itertools.count(1 if is_kind else 2))
        names = itertools.chain([] if is_kind else [base], (name for name in numbered if name not in self.labels))
        name = next(name for name in names if name not in self.taken)
        self.taken.add(name)
        return name

    def constant(self, x: np.ndarray, name: str = "given") -> str:
        """The name of a constant array."""
        for known, y in self.constants.items():
            if y.shape == x.shape and y.dtype == x.dtype and np.array_equal(x, y, equal_nan=x.dtype.kind == "f"):
                return known
        name = self.unique(name)
        self.constants[name] = x
        return name

    def result(self, result: Result, batched: bool, places: Any) -> None:
        """Take note of an array, whose elements have these places."""
        self.owner[batched][places] = len(self.results)
        self.index[batched][places] = np.arange(len(places))
        self.results.append(result)

    def hint(self, batched: bool, places: np.ndarray) -> str:
        """The name that the labels of some leaves share."""
        hints = {self.code.hint(batched, place) for place in places.ravel()[[0, -1]].tolist()}
        return hints.pop() if len(hints) == 1 else ""

    # Reading: the text of an array by its places, of the same shape; behind that come the examples

    def view(self, view: View, full: bool = False) -> str:
        """A view; axes along which one value serves many have length 1, unless it is `full`."""
        if view.buffer in self.operands:
            return self.operands[view.buffer]
        at = np.array(view.start, np.int64)
        for n, step in zip(view.shape, view.strides):
            at = at[..., None] + step * np.arange(n if step or full else 1, dtype=np.int64)
        if at.size == 1 and not full:
            at = at.reshape(())
        if view.buffer.data is not None:
            return self.known(np.asarray(view.buffer.data).ravel()[at])
        copied = self.copies.get(view.buffer) if view.buffer not in self.code.values else None
        if isinstance(copied, Term):  # a copy of values that lie anywhere
            at = copied.detail.data.ravel()[at]
        elif isinstance(copied, View):  # one in which equal elements are there as often as they count
            whole = copied.start + sum(step * axis for step, axis in zip(copied.strides, np.indices(copied.shape)))
            at = np.asarray(whole).ravel()[at]
        return self.array(at, view.batched)

    def known(self, x: np.ndarray, name: str = "given") -> str:
        """A constant."""
        return self.form("array", self.constant(x, name)) if x.ndim else self.number(float(x))

    def number(self, x: float) -> str:
        """A number; an array of the host where a line would have none, as it is Python's then."""
        text = literal(x).replace("math.", "np.")
        return self.form("number", text) if self.is_given else text

    def array(self, at: np.ndarray, batched: bool) -> str:
        """The values at some places; a part of the parameters or of the inputs gets a line of its own."""
        owner, index = self.owner[batched][at], self.index[batched][at]
        first = int(owner.flat[0])
        text = self.composed(owner, index, batched) or self.gathered(owner, index, batched)
        if first < 0 or not self.results[first].given or (owner != first).any() or text == self.results[first].name:
            return text
        key = (batched, at.shape, at.tobytes())
        if key not in self.parts:
            self.parts[key] = self.unique(self.hint(batched, at) or ("x" if batched else "w"))
            self.lines.append((self.parts[key], text))
        return self.parts[key]

    def composed(self, owner: np.ndarray, index: np.ndarray, batched: bool, most: int = PARTS) -> str:
        """Parts of results, put together along an axis; empty if these are more than `most`."""
        first = int(owner.flat[0])
        if (owner < 0).all():
            return self.known(self.fixed[index], self.hint(False, index) or "given")
        for axis, n in enumerate(owner.shape):
            if n > 1 and (index == index.take([0], axis)).all() and (owner == owner.take([0], axis)).all():
                text = self.composed(owner.take([0], axis), index.take([0], axis), batched, most)
                return text and self.broadcast(text, owner.shape, batched)
        found = affine(index) if (owner == first).all() else None
        text = self.part(self.results[first], found, batched) if found else ""
        if text:
            return text
        candidates = [(ends, axis) for axis in range(owner.ndim) if len(ends := cuts(owner, index, axis)) > 2]
        ends, axis = min(candidates, key=lambda candidate: len(candidate[0]), default=([], 0))
        if not 2 < len(ends) <= most + 1:
            return ""
        most //= len(ends) - 1
        ranges = [range(*pair) for pair in itertools.pairwise(ends)]
        parts = [self.composed(owner.take(r, axis), index.take(r, axis), batched, most) for r in ranges]
        if not all(parts):
            return ""
        return self.form("concatenate", ", ".join(parts), self.form("axis", axis) if axis else "")

    def gathered(self, owner: np.ndarray, index: np.ndarray, batched: bool) -> str:
        """Parts of results by an index."""
        parts, at, length = [], np.zeros(owner.shape, np.int64), 0
        for k in dict.fromkeys(owner.ravel().tolist()):
            mine = owner == k
            used = np.unique(index[mine])
            if k >= 0:
                used = np.arange(used[0], used[-1] + 1)
            parts.append(self.composed(np.full(len(used), k), used, batched))
            at[mine] = np.searchsorted(used, index[mine]) + length
            length += len(used)
        self.gathered_parts += len(parts)
        text = parts[0] if len(parts) == 1 else self.form("concatenate", ", ".join(parts), "")
        return f"{text}[{self.form('index', self.constant(at, 'index'))}]"

    def part(self, result: Result, at: Affine, batched: bool) -> str:
        """A part of a result by basic indexing; empty if that does not give it."""
        axes = sorted([k for k, step in enumerate(at.strides) if step], key=lambda k: -abs(at.strides[k]))
        back = [k for k in axes if at.strides[k] < 0]
        start = at.start + sum(at.strides[k] * (at.shape[k] - 1) for k in back)
        lengths, steps = [at.shape[k] for k in axes], [abs(at.strides[k]) for k in axes]
        text = self.indexed(result, start, lengths, steps) or self.blocked(result, start, lengths, steps, batched)
        if not text:
            return ""
        for k in back:
            text = self.form("reversed", text, axes.index(k))
        if axes != sorted(axes):
            order = [axes.index(k) for k in sorted(axes)]
            moved = ", ".join(map(str, [*order, *[len(order)] * batched]))
            text = f"{text}.T" if len(order) + batched == 2 else self.form("transposed", text, moved)
        if len(axes) < len(at.shape):
            text = bracketed(text, [*(":" if step else "None" for step in at.strides)])
        return text

    def indexed(self, result: Result, start: int, lengths: list[int], steps: list[int]) -> str:
        """A part by slices and numbers, one for each axis of the result."""
        first = np.unravel_index(start, result.shape) if result.shape else ()
        index, waiting = [], list(zip(lengths, steps))
        for n, own, low in zip(result.shape, row_major(result.shape), map(int, first)):
            if waiting and own and waiting[0][1] % own == 0:
                length, step = waiting[0][0], waiting[0][1] // own
                if low + (length - 1) * step < n:
                    waiting.pop(0)
                    index.append(sliced(low, length, step, n))
                    continue
            index.append(str(low))
        return "" if waiting else bracketed(result.name, index)

    def blocked(self, result: Result, start: int, lengths: list[int], steps: list[int], batched: bool) -> str:
        """A slice of the result as a flat array, in another shape, of which slices."""
        size = int(np.prod(result.shape))
        if len(lengths) == 1:
            return bracketed(self.flat(result, batched), [sliced(start, lengths[0], steps[0], size)])
        is_column = steps[-1] > 1
        if is_column:
            lengths, steps = [*lengths, 1], [*steps, 1]
        total = lengths[0] * steps[0]
        base = min(start, size - total)
        if base < 0 or any(s % t or n * t > s for s, t, n in zip(steps, steps[1:], lengths[1:])):
            return ""
        widths = [lengths[0], *(s // t for s, t in itertools.pairwise(steps))]
        offset, index = start - base, [":"]
        for n, step, width in zip(lengths[1:], steps[1:], widths[1:]):
            low, offset = divmod(offset, step)
            if low + n > width:
                return ""
            index.append(str(low) if is_column and step == 1 else sliced(low, n, 1, width))
        text, row = result.name, size // result.shape[0]
        if base % row == total % row == 0:
            text = bracketed(text, [sliced(base // row, total // row, 1, result.shape[0])])
        else:
            text = bracketed(self.flat(result, batched), [sliced(base, total, 1, size)])
        return bracketed(self.reshaped(text, widths, batched), index)

    def flat(self, result: Result, batched: bool) -> str:
        """A result as one axis."""
        return result.name if len(result.shape) == 1 else self.reshaped(result.name, (-1,), batched)

    def sizes(self, shape: Sequence[int], batched: bool) -> str:
        """The text of a shape; the number of examples gets a line where it is used first."""
        if batched and "e" not in dict(self.lines):
            self.lines.append(("e", "batch.shape[0]"))
        return ", ".join([*map(str, shape), *["e"] * batched])

    def reshaped(self, text: str, shape: Sequence[int], batched: bool) -> str:
        """An array in another shape."""
        return f"{text}.reshape({self.sizes(shape, batched)})"

    def broadcast(self, text: str, shape: Sequence[int], batched: bool) -> str:
        """An array or a number in a larger shape."""
        sizes = self.sizes(shape, batched)
        return self.form("broadcast", text, f"({sizes}{',' * (len(shape) + batched == 1)})")

    # Writing

    def line(self, k: int, operation: Operation) -> tuple[str, str]:
        """The name and the text of an array, that of group `k`."""
        out, text = operation.out, self.computed(operation)
        name = self.unique(self.code.names[k])
        self.result(Result(name, out.shape), out.batched, range(out.start, out.start + operation.group.size))
        return name, text

    def loop(self, found: Repeat) -> None:
        """All rounds of a repeat but the first, as a loop over its second."""
        operations, length, rounds = self.kernels.operations, found.length, found.count - 1
        carried = [self.results[self.owner_of(found.start + j)].name for j in found.carried]
        varying: dict[str, str] = {}  # what differs from round to round, by its name in one
        body, used = [], self.read_after(found)
        for j, readings in enumerate(found.readings):
            k = found.start + length + j
            body.append(self.line(k, self.in_loop(operations[k], readings, varying)))
        stacked = [j for j in range(length) if used[:, j].any() and (j not in found.carried or used[:-1, j].any())]
        own = {j: body[j][0] for j in range(length)}
        names = self.code.names[found.start : found.start + length]
        step, last = self.unique("step"), [self.unique(names[j]) for j in found.carried]
        stacks = [self.unique(f"{names[j].rstrip('#')}s") for j in stacked]
        given = tupled(list(varying.values())) if varying else "None"
        self.lines += [
            ("", ""),
            ("", f"def {step}(carry, xs):"),
            *[("", f"    {tupled(carried)} = carry")] * bool(carried),
            *[("", f"    {tupled(list(varying))} = xs")] * bool(varying),
            *(("", f"    {name} = {text}") for name, text in body),
            ("", f"    return {tupled([own[j] for j in found.carried])}, {tupled([own[j] for j in stacked])}"),
            ("", ""),
            ("", self.form("scan", tupled(last), tupled(stacks), step, tupled(carried), given,
                           rounds)),
        ]  # fmt: skip
        for j, name in zip(found.carried, last):
            out = operations[found.stop - length + j].out
            self.result(Result(name, out.shape), out.batched, range(out.start, out.start + int(np.prod(out.shape))))
        for j, name in zip(stacked, stacks):
            outs = [operations[found.start + t * length + j].out for t in range(1, found.count)]
            size = int(np.prod(outs[0].shape))
            places = (np.array([out.start for out in outs])[:, None] + np.arange(size)).ravel()
            self.result(Result(name, (rounds, *outs[0].shape)), outs[0].batched, places)

    def owner_of(self, k: int) -> int:
        """The number of the result of operation `k`."""
        out = self.kernels.operations[k].out
        return int(self.owner[out.batched][out.start])

    def read_after(self, found: Repeat) -> np.ndarray:
        """Whether a result is read after the loop, (rounds, operations of a round)."""
        regions, later = self.code.regions, self.kernels.operations[found.stop :]
        after = np.zeros(len(self.kernels.operations) + 1, bool)
        for operation in later:
            for read in operation.reads:
                after[regions[read.batched][read.at]] = True
        for root in self.code.roots:
            after[regions[root.batched][root.start]] = True
        return after[found.start + found.length : found.stop].reshape(-1, found.length)

    def in_loop(self, operation: Operation, readings: list[Reading], varying: dict[str, str]) -> Operation:
        """An operation of a round; what differs from round to round has places of its own."""
        operands, reads = [], []
        for operand, read, reading in zip(operation.operands, operation.reads, readings):
            if read.constant is not None and not reading.varies.any():
                operands.append(operand)
                reads.append(read)
                continue
            at = np.array(reading.at[0])
            if reading.varies.any():
                at[reading.varies] = self.given(reading.at[:, reading.varies], read, varying)
            shape = tuple(1 if (at == at.take([0], k)).all() else n for k, n in enumerate(at.shape))
            index = at[tuple(slice(0, n) for n in shape)]
            buffer = Buffer(index.size, read.batched, "picked")
            self.copies[buffer] = Term("take", (), Buffer(index.size, data=index))
            operands.append(View(buffer, 0, at.shape, row_major(shape)))
            reads.append(replace(read, at=at, constant=None))
        return replace(operation, operands=operands, reads=reads)

    def given(self, at: np.ndarray, read: Read, varying: dict[str, str]) -> np.ndarray:
        """New places for what a loop is given, in each round a row of `at`."""
        batched, size = read.batched, at.shape[1]
        text = self.array(at, batched)
        name = next((name for name, known in varying.items() if known == text), "")
        if not name:
            name = self.unique(self.hint(batched, at) or "x")
            varying[name] = text
        places = np.arange(len(self.owner[batched]), len(self.owner[batched]) + size)
        self.owner[batched] = np.append(self.owner[batched], places)
        self.index[batched] = np.append(self.index[batched], places)
        self.result(Result(name, (size,)), batched, places)
        return places

    def text(self, x: Expression, batched: bool, level: int = 0) -> str:
        """A term of elementwise operations; beside examples, an array of single values gets an axis for them."""
        if isinstance(x, View):
            text = self.view(x)
            is_single = batched and not x.batched and any(x.strides) and x.buffer not in self.operands
            return f"{text}[{', '.join([*':' * len(x.shape), 'None'])}]" if is_single else text
        if not isinstance(x, Term):
            return self.number(x) if x >= 0 or level < 3 else f"({self.number(x)})"
        args = x.args
        if x.op in INFIX and x.op != "mod":
            sign, own = INFIX[x.op]
            left, right = self.text(args[0], batched, own), self.text(args[1], batched, own + 1)
            if x.op in COMPARISONS and all(map(self.is_number, args)):
                left = self.form("number", left)  # a choice takes arrays
            text = f"{left} {sign} {right}"
            return f"({text})" if own < level else text
        if x.op == "power":
            y = args[1]
            is_count = isinstance(y, float) and y.is_integer() and 0 <= y <= 16
            exponent = int(y) if is_count else self.number(y) if isinstance(y, float) else self.text(y, batched, 9)
            return f"{self.text(args[0], batched, 9)} ** {exponent}"
        if x.op == "negative":
            text = f"-{self.text(args[0], batched, 9)}"
            return f"({text})" if level > 3 else text
        texts = [self.text(arg, batched) for arg in args]
        if x.op == "call":
            return f"{self.row(x.detail)}({', '.join(texts)})"
        numbers = list(map(self.is_number, args))
        if x.op in self.host.tensors or (self.host.tensors and x.op == "where" and all(numbers[1:])):
            like = next((self.text(view, batched) for view in views(x) if not self.is_number(view)), "theta")
            texts = [f"torch.full_like({like}, {text})" if n else text for n, text in zip(numbers, texts)]
        if x.op in self.host.forms:
            return self.form(x.op, *texts)
        if x.op in ATOMS and callable(ATOMS[x.op].floats):
            raise ValueError(
                f"{x.op} was declared by a function of floats, which {self.host.name} cannot run: declare it by text, "
                "in the words of the table"
            )
        return f"{self.called(x.op)}({', '.join(texts)})"

    def row(self, name: str) -> str:
        """The name of the function that is made of a row and its partials."""
        if name not in self.functions:
            row = TABLE[name]
            names = {x: x if is_name(x) and x not in RESERVED else f"x_{k}" for k, x in enumerate(row.operands)}
            names["out"] = "out"
            buffers = {x: Buffer(1, name=x) for x in names}
            numbers = {x: Number(View(buffer)) for x, buffer in buffers.items()}
            outer = self.operands, self.is_given
            self.operands, self.is_given = {buffers[x]: text for x, text in names.items()}, False
            texts = [self.text(term_of(evaluate(text, CALLS, numbers)), False) for text in (row.value, *row.partials)]
            self.operands, self.is_given = outer
            taken = ", ".join(names[x] for x in row.operands)
            heads = [f"lambda {taken}", *[f"lambda out, {taken}"] * len(row.partials)]
            body = [f"    {head}: {text}," for head, text in zip(heads, texts)]
            self.helpers["row"] = None
            self.functions[name] = own = self.unique(name.replace(PRIME, "_slope_"))
            self.definitions += [f"{own} = row(", *body, ")"]
        return self.functions[name]

    def computed(self, operation: Operation) -> str:
        """What one array is."""
        out, operands = operation.out, operation.operands
        self.is_given = all(read.constant is not None or self.is_known(read) for read in operation.reads)
        match operation.kind:
            case "short":
                term = self.kernels.short(operation)
            case "elementwise":
                op = operation.group.op
                term = Term("call", tuple(operands), op) if op in self.host.own else elementwise(op, operands)
            case "broadcast":
                term = operands[0]
            case "sum" | "reduction":
                name = "sum" if operation.kind == "sum" else operation.group.op
                xs = self.kernels.full(operands[0], operation.reads[0])
                return self.reduced(name, self.view(xs, full=True), len(out.shape))
            case _:
                return self.product(operation)
        text = self.text(term, out.batched)
        is_whole = found_shape(term) == (out.shape, out.batched)
        return text if is_whole else self.broadcast(text, out.shape, out.batched)

    def reduced(self, name: str, text: str, axis: int) -> str:
        """A reduction along an axis."""
        return self.form("reduced", self.called(name), text, axis)

    def called(self, name: str) -> str:
        """The function of the host that has this name in NumPy."""
        function = self.host.names.get(name, f"{self.host.module}.{name}")
        if function in self.host.helpers:
            self.helpers[function] = None
        return function

    def product(self, operation: Operation) -> str:
        """A sum of products, and the single terms beside it."""
        batched = operation.out.batched
        left, right = [self.kernels.full(x, read) for x, read in zip(operation.operands[:2], operation.reads)]
        a, b, c = self.kernels.subscripts(operation, left, right)
        x, y = self.view(left, full=True), self.view(right, full=True)
        is_rows = operation.kind == "rows" and a[0] == "n"
        if (a in ("p", "lp") and not is_rows and len(b) <= 2) or (a, b) == ("hlp", "hpr"):
            text = f"{x} @ {y}"
        elif a in ("p", "lp") and not is_rows:
            text = self.form("outer", x, y)
        elif a.replace("e", "") == b.replace("e", "") == "p" + c.replace("e", "") or is_rows:
            x, y = [f"{t}[..., None]" if batched and not v.batched else t for t, v in ((x, left), (y, right))]
            text = self.reduced("sum", f"{x} * {y}", len(operation.out.shape))
        else:
            text = self.form("einsum", f"{a},{b}->{c}", x, y)
        return " + ".join([text, *(self.text(single, batched, 3) for single in operation.operands[2:])])

    def is_number(self, x: Expression) -> bool:
        """Whether the text of a term is a plain number."""
        if isinstance(x, View):
            return x.buffer in self.code.values and not any(x.strides) and self.is_known(x) and not self.is_given
        return not isinstance(x, Term)

    def is_known(self, x: Read | View) -> bool:
        """Whether all that is read is constant."""
        at = x.at if isinstance(x, Read) else x.start
        return bool((self.owner[x.batched][at] < 0).all())

    def returned(self) -> str:
        """The mean of the cost over the examples, or the values of several roots."""
        roots, found = self.code.roots, []
        for root in roots:
            self.is_given = self.is_known(root)
            found.append(self.view(root))
        if len(roots) == 1:
            return f"{found[0]}.mean()" if roots[0].batched else found[0]
        if self.code.inputs:
            found = [x if root.batched else self.broadcast(x, (), True) for x, root in zip(found, roots)]
        return self.form("stack", ", ".join(found))

    def source(self) -> str:
        """The text, which runs on its own."""
        host, constants = self.host, self.constants.values()
        lines = [*host.prepared, *(f"{name} = {text}" if name else text for name, text in self.lines)]
        modules = ["base64", "zlib"] if any(x.size > 64 for x in constants) else []
        modules += [] if all(np.isfinite(x).all() for x in constants) else ["math"]
        return "\n".join([
            *(f"import {module}" for module in sorted(modules)), *[""] * bool(modules), host.head,
            *map(host.helpers.__getitem__, self.helpers), "",
            *(f"{name} = {array_literal(x)}" for name, x in self.constants.items()), *self.definitions, "", "",
            f"def {self.name}(theta, batch=None):", *(f"    {line}" if line else "" for line in lines), "",
        ])  # fmt: skip

    @property
    def name(self) -> str:
        """What the function is called."""
        return "cost" if len(self.code.roots) == 1 else "values"
