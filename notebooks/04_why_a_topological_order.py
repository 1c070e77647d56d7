# %% [markdown]
# # Why a topological order
#
# The backward pass is a loop of four lines. Each of its details can be left out, and the program still runs: it only
# gives other numbers. Here each is left out once, on one expression, to see which node goes wrong first, and by how
# much. After it you can tell from wrong gradients which line of an engine is to blame.

# %%
from autograd import Value, draw, tanh, zero_grad
from autograd.core.graph import backpropagate, topological_order

x = Value(0.5, label="x")
h = x * x
u = tanh(h)
v = 3 * u
C = v + h
h.label, u.label, v.label, C.label = "h", "u", "v", "C"
C.backward()
draw(C)

# %% [markdown]
# Two things about this small graph matter. The value `x` is used twice by one node, `x * x`. And `h` reaches the cost
# along a short way and a long one.

# %% [markdown]
# ## The walk as it should be
#
# From the cost towards the leaves, each node hands *its gradient times a partial* to each of its parents. The order is
# topological: a node comes after everything it was computed from, so walking in reverse, it has collected everything
# before it hands anything on.

# %%
right = backpropagate(C)
for node in reversed(topological_order(C)):
    print(f"dC/d{node.label} = {right[node]:.6f}")


# %% [markdown]
# To try other walks, here is the same loop with two switches: the order, and whether contributions are added.


# %%
def walk(order, add=True):
    gradient = dict.fromkeys(order, 0.0) | {C: 1.0}
    for node in reversed(order):
        for parent, partial in zip(node.parents, node.partials):
            contribution = gradient[node] * partial
            gradient[parent] = gradient[parent] + contribution if add else contribution
    return gradient


# %% [markdown]
# And a way to see what went wrong, from the cost backwards, with the wrong nodes marked in the picture:


# %%
def compare(wrong):
    for node in reversed(topological_order(C)):
        mark = "" if wrong[node] == right[node] else f"   should be {right[node]:.6f}"
        print(f"dC/d{node.label} = {wrong[node]:.6f}{mark}")
        node.grad = wrong[node]
    return draw(C, highlight=[node for node in wrong if wrong[node] != right[node]])


# %% [markdown]
# ## `=` instead of `+=`
#
# Each contribution overwrites the one before.

# %%
compare(walk(topological_order(C), add=False))

# %% [markdown]
# The first to go wrong is `h`: it is used twice, so two contributions arrive, and only the later one survives. Then `x`
# is wrong for two reasons: it inherits the error of `h`, and of its own two edges to `x * x` one is lost as well. In a
# chain, where every value is used once, the mistake does not show; it shows as soon as two neurons share an input.
#
# (The line below the picture is a guess: `draw` sees that these are not the gradients of this cost, and takes them for
# what other backward passes have left, by far the commonest reason.)

# %% [markdown]
# ## Any order
#
# The obvious way to write the walk is breadth first: start with the cost, then its parents, then theirs.

# %%
order = [C]
for node in order:
    order += [parent for parent in dict.fromkeys(node.parents) if parent not in order]
order.reverse()
print("breadth first:", *(node.label for node in reversed(order)))
print("topological:  ", *(node.label for node in reversed(topological_order(C))))

# %%
compare(walk(order))

# %% [markdown]
# Now `h` itself ends up right, and `x` is wrong. It was the turn of `h` while only the short way's contribution had
# arrived. What came along the long way was added to `h` later, but `h` had handed on its share already.
#
# How much is missing is exactly the sum of the products along the paths that came too late:

# %%
from autograd import paths

routes = paths(C, x)
late = sum(path.product for path in routes if u in path.nodes)
print(f"missing: {right[x] - walk(order)[x]:.6f}, the paths through u: {late:.6f}")
routes

# %% [markdown]
# One cure is to hand on every contribution the moment it arrives. That is right, but it walks every path by itself, and
# two hundred doublings have $2^{200}$ paths. The topological order visits each edge once.

# %%
doubled = one = Value(1.0, label="one")
for _ in range(200):
    doubled = doubled + doubled
print(paths(doubled, one).count == 2**200, backpropagate(doubled)[one] == 2.0**200)

# %% [markdown]
# ## No `zero_grad`
#
# Gradients of leaves add up over calls of `backward()`, which is what one wants when a cost comes in parts. Whoever
# forgets to set them to zero takes every step with the sum of all gradients so far.

# %%
zero_grad([x])
for step in (1, 2, 3):
    C.backward()
    print(
        f"after call {step}: x.grad = {x.grad:.6f}, {x.grad / right[x]:.0f} times the derivative; h.grad = {h.grad:.6f}"
    )

# %% [markdown]
# The leaf `x` accumulates. The inner node `h` does not: its gradient belongs to one pass, and is set afresh by each. An
# engine that lets inner nodes accumulate, too, hands on its old sums once more, and is wrong by more than a factor:

# %%
inner = dict.fromkeys(topological_order(C), 0.0)
for step in (1, 2, 3):
    inner[C] = 1.0
    for node in reversed(topological_order(C)):
        for parent, partial in zip(node.parents, node.partials):
            inner[parent] += inner[node] * partial
    print(f"after pass {step}: x has {inner[x] / right[x]:.4f} times its derivative")

# %% [markdown]
# ## A set of parents
#
# One more way to lose a path: to keep the parents of a node in a set. Then `x * x` has one parent, with one edge.

# %%
product = x * x
edges = dict(zip(product.parents, product.partials))
print(f"{len(edges)} edge of {len(product.parents)}: {sum(edges.values())} instead of {sum(product.partials)}")

# %% [markdown]
# ## What the order guarantees
#
# The gradient is a sum over all paths. Adding keeps every path; the topological order lets all paths into a node be
# added before the sum is multiplied on, which turns exponentially many paths into one visit of each edge; starting from
# zero keeps the sums of different passes apart. Step by step, and right:

# %%
from autograd import play

play(C)

# %% [markdown]
# ## Try it
#
# Three expressions in which a value is used more than once. Give `check` an answer that
# "=" instead of "+=" leads to, and it says so. The answers are folded below.

# %%
from autograd import exercises

exercises("shared", 3, seed=4)

# %% [markdown]
# ## Next
#
# So far a cost was built first and differentiated afterwards. A function can be differentiated, too, and its derivative
# again: [derivatives of functions](05_derivatives_of_functions.ipynb).
