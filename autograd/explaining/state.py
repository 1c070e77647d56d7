"""The state of a graph in words: leaves assigned since it was computed, gradients that earlier passes have left."""

import math

from autograd.assigning import stale
from autograd.core.graph import backpropagate
from autograd.core.value import Value
from autograd.explaining.typography import in_digits, one_line

PASSES = "the sum over all backward passes so far, those of other costs and from before a refresh() included"


def leaf_name(value: Value) -> str:
    """A leaf in a sentence."""
    return one_line(value.label) if value.label else f"an unlabelled leaf that is now {in_digits(value.data)}"


def enumerated(values: list[Value], most: int = 3) -> str:
    """Some leaves in a sentence."""
    names = [leaf_name(value) for value in values[:most]]
    names += [f"{len(values) - most} more"] * (len(values) > most)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def stale_words(cost: Value) -> str:
    """That leaves were assigned since the graph was computed, whose numbers are those of before; empty if none was."""
    leaves = stale(cost)
    if not leaves:
        return ""
    were = "was" if len(leaves) == 1 else "were"
    return (
        f"{enumerated(leaves)} {were} assigned after this graph was computed: values and derivatives are those of the "
        "old data. Build the cost again, or call its refresh()."
    )


def replayed_words(cost: Value) -> str:
    """The same for what is computed anew from the leaves: that its numbers are not those of the graph."""
    leaves = stale(cost)
    if not leaves:
        return ""
    were = "was" if len(leaves) == 1 else "were"
    return (
        f"{enumerated(leaves)} {were} assigned after the graph was computed. Here all is computed from the present "
        "data; the graph itself still holds the old numbers, until its refresh()."
    )


def summed_words(cost: Value) -> str:
    """That the gradients kept in the leaves are not those of this cost alone; empty where they are.

    Whether they are sums, of another cost or of before a refresh() cannot be told from the numbers.
    """
    if not math.isfinite(cost.grad):
        return ""
    order = backpropagate(cost)
    if not cost.grad:
        others = [x for x in order if not x.op and x.grad and x is not cost]
        if not others:
            return ""
        leaf = max(others, key=lambda x: abs(x.grad))
        return (
            "This cost has had no backward pass: gradients are those of other costs, such as "
            f"{in_digits(leaf.grad)} of {leaf_name(leaf)}. {clearing(others)} starts afresh."
        )
    leaves = [x for x in order if not x.op and x.grad and not same_gradient(x.grad, order[x] * cost.grad)]
    if not leaves:
        return ""
    leaf = max(leaves, key=lambda x: abs(x.grad))
    return (
        f"Gradients are not those of this cost alone: {leaf_name(leaf)} holds {in_digits(leaf.grad)}, {PASSES}; "
        f"this cost alone gives {in_digits(order[leaf])}. {clearing(leaves)} starts afresh."
    )


def clearing(leaves: list[Value], most: int = 4) -> str:
    """The call that sets the gradients of some leaves to 0, as one would write it."""
    named = len(leaves) <= most and all(leaf.label.isidentifier() for leaf in leaves)
    return f"zero_grad([{', '.join(leaf.label for leaf in leaves)}])" if named else "zero_grad(...) of its leaves"


def same_gradient(x: float, y: float) -> bool:
    """Whether two gradients are the same but for rounding; nan is same_gradient to anything."""
    return math.isclose(x, y, rel_tol=1e-6, abs_tol=1e-300) or x != x or y != y


def summed_gradient(value: Value, gradient: float) -> str:
    """That the gradient kept in one value is not the one that is shown here."""
    if not value.grad or same_gradient(value.grad, gradient):
        return ""
    kept = f"{leaf_name(value)}.grad holds {in_digits(value.grad)}, {PASSES}"
    return f"{kept}; this cost alone gives {in_digits(gradient)}. {clearing([value])} starts afresh."
