"""Hosts: the forward kernels of a program as one pure function of arrays, for JAX or for PyTorch.

The kernels are the plain ones, one a group, each of which becomes a line; the host differentiates. An array that a
kernel reads is looked up by its places among the results before it: it is one of them, a part of one, or put together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.compiler.kernels import Code, Kernel
from autograd.compiler.terms import REDUCTIONS, Buffer, Expression, Term, View, is_scalar, shape_of
from autograd.compiler.write import INFIX, is_name, literal
from autograd.core.table import ATOMS

MOST = 400  # lines; XLA would compile for minutes


@dataclass(frozen=True)
class Host:
    """How a host writes what differs: `names` of functions, `forms` with operands, `tensors` functions of arrays."""

    name: str
    head: str
    names: dict[str, str]
    forms: dict[str, str]
    tensors: frozenset[str] = frozenset()


JAX = Host(
    "jax",
    "import jax\nimport jax.numpy as jnp\nimport numpy as np",
    {"erf": "jax.scipy.special.erf", "erfc": "jax.scipy.special.erfc"},
    {
        "function": "jnp.{}({})", "constant": "jnp.asarray({})", "sum": "jnp.sum({}, axis={})",
        "max": "jnp.max({}, axis={})", "prod": "jnp.prod({}, axis={})", "einsum": "jnp.einsum('{}', {}, {})",
        "concatenate": "jnp.concatenate([{}])", "broadcast": "jnp.broadcast_to({}, {})", "relu": "jax.nn.relu({})",
        "step": "jnp.heaviside({}, 0.0)", "stack": "jnp.stack([{}], axis=-1)", "index": "jnp.asarray({})",
    },
)  # fmt: skip
TORCH = Host(
    "torch",
    "import numpy as np\nimport torch",
    {"mod": "torch.remainder"},
    {
        "function": "torch.{}({})", "constant": "array({})", "sum": "torch.sum({}, dim={})",
        "max": "torch.amax({}, dim={})", "prod": "torch.prod({}, dim={})", "einsum": "torch.einsum('{}', {}, {})",
        "concatenate": "torch.cat([{}])", "broadcast": "torch.broadcast_to({}, {})", "relu": "torch.relu({})",
        "step": "({} > 0).to(theta.dtype)", "stack": "torch.stack([{}], dim=-1)",
        "index": "torch.as_tensor(np.array({}), device=theta.device)",
    },
    frozenset({"maximum", "minimum", "hypot", "arctan2", "where"}),
)  # fmt: skip


class Translation:
    """The text of a function, and the constants that it names."""

    def __init__(self, code: Code, host: Host, data: list[float]):
        self.code, self.host, self.data = code, host, data
        self.constants: dict[str, np.ndarray] = {}
        self.lines: list[str] = []
        self.taken = {"theta", "batch", "e", "jax", "jnp", "np", "torch", "array", "values", "cost", "index", "given"}
        # of each buffer: where in it results begin and end, and their names as flat arrays, and as they are
        self.made: dict[Buffer, list[tuple[int, int, str, View | None]]] = {buffer: [] for buffer in code.values}
        self.leaves()
        for kernel in code.forward:
            self.line(kernel)
        self.roots()

    def form(self, name: str, *parts: Any) -> str:
        """A piece of text as the host has it."""
        return self.host.forms[name].format(*parts)

    def unique(self, name: str) -> str:
        """A name that nothing else has."""
        base = name = name if is_name(name) else "x"
        count = 1
        while name in self.taken:
            count += 1
            name = f"{base}_{count}"
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

    def leaves(self) -> None:
        """The parameters, the inputs, all other leaves and the constants."""
        code = self.code
        single, batched = code.values
        n, m = code.parameters, code.inputs
        fixed = np.zeros(single.size)
        fixed[n : n + len(code.others)] = code.others
        for place, x in code.constants.items():
            fixed[place] = x
        for is_batched, start, stop in code.ones:
            if not is_batched:
                fixed[start:stop] = 1.0
        rest = self.form("constant", self.constant(fixed[n:], "fixed"))
        name = self.unique("v")
        theta = (
            "theta" if not code.order else f"theta[{self.form('index', self.constant(np.array(code.order), 'order'))}]"
        )
        self.lines.append(f"{name} = {self.form('concatenate', f'{theta}, {rest}') if n else rest}")
        self.made[single].append((0, single.size, name, None))
        if not m:
            return
        self.lines.append(f"batch = {self.form('constant', self.constant(np.array([self.data]), 'example'))} "
                          "if batch is None else batch")  # fmt: skip
        self.lines.append("e = batch.shape[0]")
        self.made[batched].append((code.first_input, code.first_input + m, "batch.T", None))
        for is_batched, start, stop in code.ones:
            if is_batched:
                one = self.form("broadcast", self.form("constant", "1.0"), f"({stop - start}, e)")
                self.made[batched].append((start, stop, one, None))

    # Reading

    def at(self, buffer: Buffer, places: np.ndarray) -> str:
        """The values at some places, an array of the shape of `places`, then the examples."""
        flat, batched = places.ravel(), buffer.batched
        parts, index, length = [], np.zeros(len(flat), np.int64), 0
        free = np.ones(len(flat), bool)
        for start, stop, name, _ in reversed(self.made[buffer]):  # the latest result at a place counts
            inside = free & (flat >= start) & (flat < stop)
            if inside.any():
                low, high = int(flat[inside].min()), int(flat[inside].max()) + 1
                whole = (low, high) == (start, stop)
                parts.append(name if whole else f"{name}[{low - start}:{high - start}]")
                index[inside] = flat[inside] - low + length
                length, free = length + high - low, free & ~inside
        text = parts[0] if len(parts) == 1 else self.form("concatenate", ", ".join(parts))
        if places.ndim == 0:
            return f"{text}[{index[0]}]"
        if not (len(index) == length and (index == np.arange(length)).all()):
            text = f"{text}[{self.form('index', self.constant(index, 'index'))}]"
        if places.ndim == 1:
            return text
        return f"{text}.reshape({', '.join(map(str, places.shape))}{', e' * batched})"

    def view(self, view: View, full: bool = False) -> str:
        """A view; axes along which one value serves many have length 1, unless it is `full`."""
        buffer = view.buffer
        if buffer.data is not None:
            return self.form("constant", self.constant(np.asarray(buffer.data, float).reshape(view.shape)))
        for _, _, name, made in reversed(self.made[buffer]):
            if made is not None and made.start == view.start and made == view:
                return name.removesuffix(f".reshape(-1{', e' * buffer.batched})")
            if made is not None and made.start < view.stop and view.start < made.stop:
                break
        places = np.array(view.start, np.int64)
        for n, step in zip(view.shape, view.strides):
            places = places[..., None] + step * np.arange(n if step or full else 1, dtype=np.int64)
        return self.at(buffer, places)

    def text(self, x: Expression, batched: bool, level: int = 0) -> str:
        """A term as an expression."""
        if isinstance(x, View):
            name = self.view(x)
            return f"{name}[..., None]" if batched and not x.batched and x.shape else name
        if not isinstance(x, Term):
            return (
                literal(x).replace("math.", "np.") if x >= 0 or level < 3 else f"({literal(x)})".replace("math.", "np.")
            )
        if x.op in INFIX and x.op != "mod":
            sign, own = INFIX[x.op]
            text = f"{self.text(x.args[0], batched, own)} {sign} {self.text(x.args[1], batched, own + 1)}"
            return f"({text})" if own < level else text
        if x.op == "power":
            return f"{self.text(x.args[0], batched, 9)} ** {self.text(x.args[1], batched, 9)}"
        if x.op == "negative":
            return f"(-{self.text(x.args[0], batched, 9)})"
        if x.op == "product":
            a, b, c = x.detail
            return self.form("einsum", f"{a},{b}->{c}", *[self.view(arg, full=True) for arg in x.args])
        if x.op in REDUCTIONS:
            inner = self.view(x.args[0], full=True) if isinstance(x.args[0], View) else self.text(x.args[0], batched)
            return self.form(x.op, inner, x.detail[0])
        if x.op == "expand":
            index = ", ".join([":"] * x.detail + ["None"])
            return f"{self.text(x.args[0], batched, 9)}[{index}]"
        if x.op == "maximum" and x.args[1] == 0.0:
            return self.form("relu", self.text(x.args[0], batched))
        if x.op == "step":
            return self.form("step", self.text(x.args[0], batched))
        args = [self.text(arg, batched) for arg in x.args]
        if x.op in self.host.tensors:  # they take no plain numbers
            numbers = [not isinstance(arg, (Term, View)) for arg in x.args]
            args = [self.form("constant", arg) if is_number else arg for arg, is_number in zip(args, numbers)]
        if x.op in ATOMS and callable(ATOMS[x.op].floats):
            raise ValueError(
                f"{x.op} was declared by a function of floats, which {self.host.name} cannot differentiate"
            )
        if x.op == "cbrt" and self.host is TORCH:
            return f"torch.sign({args[0]}) * torch.abs({args[0]}) ** (1 / 3)"
        known = self.host.names.get(x.op)
        return f"{known}({', '.join(args)})" if known else self.form("function", x.op, ", ".join(args))

    # Lines

    def line(self, kernel: Kernel) -> None:
        """One result."""
        out, term = kernel.out, kernel.term
        if out.buffer in self.code.required:
            return
        batched = out.batched
        if isinstance(term, Term) and term.op == "take":
            text = self.at(term.args[0].buffer, term.detail.data)
        else:
            text = self.text(term, batched)
        if shape_of(term) != (out.shape, batched) and not (out.shape == () and not batched):
            if is_scalar(term):
                text = self.form("constant", text) if not isinstance(term, (Term, View)) else text
            text = self.form(
                "broadcast", text, f"({', '.join(map(str, out.shape))}{',' * bool(out.shape)}{' e,' * batched})"
            )
        elif not isinstance(term, (Term, View)):
            text = self.form("constant", text)
        if kernel.add:
            text = f"{self.view(out)} + {text}"
        k = -1
        if out.buffer in self.code.values:
            k = int(self.code.regions[batched][out.start])
        name = self.unique(self.code.names[k].rstrip("#") if k >= 0 else out.buffer.name)
        self.lines.append(f"{name} = {text}")
        flat = name if len(out.shape) == 1 else f"{name}.reshape(-1{', e' * batched})"
        self.made.setdefault(out.buffer, []).append((out.start, out.start + max(1, out.size), flat, out))

    def roots(self) -> None:
        """What is returned: the mean of the cost over the examples, or the values of several roots."""
        code, found = self.code, [self.view(root) for root in self.code.roots]
        if len(found) == 1:
            self.lines.append(f"return {found[0]}.mean()")
            return
        if code.inputs:
            found = [x if r.batched else self.form("broadcast", x, "(e,)") for x, r in zip(found, code.roots)]
        self.lines.append(f"return {self.form('stack', ', '.join(found))}")

    def function(self, packed: Callable[[np.ndarray], str]) -> Callable[..., Any]:
        """The function, with its source."""
        named = [f"{name} = {packed(x)}" for name, x in self.constants.items()]
        prepared = ["array = lambda x: torch.as_tensor(np.array(x), dtype=theta.dtype, device=theta.device)"]
        lines = [*(prepared if self.host is TORCH else []), *self.lines]
        name = "cost" if len(self.code.roots) == 1 else "values"
        source = "\n".join([
            "import base64\nimport zlib\n", self.host.head, "", *named, "", "",
            f"def {name}(theta, batch=None):", *(f"    {line}" for line in lines), "",
        ])  # fmt: skip
        namespace: dict[str, Any] = {}
        exec(compile(source, f"<autograd program for {self.host.name}>", "exec"), namespace)
        namespace[name].source = source
        return namespace[name]
