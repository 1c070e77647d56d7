"""Derivatives of functions: `grad`, `value_and_grad`, `jacobian`, `hessian`, `jvp`, `vjp`, `hvp`.

Each calls the function on fresh Values in place of its arguments and differentiates what it returns with respect to
those, so nothing that the caller holds is touched, and any of them nests in any other. Nested arguments are taken
apart in `autograd.calculus.trees`; gradients that are graphs come from `autograd.calculus.gradients`.
"""
# pyright: reportPrivateUsage=false

import functools
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from autograd.assigning import is_iterable
from autograd.calculus import trees
from autograd.calculus.gradients import (
    ValueOrFloat,
    depending,
    graph_gradient,
    may_be_infinite,
    partials,
    sum_of_products,
    worth,
)
from autograd.calculus.slopes import AFTER, never_raises
from autograd.cautions import warn_of_nan
from autograd.core.graph import backpropagate, push_forward, topological_order
from autograd.core.manners import number
from autograd.core.table import TABLE
from autograd.core.value import OPERATIONS, Value
from autograd.recording import differentiating, is_recording, is_tracing

Argnums = int | Sequence[int]


def grad(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The function that returns df/dx at its arguments, in the shape of x.

    `f` returns one number. `argnums` says which argument x is; several give a tuple. An argument is a number, or
    lists, tuples, dicts and NumPy arrays of numbers, nested as you like; `f` gets Values in their place (an array of
    objects for an array) and other arguments as they are.

    Numbers give floats, also when `f` uses Values of yours. Values give Values, a graph that can be differentiated
    further. Within another transform all that is needed for its derivative is kept: `grad(grad(f))` is the second.

    Raises:
        TypeError: `f` is not a function, does not return one number, or an argument holds something else than numbers;
            or `f` takes the `float` or `int` of a Value, as `math.exp` and a float array do, and the derivative would
            be lost. Comparisons may choose a branch.

    >>> grad(lambda x: x**3)(2.0)
    12.0
    >>> grad(grad(lambda x: x**3))(2.0)
    12.0
    >>> grad(lambda p: p["w"] * p["x"][0] + p["x"][1])({"w": 3.0, "x": [4.0, 5.0]})
    {'w': 4.0, 'x': [3.0, 1.0]}
    """
    return _transform(f, argnums, "grad", _slope)


def value_and_grad(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., tuple[Any, Any]]:
    """The function that returns (f, df/dx) at its arguments, for the price of `grad`.

    >>> value_and_grad(lambda x, y: x * y, argnums=(0, 1))(2.0, 5.0)
    (10.0, (5.0, 2.0))
    """
    return _transform(f, argnums, "value_and_grad", lambda call: (call.single_output(), _slope(call)))


def jacobian(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The function that returns every derivative of every output of `f` at its arguments.

    For arrays of shapes (m,) and (n,) an (m, n) array; in general the shape of the output, at each of whose numbers
    stands the shape of the argument. One backward pass per output.

    >>> jacobian(lambda x: [x[0] * x[1], x[0] + x[1]])([2.0, 3.0])
    [[3.0, 2.0], [1.0, 1.0]]
    """
    return _transform(f, argnums, "jacobian", _jacobian)


def hessian(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The function that returns every second derivative of `f`, which returns one number, at its arguments.

    For an array of shape (n,) an (n, n) array; in general the shape of the argument within itself.

    >>> hessian(lambda x: x[0] ** 2 * x[1])([3.0, 5.0])
    [[10.0, 6.0], [6.0, 0.0]]
    """
    return jacobian(_transform(f, argnums, "hessian", _slope), argnums)


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """(f, the change of f per step along `tangents`) at the arguments `primals`: the Jacobian times a vector.

    Forward mode: one pass from the arguments to the outputs with the same partials as the backward pass. It costs
    one pass whatever the number of outputs, but one for every direction.

    Raises:
        TypeError: `primals` or `tangents` is not a list or tuple with one entry per argument.
        ValueError: `tangents` is not shaped like `primals`.

    >>> jvp(lambda x, y: x * y, (2.0, 5.0), (1.0, 0.0))
    (10.0, 5.0)
    """
    _check_function(f, "jvp")
    for given, what in ((primals, "primals"), (tangents, "tangents")):
        if not isinstance(given, (list, tuple)):
            raise TypeError(f"jvp takes {what} as a tuple with one entry per argument of f, not {given!r}")
    directions = [_real(x, "a tangent") for x in trees.matching(list(tangents), list(primals), "tangents")]
    call = FreshCall(f, primals, {}, range(len(primals)), "jvp", others=directions)
    return call.settle((call.output, trees.assemble(call.output, call.changes(directions))))


def vjp(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """(f, pullback) at the arguments `primals`: `pullback(cotangent)` is a vector times the Jacobian.

    The cotangent has the shape of the output; the pullback returns a tuple with one entry per argument. It costs one
    backward pass whatever the number of arguments (and another call of `f` if the result is a graph).

    >>> value, pullback = vjp(lambda x, y: [x * y, x + y], 2.0, 5.0)
    >>> value, pullback([1.0, 10.0])
    ([10.0, 7.0], (15.0, 12.0))
    """
    _check_function(f, "vjp")
    every = range(len(primals))
    call = FreshCall(f, primals, {}, every, "vjp")
    output = call.output

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        """The cotangent times the Jacobian, one entry per argument."""
        weights = [_real(x, "a cotangent") for x in trees.matching(cotangent, output, "cotangent")]
        # A graph becomes part of one result, so each further result has a call of its own.
        values = call.graph or any(isinstance(x, Value) for x in weights)
        here = FreshCall(f, primals, {}, every, "vjp", others=weights) if values else call
        cost = OPERATIONS["weighted_sum"](weights, here.numbers) if weights else 0.0
        return here.settle(here.shaped([here.slopes(cost)]))

    return call.settle(output), pullback


def hvp(f: Callable[..., Any], x: Any, v: Any) -> Any:
    """The Hessian of `f` at `x` times `v`, in the shape of x, without the Hessian: the gradient pushed along `v`.

    >>> hvp(lambda x: x[0] ** 2 * x[1], [3.0, 5.0], [1.0, 10.0])
    [70.0, 6.0]
    """
    return jvp(_transform(f, 0, "hvp", _slope), (x,), (v,))[1]


class Multiplications(NamedTuple):
    """How many products of a partial with a derivative each mode takes to find a whole gradient."""

    forward: int
    reverse: int


def count_multiplications(cost: Value, wrt: Iterable[Value]) -> Multiplications:
    """How many multiplications the gradient of one cost takes in forward mode and in reverse mode.

    Reverse mode walks each edge of the graph once, whatever the number of weights. Forward mode makes a pass for each
    weight, over every edge that leads on from it.

    >>> from autograd import Value, weighted_sum
    >>> w = [Value(0.1 * i) for i in range(100)]
    >>> count_multiplications(weighted_sum(w, w).tanh(), w)
    Multiplications(forward=300, reverse=201)
    """
    order = topological_order(cost)
    edges = [(node, parent) for node in order for parent in node.parents]
    forward = 0
    for weight in wrt:
        downstream = depending(order, [weight])
        forward += sum(parent in downstream for _, parent in edges)
    return Multiplications(forward, len(edges))


# One call of a function on fresh Values ----------------------------------------------------------------------------


class FreshCall:
    """What `f` returns for fresh Values in place of the arguments `argnums`, and derivatives of that.

    Derivatives are a graph of Values if an argument is one, or if the call happens within another transform and uses
    Values of it. The graph is then an expression in the caller's Values: `settle` puts them in place of the fresh ones.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        args: Sequence[Any],
        kwargs: dict[str, Any],
        argnums: Argnums,
        name: str,
        others: Iterable[Any] = (),
    ):
        self.name = name
        positions = positions_of(argnums, len(args), name)
        single = not is_iterable(argnums)
        self.argument = args[positions[0]] if single else tuple(args[i] for i in positions)
        originals = [_real(x, f"an argument of {name}") for x in trees.flat_numbers(self.argument)]
        self.leaves = [Value(worth(x), x.label if isinstance(x, Value) else "") for x in originals]
        self.originals = {leaf: x for leaf, x in zip(self.leaves, originals) if isinstance(x, Value)}
        fresh = trees.assemble(self.argument, self.leaves)
        replaced = dict(zip(positions, [fresh] if single else fresh))
        within = is_recording()
        with differentiating():
            self.output = f(*[replaced.get(i, x) for i, x in enumerate(args)], **kwargs)
        self.numbers = [_result(x, name) for x in trees.flat_numbers(self.output)]
        self.graph = bool(self.originals) or any(isinstance(x, Value) for x in others)
        self.graph = self.graph or (within and self._uses_other_values())

    def _uses_other_values(self) -> bool:
        own = set(self.leaves)
        return any(not node.op and node not in own for node in topological_order(*self._outputs()))

    def _outputs(self) -> list[Value]:
        return [x for x in self.numbers if isinstance(x, Value)]

    def single_output(self) -> ValueOrFloat:
        """The output, if it is one number; a TypeError that says what to use instead if it is not."""
        if trees.is_sequence(self.output) or trees.is_dict(self.output) or trees.is_array(self.output):
            raise TypeError(
                f"{self.name} takes a function of one result, and this one returned {len(self.numbers)} of them in a "
                f"{type(self.output).__name__}: use jacobian for all their derivatives, vjp for those of a weighted sum"
            )
        return self.numbers[0]

    def slopes(self, output: ValueOrFloat) -> list[ValueOrFloat]:
        """d output / d leaf for each fresh leaf, in reverse mode."""
        if not isinstance(output, Value):
            return [0.0] * len(self.leaves)
        gradient: dict[Value, Any] = graph_gradient(output, self.leaves) if self.graph else backpropagate(output)
        warn_of_nan({node: worth(slope) for node, slope in gradient.items()})
        return [gradient.get(leaf, 0.0) for leaf in self.leaves]

    def changes(self, directions: list[ValueOrFloat]) -> list[ValueOrFloat]:
        """The change of each output per step of the leaves along the directions, in forward mode."""
        order = topological_order(*self._outputs())
        tangent: dict[Value, Any] = {
            leaf: v for leaf, v in zip(self.leaves, directions) if isinstance(v, Value) or v != 0.0
        }
        if self.graph:
            unbounded: set[ValueOrFloat] = {*depending(order, filter(may_be_infinite, order))}
            for node in order:
                terms = [(partial, tangent[parent]) for parent, partial in partials(node, tangent)]
                if terms:
                    tangent[node] = sum_of_products(terms, unbounded)
        else:
            push_forward(order, tangent)
        return [tangent.get(x, 0.0) if isinstance(x, Value) else 0.0 for x in self.numbers]

    def shaped(self, rows: list[list[ValueOrFloat]], shape: trees.ArrayShape = None) -> Any:
        """The slopes of an output of some shape, one row for each of its numbers, in the shape of the argument."""
        blocks: list[Any] = []
        start = 0
        for inner in trees.shapes(self.argument):
            stop = start + trees.block_size(inner)
            both = None if shape is None and inner is None else (*(shape or ()), *(inner or ()))
            blocks.append(trees.block([x for row in rows for x in row[start:stop]], both))
            start = stop
        return trees.rebuild(self.argument, blocks)

    def settle(self, result: Any) -> Any:
        """The result with floats in place of Values; or if it is a graph, with the caller's Values in it."""
        if not self.graph:
            return trees.assemble(result, map(worth, trees.flat_numbers(result)))
        roots = [x if isinstance(x, Value) else Value(x) for x in trees.flat_numbers(result)]
        others = self._outputs() if is_tracing() else []
        for node in topological_order(*roots, *others):
            replace_operands(node, self.originals)
        roots = [self.originals.get(root, root) for root in roots]
        return trees.assemble(result, [within_domains(root, others) for root in roots] if others else roots)


def replace_operands(node: Value, replacement: dict[Value, Value]) -> None:
    """Let a node that was made on the way to a result refer to other Values, equal in data to its own."""
    if not isinstance(node._x, tuple):
        node._x, node._y = replacement.get(node._x, node._x), replacement.get(node._y, node._y)
    elif not replacement.keys().isdisjoint(node._y):
        whole = node.operands is node.parents
        node._x = operands = tuple([replacement.get(x, x) if isinstance(x, Value) else x for x in node.operands])
        node._y = operands if whole else tuple([replacement.get(x, x) for x in node.parents])


def within_domains(result: Value, outputs: list[Value]) -> Value:
    """The result of a derivative in a function that is compiled, with the errors of the function it is derived from.

    The second derivative of x / y in x is 0, and yet there is none at y = 0: the quotient is to be computed first.
    """
    computed = set(topological_order(result))
    checked = {domain_of(node) for node in computed}
    for node in reversed(topological_order(*outputs)):
        evaluated = node in computed or (node.op, node.operands) in checked
        if node.op and not evaluated and not never_raises(TABLE[node.op]):
            result = OPERATIONS[AFTER](result, node)
            computed.update(topological_order(node))
    return result


def domain_of(node: Value) -> tuple[str, tuple[ValueOrFloat, ...]]:
    """The operation that a slope has the domain of, by its name and operands."""
    row = TABLE[node.op] if node.op else None
    if row is None or not row.domain:
        return "", ()
    operands = dict(zip(row.operands, node.operands))
    return row.domain, tuple([operands[x] for x in TABLE[row.domain].operands])


def _transform(
    f: Callable[..., Any], argnums: Argnums, name: str, derivative: Callable[[FreshCall], Any]
) -> Callable[..., Any]:
    """The function that calls `f` on fresh Values and returns some derivative of that call."""
    _check_function(f, name)

    @functools.wraps(f, updated=())
    def transformed(*args: Any, **kwargs: Any) -> Any:
        call = FreshCall(f, args, kwargs, argnums, name)
        return call.settle(derivative(call))

    transformed.__name__ = transformed.__qualname__ = f"{name}({getattr(f, '__name__', type(f).__name__)})"
    return transformed


def _slope(call: FreshCall) -> Any:
    return call.shaped([call.slopes(call.single_output())])


def _jacobian(call: FreshCall) -> Any:
    rows = iter([call.slopes(x) for x in call.numbers])
    shapes = trees.shapes(call.output)
    return trees.rebuild(
        call.output, [call.shaped([next(rows) for _ in range(trees.block_size(s))], s) for s in shapes]
    )


# Checks ------------------------------------------------------------------------------------------------------------


def _check_function(f: Any, name: str) -> None:
    if isinstance(f, Value):
        raise TypeError(
            f"{name} takes a function, not a Value: use gradients(cost, wrt) for a cost that is already computed"
        )
    if not callable(f):
        raise TypeError(f"{name} takes a function, not {f!r}")


def positions_of(argnums: Any, n: int, name: str) -> list[int]:
    """The positions of the arguments, of n, that `argnums` names, counted from the front."""
    wanted: list[Any] = list(argnums) if any(isinstance(argnums, kind) for kind in (tuple, list, range)) else [argnums]
    try:
        if any(map(is_iterable, wanted)):  # a NumPy array of one number has an index, too
            raise TypeError
        wanted = list(map(operator.index, wanted))
    except TypeError:
        raise TypeError(f"argnums is the position of an argument or a tuple of positions, not {argnums!r}") from None
    for i in wanted:
        if not -n <= i < n:
            raise TypeError(f"{name} with argnums={argnums!r} of a function called with {n} positional arguments")
    positions = [i % n for i in wanted]
    if len(set(positions)) < len(positions):
        raise ValueError(f"argnums={argnums!r} names an argument twice")
    return positions


def _real(x: Any, what: str) -> ValueOrFloat:
    return x if isinstance(x, Value) else number(x, what)


def _result(x: Any, name: str) -> ValueOrFloat:
    try:
        return _real(x, name)
    except TypeError:
        advice = (
            "is a return statement missing?" if x is None else "return a Value, or lists, tuples, dicts, arrays of them"
        )
        raise TypeError(
            f"{name} takes a function that returns Values, not {x!r} ({type(x).__name__}): {advice}"
        ) from None
