"""Program: a compiled graph, ready to run, with its source to read."""

from __future__ import annotations

import contextvars
import math
import operator
import threading
import weakref
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.assigning import again, last_change
from autograd.calculus.gradients import depending, warn_of_slopes
from autograd.calculus.slopes import AFTER
from autograd.cautions import warn_of_nan
from autograd.compiler import guards
from autograd.compiler.listing import listing
from autograd.compiler.ordering import Ordering, blocks
from autograd.compiler.trace import CONSTANT, LEAF, Lists, Trace
from autograd.compiler.write import Written, array_literal
from autograd.core.floats import VALUES
from autograd.core.graph import backpropagate
from autograd.core.manners import number
from autograd.core.table import ATOMS, TABLE
from autograd.core.value import Value

# Where NumPy meets what the eager engine may refuse, the scalars decide.
_STRICT: Any = {"over": "raise", "invalid": "raise", "divide": "raise", "under": "ignore"}
_FLOAT = np.dtype(float)
_NO_INPUTS = np.empty((1, 0))
_EXAMPLES = 128
_VALUES = 300_000  # of a part of a batch: with their gradients they fit a cache
_PARTS = 4  # fewer take longer than the batch as a whole
_CLOSURES = 1000  # names of closures are found sooner than globals, but Python compiles thousands in quadratic time
_UNKNOWN = "lambda *x: 1 / 0  # a function that was declared, which only the Program knows"
_IMPORTS = "import base64\nimport math\nimport zlib\n\nimport numpy as np\n"
_data = operator.attrgetter("_data")


class Recording:
    """A trace, packed small: what is interpreted, node by node as the eager engine does, where array code gives up."""

    def __init__(self, traced: Trace):
        lists = traced.lists
        numbers = (
            traced.codes,
            lists.lengths,
            lists.owners - lists.flat,
        )  # operands are near, and often as near as before
        small = [x.astype(np.min_scalar_type(x.max(initial=0))) for x in numbers]
        self.ops = traced.names
        self.packed = [(x.dtype, zlib.compress(x.tobytes(), 1)) for x in small]
        self.constants = {i: x for i, x in traced.constants.items() if i < len(traced)}  # without any that were added
        self.labels = traced.labels
        self.leaves, self.roots = traced.leaves, traced.roots
        self.rows = {op: TABLE[op] for op in self.ops if op in TABLE}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.rows = {op: TABLE[op] if op in TABLE and vars(TABLE[op]) == vars(x) else x for op, x in self.rows.items()}

    def unpacked(self) -> tuple[np.ndarray, Lists]:
        """The operation of each node, and its operands."""
        codes, lengths, distances = (
            np.frombuffer(zlib.decompress(x), dtype).astype(np.int64) for dtype, x in self.packed
        )
        return codes, Lists(np.repeat(np.arange(len(lengths)), lengths) - distances, lengths)

    def trace(self) -> Trace:
        """The trace that was recorded."""
        codes, lists = self.unpacked()
        rest = list(self.roots), list(self.leaves), dict(self.constants), dict(self.labels)
        return Trace(self.ops, codes, lists, *rest, size=len(codes))

    def replay(self, data: Sequence[float]) -> tuple[list[Value], list[Value]]:
        """The graph as Values again, for these data: (roots, leaves). Raises what the eager engine raises."""
        for op, row in self.rows.items():
            if TABLE.get(op) is not row:
                raise ValueError(
                    f"the program was compiled with an operation {op} that has been declared again since, or is not "
                    "declared here, and these data are left to the scalars, which know the present one: compile again"
                )
        codes, lists = self.unpacked()
        nodes: list[Any] = [None] * len(codes)
        for i, x in self.constants.items():
            nodes[i] = x
        for i, x in zip(self.leaves, data):
            nodes[i] = Value(x, self.labels.get(i, ""))
        for i, (code, numbers) in enumerate(zip(codes.tolist(), lists.tuples())):
            op = self.ops[code]
            if op != LEAF and op != CONSTANT:
                operands = [nodes[k] for k in numbers]
                # what the first operand of AFTER waits for was computed before
                nodes[i] = operands[0] if op == AFTER else again(op, operands)
                if isinstance(nodes[i], Value):
                    nodes[i].label = self.labels.get(i, nodes[i].label)
        roots = [nodes[i] if isinstance(nodes[i], Value) else Value(nodes[i]) for i in self.roots]
        return roots, [nodes[i] for i in self.leaves]


