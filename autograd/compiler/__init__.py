"""Compile: scalars in, array speed out.

trace -> fuse -> roll -> kernels -> transpose -> passes -> calls -> write -> Program: the graph as a flat list, its
sums as sums of products, its nodes as arrays, the arrays as kernels, which are data; the way back by transposing these;
what makes them quick, pass by pass; NumPy calls; their text; something that runs. No step knows a derivative: these
come from the table.
"""

from __future__ import annotations

import contextlib
import gc
import inspect
import math
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from autograd.assigning import is_iterable, taken_out
from autograd.core.value import Value
from autograd.recording import tracing

TAKEN_FOR_A_LIST = re.compile(r"non-iterable Value|'Value' (object is not (subscriptable|iterable)|has no len)")


def compile(
    cost: Value | Iterable[Value] | Callable[..., Value], wrt: Iterable[Value] = (), inputs: Iterable[Value] = ()
) -> Any:
    """A Program that replays the graph of `cost` as a few NumPy calls, or, for a function, a compiled function.

    Args:
        cost: a Value already built, of any size; several in a list, for their values; or a function of Values.
        wrt: the leaves to differentiate with respect to. Their order is that of `theta` and of the gradient.
        inputs: the leaves that differ from example to example. Their order is that of the columns of a batch.
    """
    from autograd.compiler.calls import single_calls
    from autograd.compiler.fuse import fuse
    from autograd.compiler.guards import guarded
    from autograd.compiler.kernels import Kernels
    from autograd.compiler.loops import is_narrow, narrow, settled
    from autograd.compiler.passes import passed
    from autograd.compiler.program import Function, Program
    from autograd.compiler.roll import roll
    from autograd.compiler.trace import trace
    from autograd.compiler.transpose import differentiated
    from autograd.compiler.write import written

    @uncollected()
    def build(roots: list[Value], parameters: list[Value], inputs: list[Value], per_example: bool = False) -> Program:
        traced, leaves = trace(roots, [*parameters, *inputs])
        n, m = len(parameters), len(inputs)
        others = [leaf.data for leaf in leaves[n + m :]]
        fused = fuse(traced)
        code = narrow(traced, n, m, others) if is_narrow(fused) else None
        if code is None:
            layout = roll(traced, fused, n, m)
            code = differentiated(Kernels(traced, layout, n, m, others, per_example))
        text = written(single_calls(guarded(settled(passed(code)))))
        one = roots[0] if isinstance(cost, Value) or callable(cost) else None
        return Program(text, traced, leaves, n, m, one, per_example)

    cost = taken_out(cost)
    if callable(cost):
        if isinstance(wrt, Value) or isinstance(inputs, Value) or [*wrt, *inputs]:
            raise TypeError(
                "a function that is compiled has its arguments for inputs, and value_and_grad(...) differentiates with "
                "respect to all of them: wrt and inputs are for a cost that is computed already, a Value"
            )
        return Function(*traced_function(cost, build))
    roots: list[Any] = [cost] if isinstance(cost, Value) else list(cost) if is_iterable(cost) else []
    parameters, columns = leaves_of(wrt, "wrt"), leaves_of(inputs, "inputs")
    if not roots or not all(isinstance(root, Value) for root in roots):
        raise TypeError(f"compile takes a Value, a list of Values or a function of Values, not {cost!r}")
    if len({*parameters, *columns}) < len(parameters) + len(columns):
        raise ValueError("a leaf stands twice in wrt and inputs; each has one place, in theta or in the batch")
    return build(roots, parameters, columns)


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Pause the garbage collector: it would scan the whole graph again and again, and nothing here forms cycles."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def leaves_of(values: Iterable[Value], name: str) -> list[Value]:
    """The values as a list, all leaves."""
    if not isinstance(values, Value) and not is_iterable(values):
        raise TypeError(f"{name} takes a list of leaves, not {values!r}; leave it out for none")
    leaves: list[Any] = [values] if isinstance(values, Value) else list(values)
    for value in leaves:
        if not isinstance(value, Value):
            raise TypeError(f"{name} takes Values, not {value!r}")
        if value._x is not None:
            raise ValueError(
                f"{name} takes leaves; {value!r} is computed, by {value.op}: give the leaves it comes from"
            )
    return leaves


def traced_function(f: Callable[..., Any], build: Callable[..., Any]) -> tuple[Any, str, int]:
    """A function run once on fresh leaves, as a program: (program, its name, how many arguments it takes)."""
    name = getattr(f, "__name__", type(f).__name__)
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except ValueError:
        raise TypeError(f"compile takes a function whose arguments Python can list; {name} does not say them") from None
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters):
        raise TypeError(f"compile needs to know how many numbers {name} takes: *args and **kwargs do not say")
    taken = [p for p in parameters if p.default is p.empty]
    if by_keyword := [p.name for p in taken if p.kind is p.KEYWORD_ONLY]:
        raise TypeError(f"compile calls {name} with numbers by position, and {by_keyword[0]} is taken by keyword only")
    if not taken:
        raise TypeError(f"compile takes a function of one number or more; {name} takes none")
    try:
        cost, arguments = recorded(f, [p.name for p in taken])
        cost = taken_out(cost)
    except TypeError as error:
        if not TAKEN_FOR_A_LIST.search(str(error)):
            raise
        known = name if name.isidentifier() else "f"
        raise TypeError(
            f"compile calls {name} with one number for each argument, and {name} takes one for a list ({error}): give "
            f"it a function of numbers, such as lambda a, b: {known}([a, b])"
        ) from error
    if not isinstance(cost, Value):
        try:
            cost = Value(cost)
        except TypeError as error:
            raise TypeError(f"compile takes a function that returns one number. {name} does not: {error}") from None
    return build([cost], [], arguments, True), name, len(arguments)


def recorded(f: Callable[..., Any], names: list[str]) -> tuple[Any, list[Value]]:
    """What a function gives for fresh leaves, and these.

    What is recorded depends on no number; nan passes nearly everything, so that no argument is out of a domain. Where a
    choice between constants makes a number of it that is, others may not be.
    """
    import numpy as np

    *starts, last = math.nan, 0.3719, 1.3719, -0.3719
    for start in starts:
        arguments = [Value(start + 0.01 * k, label=name) for k, name in enumerate(names)]
        with tracing(), np.errstate(all="ignore"), contextlib.suppress(ArithmeticError, ValueError):
            return f(*arguments), arguments
    arguments = [Value(last + 0.01 * k, label=name) for k, name in enumerate(names)]
    with tracing():
        return f(*arguments), arguments
