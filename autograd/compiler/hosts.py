"""Hosts: a program as a function of JAX arrays or of PyTorch tensors.

Both are the text of `translate`, which the host differentiates. On the CPU the Program is quicker than PyTorch's
operations one by one: there it computes value and gradient, as one function of PyTorch's autograd.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.compiler.fuse import fuse
from autograd.compiler.kernels import Kernels
from autograd.compiler.repeats import covered, repeats
from autograd.compiler.roll import roll
from autograd.compiler.translate import Host, Translation
from autograd.core.value import Value

MANY = 100  # arrays; among more of them loops are looked for

JAX = Host(
    "JAX",
    "jnp",
    "import jax\nimport jax.numpy as jnp\nimport numpy as np",
    {"row": '''

def row(value, *partials):
    """The function `value(*operands)` with these partial derivatives, functions of `out` and the operands."""
    f = jax.custom_jvp(value)

    @f.defjvp
    def jvp(operands, tangents):
        out = f(*operands)
        terms = [partial(out, *operands) * t for partial, t in zip(partials, tangents)]
        return out, sum(jnp.broadcast_to(term, out.shape) for term in terms)

    return f
'''},
    {"erf": "jax.scipy.special.erf", "erfc": "jax.scipy.special.erfc", "relu": "jax.nn.relu",
     "sigmoid": "jax.nn.sigmoid", "logsumexp": "jax.nn.logsumexp", "absolute": "jnp.abs"},
    {
        "array": "{}", "number": "jnp.asarray({})", "index": "{}", "reduced": "{}({}, axis={})",
        "einsum": "jnp.einsum('{}', {}, {})", "outer": "jnp.tensordot({}, {}, 1)",
        "concatenate": "jnp.concatenate([{}]{})", "axis": ", axis={}", "stack": "jnp.stack([{}], axis=-1)",
        "broadcast": "jnp.broadcast_to({}, {})", "transposed": "{}.transpose({})", "reversed": "jnp.flip({}, {})",
        "step": "jnp.heaviside({}, 0.0)", "scan": "{}, {} = jax.lax.scan({}, {}, {}, length={})",
    },
    own=frozenset({"abs"}),
    most=400,
    burden="minutes to compile them",
)  # fmt: skip
TORCH = Host(
    "PyTorch",
    "torch",
    "import numpy as np\nimport torch",
    {"row": '''

def row(value, *partials):
    """The function `value(*operands)` with these partial derivatives, functions of `out` and the operands."""

    class Row(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(*operands):
            return value(*operands)

        @staticmethod
        def setup_context(ctx, operands, out):
            ctx.save_for_backward(*operands, out)
            ctx.save_for_forward(*operands, out)

        @staticmethod
        def backward(ctx, slope):
            *operands, out = ctx.saved_tensors
            wanted = zip(ctx.needs_input_grad, partials, operands)
            return tuple((slope * f(out, *operands)).sum_to_size(x.shape) if w else None for w, f, x in wanted)

        @staticmethod
        def jvp(ctx, *tangents):
            *operands, out = ctx.saved_tensors
            terms = [t * f(out, *operands) for f, t in zip(partials, tangents) if t is not None]
            return sum(terms).expand(out.shape)

    def f(*operands):
        like = next(x for x in operands if torch.is_tensor(x))
        return Row.apply(*[x if torch.is_tensor(x) else like.new_full((), x) for x in operands])

    return f
''', "log_sum_exp": '''

def log_sum_exp(x, dim):
    """As torch.logsumexp; its slopes lose nothing where x is large."""
    top = x.detach().amax(dim, keepdim=True)
    return torch.log(torch.exp(x - top).sum(dim)) + top.squeeze(dim)
'''},
    {"mod": "torch.remainder", "absolute": "torch.abs", "logsumexp": "log_sum_exp"},
    {
        "array": "array({})", "number": "array({})", "index": "torch.tensor({}, device=theta.device)",
        "reduced": "{}({}, dim={})", "einsum": "torch.einsum('{}', {}, {})", "outer": "torch.tensordot({}, {}, 1)",
        "concatenate": "torch.cat([{}]{})", "axis": ", dim={}", "stack": "torch.stack([{}], dim=-1)",
        "broadcast": "torch.broadcast_to({}, {})", "transposed": "{}.permute({})", "reversed": "torch.flip({}, [{}])",
        "step": "torch.heaviside({0}, torch.zeros_like({0}))", "cbrt": "torch.sign({0}) * torch.abs({0}) ** (1 / 3)",
    },
    ("array = lambda x: torch.tensor(x, dtype=theta.dtype, device=theta.device)",),
    frozenset({"maximum", "minimum", "hypot", "arctan2", "mod"}),
    most=5000,
    burden="each by itself, and be slow",
)  # fmt: skip


def translated(program: Any, host: Host) -> Callable[..., Any]:
    """A program as a function that a host runs, with its source."""
    n, m = program._parameters, program._inputs
    traced = program._recording.trace()
    layout = roll(traced, fuse(traced), n, m, biased=False)
    data = [leaf._data for leaf in program._leaves]
    kernels = Kernels(traced, layout, n, m, data[n + m :], False)
    loops = repeats(kernels.operations, kernels.code) if len(layout.groups) > MANY and "scan" in host.forms else []
    bearable(covered(loops, len(layout.groups)), host)
    translation = Translation(kernels, host, data[n : n + m], loops)
    bearable(len(translation.lines) + translation.gathered_parts, host)
    source = translation.source()
    namespace: dict[str, Any] = {}
    exec(compile(source, f"<autograd program for {host.name}>", "exec"), namespace)
    function = namespace[translation.name]
    function.source = source
    return function


def bearable(pieces: int, host: Host) -> None:
    """Refuse what is made of too many small arrays and parts of arrays."""
    if pieces > host.most:
        raise ValueError(
            f"this program is {pieces:,} small arrays or parts of arrays, as of a graph without structure or a long "
            f"chain whose steps are not all alike; {host.name} would take {host.burden}: use the Program itself"
        )


def checked(program: Any, theta: Any, batch: Any) -> None:
    """Raise a ValueError where the shapes of tensors or arrays are not those that a program takes."""
    n, m = program._parameters, program._inputs
    if tuple(theta.shape) != (n,):
        raise ValueError(f"theta has shape {tuple(theta.shape)}; this program has {n} parameters: ({n},)")
    if batch is not None and (len(batch.shape) != 2 or batch.shape[1] != m):
        raise ValueError(f"a batch has shape (examples, {m}), one column per input, not {tuple(batch.shape)}")


def installed(module: str, extra: str) -> Any:
    """The module of a host."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            f"to_{extra}() needs what is not installed: pip install 'glassgrad[{extra}]'; the Program itself needs "
            "NumPy alone"
        ) from None