@dataclass(slots=True)
class Workspace:
    """The arrays of one thread for one number of examples: what a run sets, what it leaves, and its passes.

    Attributes:
        theta: the parameters, in the order of the program; `ordering` moves them there, if it is not that of `wrt`.
        shares: of each example in the mean.
        single, batched: all values.
        strict: a context in which NumPy raises where the eager engine might.
        seen: when the other leaves were last read.
        given: all inputs, flat; `finite`: whether the other leaves are.
    """

    theta: np.ndarray
    others: np.ndarray
    inputs: np.ndarray
    shares: np.ndarray
    slopes: np.ndarray
    input_slopes: np.ndarray
    forward: Callable[[], tuple]
    backward: Callable[..., None]
    strict: contextvars.Context
    single: np.ndarray
    batched: np.ndarray
    given: np.ndarray
    ordering: Ordering | None
    finite: bool = True
    seen: int = -1


class Program:
    """A graph of scalars as a NumPy program. Made by `autograd.compile`.

    Attributes:
        source: the program as text; it runs on its own, with NumPy alone.
        nodes: how many scalar nodes the graph has.
        kernels: how many NumPy calls one value and gradient takes.
    """

    def __init__(
        self,
        written: Written,
        traced: Trace,
        leaves: list[Value],
        parameters: int,
        inputs: int,
        cost: Value | None,
        per_example: bool = False,
    ):
        listed = cost is None  # a list of roots was compiled, not one cost
        self._written, self._leaves = written, leaves
        self._parameters, self._inputs = parameters, inputs
        self._recording = Recording(traced)
        self._outputs, self._listed = len(traced.roots), listed
        self._by_scalars_only = guards.multiplies_infinity(traced)
        self.nodes = traced.size
        self._per_example = per_example
        self.kernels = written.kernels
        self._cost = weakref.ref(cost) if cost is not None else None
        self._prepare()

    def _prepare(self) -> None:
        self._workspaces = threading.local()
        self._others = self._leaves[self._parameters + self._inputs :]
        # as they were declared when the program was compiled
        self._functions = {word: VALUES[word] for word in self._written.functions if word in ATOMS}
        self._order = self._written.arrays.get("order")  # which parameter lies at each place
        self._blocks = None if self._order is None else blocks(self._order)
        # examples of which all values are there
        self._most = _PARTS * max(2 * _EXAMPLES, _VALUES // max(1, self._written.rows))
        lines = [*self._written.setup, *self._passes()]
        if len(lines) < _CLOSURES:
            result = "v, g, vs, gs, forward, backward"
            lines = ["def program():", *_indented([*lines, f"return {result}"]), f"{result} = program()"]
        text = "\n".join([_IMPORTS, *self._written.head, *lines])
        self._code = compile(text, "<autograd program>", "exec")

    def __getstate__(self) -> dict[str, Any]:
        made = ("_workspaces", "_code", "_cost", "_others", "_order", "_blocks", "_most", "_functions")
        return {name: x for name, x in self.__dict__.items() if name not in made}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._cost = None
        self._prepare()

    def __repr__(self) -> str:
        return f"<Program: {self.nodes:,} scalar nodes in {self.kernels} NumPy calls>"

    def _repr_html_(self) -> str:
        caption = f"{self.nodes:,} scalar nodes in {self.kernels} NumPy calls for one value and gradient"
        return listing(self.source, caption)

    @property
    def source(self) -> str:
        """The program as text.

        `program(examples)` allocates its arrays and returns them with the two passes, which `value_and_grad(theta,
        batch)` (for several roots `values`) runs once.
        """
        written = self._written
        blocks = [
            f'"""{self.nodes:,} scalar nodes in {self.kernels} NumPy calls, written by autograd.compile."""\n',
            _IMPORTS,
            *written.head,
            *(f"{name} = {array_literal(x)}" for name, x in written.arrays.items()),
            *(f"{name} = {_UNKNOWN}" for word in written.functions for name in (word, f"{word}_each")),
            "\n\ndef program(examples=1):",
            *_indented([*written.setup, "", *self._passes(), "return v, g, vs, gs, forward, backward"]),
            "\n",
            *self._usage(),
        ]
        return "\n".join(blocks) + "\n"

    def _passes(self) -> list[str]:
        """The two functions, which read and write the arrays of the setup."""
        written, saved = self._written, ", ".join(self._written.saved)
        values = f"return {written.roots}, ({saved}{',' * (len(written.saved) == 1)})"
        backward = written.backward or ["pass"]
        return [
            *("def forward():", *_indented([*written.forward, values]), ""),
            *(f"def backward({saved}):", *_indented(backward), ""),
        ]

    def _usage(self) -> list[str]:
        """The function at the end of the source, which runs the passes."""
        n, m, first = self._parameters, self._inputs, self._written.first_input
        ordered, several = self._order is not None, self._outputs > 1
        lines = ["v, g, vs, gs, forward, backward = program(1 if batch is None else len(batch))"]
        lines += [f"v[:{n}] = np.asarray(theta){'[order]' if ordered else ''}"] if n else []
        lines += [f"vs[{first} : {first + m}] = np.transpose(batch)"] if m else []
        lines += ["costs, saved = forward()"]
        lines += ["return costs"] if several else ["backward(*saved)"]
        lines += [] if several else [f"return np.mean(costs), g[:{n}]{'[np.argsort(order)]' if ordered else ''}"]
        return [f"def {'values' if several else 'value_and_grad'}(theta, batch=None):", *_indented(lines)]

    # Running

    def _workspace(self, examples: int) -> Workspace:
        """The arrays and passes of this thread for a number of examples."""
        spaces: dict[Any, Workspace] = self._workspaces.__dict__
        if examples not in spaces:
            if len(spaces) > 8:
                spaces.clear()
            made: dict[str, Any] = {**self._written.arrays, "examples": examples}
            for word in self._written.functions:
                function = self._functions.get(word) or VALUES[word]
                made |= {word: function, f"{word}_each": np.vectorize(function, otypes=[float])}
            exec(self._code, made)
            v, g, vs, gs = (made[buffer] for buffer in ("v", "g", "vs", "gs"))
            strict = contextvars.Context()  # entered in a tenth of the time that np.errstate takes
            strict.run(np.seterr, **_STRICT)
            n, start = self._parameters, self._written.first_input
            inputs = slice(start, start + self._inputs)
            others = v[n : n + len(self._others)]
            shares = np.full(examples, 1.0 / examples)
            arrays = v[:n], others, vs[inputs], shares, g[:n], gs[inputs]
            passes = made["forward"], made["backward"]
            order = None if self._order is None else Ordering(self._order, self._blocks, v[:n], g[:n])
            spaces[examples] = Workspace(*arrays, *passes, strict, v, vs, vs[inputs].reshape(-1), order)
        return spaces[examples]

    def _checked(self, theta: Any, batch: Any) -> tuple[np.ndarray, np.ndarray]:
        """Parameters and batch as arrays, from the leaves where they are left out."""
        n, m = self._parameters, self._inputs
        if theta is None:
            theta = np.array([leaf._data for leaf in self._leaves[:n]])
        else:
            theta = numbers(theta, "theta")
            if theta.shape != (n,):
                raise ValueError(
                    f"theta has shape {theta.shape}; this program has {n} parameters, in the order of wrt: ({n},)"
                )
        if batch is None and not m:
            batch = _NO_INPUTS
        elif batch is None:
            batch = np.array([[leaf._data for leaf in self._leaves[n : n + m]]])
        else:
            batch = numbers(batch, "a batch")
            if batch.ndim != 2 or batch.shape[1] != m or not len(batch):
                raise ValueError(
                    f"a batch has shape (examples, {m}), one column per input, one row at least; not {batch.shape}"
                    + ("; this program was compiled without inputs" if not m else "")
                )
        return theta, batch

    def _run(self, theta: np.ndarray, batch: np.ndarray, gradient: bool, finite: bool = False) -> tuple[Any, Workspace]:
        """Run one or both passes; None in place of the values where array code gives up."""
        space = self._workspace(len(batch))
        if space.ordering is None:
            space.theta[:] = theta
        else:
            space.ordering.set(theta)
        if self._others and space.seen != last_change[0]:
            space.seen, others = last_change[0], list(map(_data, self._others))
            space.others[:], space.finite = others, all(map(math.isfinite, others))
        if self._inputs:
            set_columns(space.inputs, batch)
        run = space.strict.run
        if self._by_scalars_only or not space.finite:
            return None, space
        try:
            # what follows from inf or nan that is given may be hidden: BLAS skips products of matrices with 0
            if self._inputs and not finite and not math.isfinite(run(space.given.dot, space.given)):
                return None, space
            values, saved = run(space.forward)
            if gradient:
                run(space.backward, *saved)
            if not math.isfinite(run(space.theta.dot, space.slopes if gradient else space.theta)):  # if one is not
                return None, space
            if not guards.SAYS_ERRORS and not (np.isfinite(space.single).all() and np.isfinite(space.batched).all()):
                return None, space
        except ArithmeticError:
            return None, space
        except ValueError as error:  # that of the math module; anything else is not for the scalars to mend
            if not str(error).startswith(("math domain", "expected a")):
                raise
            return None, space
        return values, space

    def forward(self, theta: Any = None, batch: Any = None) -> Any:
        """The value of each root: (examples,) for a batch, (examples, roots) if a list was compiled.

        Without inputs, a float, or an array (roots,).
        """
        theta, batch = self._checked(theta, batch)
        if len(batch) > self._most:
            return np.concatenate([self.forward(theta, part) for part in self._parts(batch)])
        values, _ = self._run(theta, batch, False)
        columns = values if self._outputs > 1 else (values,)
        if values is None or not all(np.isfinite(column).all() for column in columns):
            columns = self._by_scalars(theta, batch, gradient=False)[0].T
        result = np.stack([np.broadcast_to(column, len(batch)) for column in columns], axis=-1).astype(float)
        if values is not None and not result.all():
            rows = self._signed(theta, batch, np.flatnonzero(~result.all(axis=1)))
            if len(rows):
                result[rows] = self._by_scalars(theta, batch[rows], gradient=False)[0]
        if not self._inputs:
            result = result[0]
        return result if self._listed else result[..., 0] if self._inputs else float(result[0])

    def value_and_grad(self, theta: Any = None, batch: Any = None, finite: bool = False) -> tuple[float, np.ndarray]:
        """The cost, averaged over the examples, and its gradient with respect to the parameters, (n_params,).

        Args:
            theta: the parameters in the order of `wrt`, (n_params,); their present `.data` when left out.
            batch: the inputs, (examples, n_inputs); their present `.data`, as one example, when left out.
            finite: all numbers of the batch are known to be finite and need not be looked at, and those that are found
                have to be: an OverflowError otherwise.
        """
        if self._outputs != 1:
            raise ValueError(f"this program has {self._outputs} roots; a gradient needs one cost")
        theta, batch = self._checked(theta, batch)
        found = self._by_arrays(theta, batch, finite=finite)
        if found is not None:
            return found
        values, gradients, _ = self._by_scalars(theta, batch)
        with np.errstate(all="ignore"):  # of infinities of both signs, too
            # of one as it is: the mean of -0.0 would be 0.0
            cost, slopes = (x[0] if len(x) == 1 else x.mean(axis=0) for x in (values[:, 0], gradients))
        if finite and not (np.isfinite(cost) and np.isfinite(slopes).all()):
            raise OverflowError(f"the cost is {cost}, the norm of its gradient {np.linalg.norm(slopes)}")
        return float(cost), slopes

    def _by_arrays(
        self, theta: np.ndarray, batch: np.ndarray, gradient: bool = True, finite: bool = False
    ) -> tuple[Any, Any] | None:
        """The mean cost, for several roots their values, and the gradient; None where array code gives up."""
        if len(batch) > self._most:
            return self._by_parts(theta, batch, gradient, finite)
        values, space = self._run(theta, batch, gradient, finite)
        if values is None:
            return None
        if self._outputs > 1:
            table = np.stack([np.broadcast_to(column, len(batch)) for column in values], axis=-1).astype(float)
            return (table if self._inputs else table[0], None) if np.isfinite(table).all() else None
        try:
            cost = float(space.strict.run(values.dot, space.shares) if isinstance(values, np.ndarray) else values)
        except FloatingPointError:
            return None
        if not math.isfinite(cost) or (not cost and len(batch) == 1 and len(self._signed(theta, batch, np.arange(1)))):
            return None
        if not gradient:
            return cost, None
        return cost, space.slopes.copy() if space.ordering is None else space.ordering.ordered()

    def _parts(self, batch: np.ndarray) -> list[np.ndarray]:
        """Parts of a batch, of about the same length, whose values fit a cache and little memory."""
        size = math.ceil(len(batch) / math.ceil(_PARTS * len(batch) / self._most))
        size += -size % 8  # so that values are aligned to lines of the cache
        return [batch[start : start + size] for start in range(0, len(batch), size)]

    def _by_parts(self, theta: np.ndarray, batch: np.ndarray, gradient: bool, finite: bool) -> tuple[Any, Any] | None:
        """What `_by_arrays` gives for a large batch, of its parts one after the other."""
        found = []
        for part in self._parts(batch):
            found.append((part, self._by_arrays(theta, part, gradient, finite)))
            if found[-1][1] is None:
                return None
        if self._outputs > 1:
            return np.concatenate([table for _, (table, _) in found]), None
        shares = [len(part) / len(batch) for part, _ in found]
        cost = math.fsum(share * cost for share, (_, (cost, _)) in zip(shares, found))
        return cost, sum(share * slopes for share, (_, (_, slopes)) in zip(shares, found)) if gradient else None

    def _signed(self, theta: np.ndarray, batch: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Those of some examples whose result, a zero, may have another sign than arrays say: some leaf is -0.0."""
        given = batch[rows] if self._inputs else np.array([[*theta, *map(_data, self._others)]])
        return rows[(np.signbit(given) & (given == 0)).any(axis=1)]

    def _by_scalars(
        self, theta: np.ndarray, batch: np.ndarray, gradient: bool = True
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """As the eager engine: values (examples, roots), gradients of the parameters and of the inputs, per example."""
        n, m = self._parameters, self._inputs
        others = list(map(_data, self._others))
        values, gradients = [], []
        for row in batch.tolist():
            roots, leaves = self._recording.replay([*theta.tolist(), *row, *others])
            values.append([root.data for root in roots])
            if not gradient:
                warn_of_slopes(*roots)
                continue
            found = backpropagate(roots[0])
            if not all(map(math.isfinite, found.values())):
                wanted = depending(list(found), leaves[: n + m] if self._per_example else leaves[:n])
                warn_of_nan({node: slope for node, slope in found.items() if node in wanted or node is roots[0]})
            elif not math.isfinite(roots[0].data):
                warn_of_nan(found)
            gradients.append([found.get(leaf, 0.0) for leaf in leaves[: n + m]])
        table = np.array(gradients).reshape(len(gradients), n + m)
        return np.array(values), table[:, :n], table[:, n:]

    # For other hosts

    def to_jax(self) -> Any:
        """The program as a pure function of JAX arrays, `(theta, batch=None) -> mean cost`; for several roots values.

        It can be given to `jax.jit`, `grad`, `vmap`, `hessian`; its text is in `.source`. Batches are (examples,
        inputs); without one it uses the inputs' present `.data`, as it does those of all other leaves. JAX computes in
        doubles after `jax.config.update("jax_enable_x64", True)`. Operations outside their domain are nan or infinite
        there; nothing is raised.

        Steps that are all alike, as those of a recurrent network or an integrator, are one `jax.lax.scan` if there are
        many of them.

        Raises:
            ModuleNotFoundError: JAX is not installed.
            ValueError: the program consists of hundreds of small arrays that are not alike, which XLA would compile
                for minutes, or has an operation that was declared by a function of floats.
        """
        from autograd.compiler.hosts import to_jax

        return to_jax(self)

    def to_torch(self) -> Any:
        """The program as a function of PyTorch tensors, `(theta, batch=None) -> mean cost`; for several roots values.

        PyTorch differentiates it, as often as one likes, on any device, in the type of `theta`. In doubles on the CPU
        the Program computes value and gradient; anywhere else, in transforms of `torch.func` and exported by
        `torch.export` it is operations of PyTorch, whose text is in `.source`. As in `to_jax`, nothing is raised
        outside of domains, and all other leaves have their present data.

        Raises:
            ModuleNotFoundError: PyTorch is not installed.
            ValueError: the program consists of thousands of small arrays, or has an operation that was declared by a
                function of floats.
        """
        from autograd.compiler.hosts import to_torch

        return to_torch(self)

    def backward(self) -> float:
        """Replace `cost.backward()`: read the leaves, add into the parameters' `.grad`, set and return the cost."""
        cost, gradient = self.value_and_grad()
        for leaf, slope in zip(self._leaves, gradient.tolist()):
            leaf._grad += slope
        root = self._cost() if self._cost else None
        if root is not None:
            root._data = cost
        return cost


def set_columns(inputs: np.ndarray, batch: np.ndarray) -> None:
    """Put examples into columns; many long ones a few at a time, whose rows and columns fit a cache together."""
    n, m = batch.shape
    if n <= 2 * _EXAMPLES or m < 32:
        inputs[:] = batch.T
        return
    for start in range(0, n, _EXAMPLES):
        inputs[:, start : start + _EXAMPLES] = batch[start : start + _EXAMPLES].T


class Function:
    """A function of numbers, compiled. Made by `autograd.compile(f)`; call it with numbers or 1-D arrays."""

    def __init__(self, program: Program, name: str, arity: int):
        self.program, self.__name__, self._arity = program, name, arity
        self.source, self.nodes, self.kernels = program.source, program.nodes, program.kernels

    def __repr__(self) -> str:
        return f"<Function {self.__name__} of {self._arity}: {self.nodes:,} scalar nodes in {self.kernels} NumPy calls>"

    def __call__(self, *arguments: Any) -> Any:
        """f of each argument, a float for numbers, an array for arrays: one call of f per element."""
        batch, scalar = self._batch(arguments)
        values = self.program.forward(batch=batch) if len(batch) else np.empty(0)
        return float(values[0]) if scalar else values

    def value_and_grad(self, *arguments: Any) -> tuple:
        """(value, d value / d argument 0, ...), floats for numbers, arrays for arrays."""
        batch, scalar = self._batch(arguments)
        if not len(batch):
            return tuple(np.empty(0) for _ in range(self._arity + 1))
        program = self.program
        if len(batch) > program._most:
            found = [self.value_and_grad(*part.T) for part in program._parts(batch)]
            return tuple(map(np.concatenate, zip(*found)))
        theta = np.empty(0)
        values, space = program._run(theta, batch, True)
        if values is not None and np.isfinite(values).all() and np.isfinite(space.input_slopes).all():
            values, gradient = np.broadcast_to(values, len(batch)).astype(float), space.input_slopes.copy()
            rows = program._signed(theta, batch, np.flatnonzero(values == 0))
            if len(rows):
                values[rows] = program._by_scalars(theta, batch[rows], gradient=False)[0][:, 0]
        else:
            columns, _, slopes = program._by_scalars(theta, batch)
            values, gradient = columns[:, 0], slopes.T
        if scalar:
            return (float(values[0]), *(float(x[0]) for x in gradient))
        return (values, *gradient)

    def _batch(self, arguments: tuple) -> tuple[np.ndarray, bool]:
        if len(arguments) != self._arity:
            raise TypeError(f"{self.__name__} takes {self._arity} numbers or 1-D arrays, not {len(arguments)}")
        arrays = [numbers(x, self.__name__) for x in arguments]
        if any(x.ndim > 1 for x in arrays):
            raise TypeError(
                f"{self.__name__} takes numbers or 1-D arrays, not arrays of shape {[x.shape for x in arrays]}"
            )
        if len({len(x) for x in arrays if x.ndim and len(x) != 1}) > 1:
            raise ValueError(
                f"{self.__name__} is called once for each element of its arguments, so arrays are of one length, not "
                f"{', '.join(str(len(x)) for x in arrays if x.ndim)}"
            )
        columns = np.broadcast_arrays(*arrays)
        return np.stack([np.atleast_1d(x) for x in columns], axis=-1), all(x.ndim == 0 for x in arrays)


def numbers(x: Any, name: str) -> np.ndarray:
    """A number or an array of numbers as an array of floats; a TypeError that teaches for anything else."""
    if type(x) is np.ndarray and x.dtype is _FLOAT:
        return x
    if np.ma.is_masked(x):
        raise ValueError(
            f"{name} takes numbers, and some are masked, of {x!r}: leave them out, or put numbers there by .filled(...)"
        )
    try:
        array = np.asarray(x)
    except ValueError:  # NumPy's word for rows of unequal length
        raise ValueError(f"{name} takes numbers or arrays of numbers, in rows of equal length, not {x!r}") from None
    if array.dtype.kind not in "fiub" and not all(isinstance(each, (int, float)) for each in array.flat):
        advice = "a compiled function returns numbers: for Values call the function that was compiled, or pass .data"
        if not any(isinstance(each, Value) for each in array.flat):
            advice = "a number that is missing is math.nan, text is converted by float(...)"
        raise TypeError(f"{name} takes numbers or arrays of numbers, not {x!r}: {advice}")
    if array.dtype.kind == "O":  # of integers beyond 64 bits
        return np.array([number(each, name) for each in array.flat]).reshape(array.shape)
    return array.astype(float, copy=False)


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"    {line}" if line else "" for line in lines]