def to_jax(program: Any) -> Callable[..., Any]:
    """A program as a function of JAX arrays."""
    jnp = installed("jax.numpy", "jax")
    function = translated(program, JAX)

    def cost(theta: Any, batch: Any = None) -> Any:
        """The mean cost over a batch (examples, inputs); for several roots their values."""
        theta, batch = jnp.asarray(theta), None if batch is None or not program._inputs else jnp.asarray(batch)
        checked(program, theta, batch)
        return function(theta, batch)

    return named(cost, function)


def to_torch(program: Any) -> Callable[..., Any]:
    """A program as a function of PyTorch tensors."""
    torch = installed("torch", "torch")
    operations, several = translated(program, TORCH), program._outputs > 1
    fixed = with_present_data(program)

    class Cost(torch.autograd.Function):
        """The cost of a program with its gradient, both known."""

        @staticmethod
        def forward(ctx: Any, theta: Any, batch: Any, value: float, gradient: np.ndarray) -> Any:
            ctx.save_for_backward(theta, batch)
            ctx.gradient = torch.from_numpy(gradient)
            return theta.new_tensor(value)

        @staticmethod
        def backward(ctx: Any, *slopes: Any) -> tuple:
            gradient = ctx.gradient
            if torch.is_grad_enabled():  # it will be differentiated again
                theta, batch = ctx.saved_tensors
                value = operations(theta, batch)
                if value.requires_grad:
                    [gradient] = torch.autograd.grad(value, theta, create_graph=True)
            return slopes[0] * gradient, None, None, None

        @staticmethod
        def jvp(ctx: Any, *tangents: Any) -> Any:
            return ctx.gradient @ tangents[0]

    def in_memory(x: Any) -> np.ndarray | None:
        """A tensor as the array of doubles that it is; None for one elsewhere, or in a transform or an export."""
        if type(x) in (torch.Tensor, torch.nn.Parameter) and x.dtype == torch.float64 and x.device.type == "cpu":
            with contextlib.suppress(RuntimeError):
                return x.detach().numpy()
        return None

    def cost(theta: Any, batch: Any = None) -> Any:
        """The mean cost over a batch (examples, inputs); for several roots their values."""
        batch = batch if program._inputs else None
        checked(program, theta, batch)
        is_dual = torch.autograd.forward_ad.unpack_dual(theta).tangent is not None
        differentiated = is_dual or (torch.is_grad_enabled() and theta.requires_grad)
        known = [None if x is None else in_memory(x) for x in (theta, batch)]
        is_traced = torch.compiler.is_compiling() or torch.jit.is_tracing()  # pyright: ignore[reportPrivateImportUsage]
        by_operations = is_traced or known[0] is None
        if batch is not None:
            by_operations |= known[1] is None or batch.requires_grad
        if by_operations or (differentiated and several):
            return operations(theta, batch)
        found = fixed._by_arrays(*fixed._checked(*known), differentiated)
        if found is None:  # not finite, or outside of a domain
            value = operations(theta, batch)
            if value.requires_grad or not differentiated:
                return value
            found = value.item(), np.zeros(theta.shape)  # of what it does not depend on
        return Cost.apply(theta, batch, *found) if differentiated else theta.new_tensor(found[0])

    return named(cost, operations)


def named(cost: Callable[..., Any], function: Any) -> Callable[..., Any]:
    """A function with the name and the source of another."""
    cost.__name__ = cost.__qualname__ = function.__name__
    cost.source = function.source  # type: ignore[attr-defined]
    return cost


def with_present_data(program: Any) -> Any:
    """A program with leaves of its own, which have the present data."""
    fixed = object.__new__(type(program))
    leaves = [Value(leaf._data, leaf.label) for leaf in program._leaves]
    fixed.__setstate__({**program.__getstate__(), "_leaves": leaves})
    return fixed
