# %% [markdown]
# # A graph, its source, and the race
#
# A graph of scalars can be read, drawn and explained, and run by the eager engine it is slow: every addition is an
# object. `compile` finds the arrays that the scalars form and writes the program that a person would have written, in
# NumPy, in JAX or in PyTorch. Nothing about the model changes, and every step on the way can be read.
#
# After this notebook you can compile a graph, follow it from its kernels through the passes to its source, and say what
# the program does and what it refuses.

# %% [markdown]
# ## A graph
#
# Three neurons see two inputs, a fourth sees the three. The cost is the squared error of one example.

# %%
import numpy as np

import autograd
from autograd import Value, draw
from nn import MLP, squared_error

model = MLP(2, [3, 1], activation="tanh", seed=4)
x, y = [Value(0.5, "x_0"), Value(-1.0, "x_1")], Value(1.0, "y")
cost = squared_error(model(x), y)
cost.label = "C"
cost.backward()
draw(cost, legend=False)

# %% [markdown]
# ## Its kernels
#
# Nodes of one operation at one depth form an array. What is to be computed is then a short list of *kernels*: records
# that say which array comes from which others, and how. The leaves fall into two kinds: the parameters, which the
# gradient is wanted for, and the inputs, which differ from example to example.

# %%
from autograd.compiler.reading import kernels_of, lines

code = kernels_of(cost, wrt=model.parameters(), inputs=[*x, y])
print(*lines(code), sep="\n")

# %% [markdown]
# The three neurons are one product of a matrix and a vector. The letters say what is summed: `lp,pe->le` multiplies row
# `l` of the weights with the inputs `p` of example `e`, and adds over `p`. A bias is the weight of an input that is
# always 1, so the matrix `b1_w1` has the biases as its first column, and `ones_x` a row of ones above the inputs.
#
# Below the empty line is the way back. `dz1` is the gradient of the cost with respect to `z1`. Each kernel of the way
# forward was turned round, from the last to the first: every gradient starts at 0, and what was read gets its share
# added, the partial from the table of operations times the gradient of the result. For a product these are two products
# again. `dones_a1` is that of the ones and, below them, of `a1`: so `da1` is known one line later.
#
# No rule of differentiation is written in the compiler. `1 - a1 * a1` comes from the row of `tanh`, the same text that
# the eager engine and the explanations use.

# %%
from autograd.core.table import TABLE

row = TABLE["tanh"]
print(f"{row.name}: {row.value}, derivative {row.partials[0]}")

# %% [markdown]
# ## The passes
#
# This list is right, and slow: it clears arrays that are written at once, adds where nothing is to be added to, and
# computes `power(sub1, 1.0)`. A *pass* is a function from kernels to kernels that makes one such thing better.
# `first_write` assigns what comes first to a gradient, and clears nothing that is assigned.

# %%
from autograd.compiler import passes


def changed(apply):
    """The kernels after a pass; prints those that are new, and how many there are."""
    before, after = lines(code), apply(code)
    print(*[line for line in lines(after) if line not in before], sep="\n")
    print(f"\n{len(before) - 1} kernels before, {len(lines(after)) - 1} after")
    return after


# %%
written = changed(passes.first_write)

# %% [markdown]
# `inline` puts what only one other kernel reads into that one, and `factors` multiplies constants beforehand.

# %%
code = passes.inline(passes.powers(written))
code = changed(passes.factors)

# %% [markdown]
# There are more, one after the other, and each leaves the program the same one. That is how a wrong one is found:
# without any pass a program is the plain list above, and they can be switched on one by one.

# %%
print(", ".join(each.__name__ for each in passes.PASSES))

with passes.only():
    plain = autograd.compile(cost, wrt=model.parameters(), inputs=[*x, y])
program = autograd.compile(cost, wrt=model.parameters(), inputs=[*x, y])
print(f"{plain.kernels} NumPy calls without passes, {program.kernels} with all of them")
print(abs(plain.value_and_grad()[1] - program.value_and_grad()[1]).max() < 1e-15)

# %% [markdown]
# ## Its source, in NumPy
#
# The last step writes the kernels down. Here they are calls of NumPy that write into arrays made once.

# %%
print(program.source[program.source.index("def program") :])

# %% [markdown]
# `program` makes the arrays, `forward` and `backward` are the two passes over them. The names are those of the labels
# in the picture. `dz1` takes over the array of `da1`, which is not needed any more.
#
# ## Its source, in JAX
#
# The same kernels are a pure function of arrays, the way forward alone: [JAX](https://docs.jax.dev) differentiates it,
# compiles it for the processor or a graphics card, and shares a batch among several of them. `program.to_torch()` is
# the same for PyTorch. Both are for those who outgrow NumPy, and need one thing more to be installed.

# %%
try:
    import jax

    jax.config.update("jax_enable_x64", True)  # doubles, as everywhere here
except ModuleNotFoundError:
    jax = None


def shown(program, start):
    """The source of a program in JAX from some line on, or what is missing."""
    source = program.to_jax().source if jax else "JAX is not installed: pip install 'glassgrad[jax]'"
    print(source[max(0, source.find(start)) :])


# %% tags=["rounding"]
shown(program, "def cost")

# %% [markdown]
# Its gradient is that of the NumPy program, although JAX has rules of its own.

# %% tags=["rounding"]
if jax:
    theta = np.array([p.data for p in model.parameters()])
    slope = jax.grad(program.to_jax())(theta)
    print("largest difference:", abs(slope - program.value_and_grad(theta)[1]).max())
else:
    print("JAX is not installed")

# %% [markdown]
# ## The same numbers
#
# One call evaluates the whole batch: the mean cost, and the gradient in the order of `wrt`. Here are three examples, by
# the program and by the eager engine.

# %%
from autograd import gradients, mean

batch = np.array([[0.5, -1.0, 1.0], [1.5, 0.2, 0.0], [-0.3, 0.8, 1.0]])
value, slope = program.value_and_grad(batch=batch)
eager = mean([squared_error(model(row[:2]), row[2]) for row in batch.tolist()])
print(f"{value:.12f}  {eager.data:.12f}")
for p, compiled, by_hand in zip(model.parameters(), slope, gradients(eager, model.parameters())):
    print(f"{p.label:9} {compiled:15.12f} {by_hand:15.12f}")

# %% [markdown]
# ## Every example written out
#
# The batch axis is a convenience, not a condition. Below, a network sees a hundred points, every sum is written by
# hand, one addition and one multiplication at a time, and the cost is one graph of all of it: the style of micrograd's
# demo.

# %%
from nn import hinge, moons

X, labels = moons(100, seed=1)
targets = (2 * labels - 1).tolist()
network = MLP(2, [16, 16, 1], seed=1)


# %%
def by_hand(x):
    """The network's output, in single operations."""
    for layer in network.layers:
        z = [sum((w * a for w, a in zip(neuron.w, x)), neuron.b) for neuron in layer.neurons]
        x = z if layer is network.layers[-1] else [v.relu() for v in z]
    return x[0]


# %%
def full_batch():
    """The mean hinge loss of all examples, and weight decay: one Value."""
    losses = [hinge(by_hand(list(map(Value, x))), t) for x, t in zip(X.tolist(), targets)]
    return mean(losses) + 1e-4 * sum(p * p for p in network.parameters())


whole = full_batch()
full = autograd.compile(whole, wrt=network.parameters())
print(f"{full.nodes:,} nodes, {full.kernels} NumPy calls, {full.nodes // full.kernels:,} nodes a call")

# %% [markdown]
# The hundred examples have become an axis of the arrays, the sixteen neurons another. Nobody said so: the compiler
# found the same weights meeting one example after the other.

# %%
print(full.source[full.source.index("    def forward") : full.source.index("    def backward")])

# %% tags=["rounding"]
shown(full, "def cost")

# %% [markdown]
# ## The race
#
# What does a value with its gradient cost when the graph is built and walked back, and what when the program runs, in
# NumPy or compiled by JAX for the processor of this machine? The numbers are those of the machine that made this page,
# each the fastest of many calls.

# %%
from time import perf_counter

weights = np.array([p.data for p in network.parameters()])
runners = {
    "eager": lambda: full_batch().backward(),
    "compiled, NumPy": lambda: full.value_and_grad(weights),
}
if jax:
    compiled_by_jax = jax.jit(jax.value_and_grad(full.to_jax()))
    runners["compiled, JAX"] = lambda: jax.block_until_ready(compiled_by_jax(weights))


# %%
def seconds(run):
    """How long one call takes."""
    start = perf_counter()
    run()
    return perf_counter() - start


def race(rounds=3):
    """The fastest call of each, in seconds."""
    return {name: min(seconds(run) for _ in range(rounds if name == "eager" else 200)) for name, run in runners.items()}


# %% tags=["rounding"]
times = race()
for name, time in times.items():
    print(f"{name:16} {1e3 * time:10.3f} ms {times['eager'] / time:10,.0f} times as fast as the eager engine")

# %% [markdown]
# A network of this size fits into the processor's cache, and what is left is mostly the calls themselves. On such
# networks NumPy and JAX are about as fast; the more examples, the wider the layers, the more there is for JAX to do on
# several cores or on a graphics card. `nn.fit(..., backend="jax")` trains on it.

# %% [markdown]
# ## What the program will not do
#
# It replays one recording. A function that decides something by comparing Values would be recorded with one decision,
# so it is refused, and told what to write instead.

# %%
try:
    autograd.compile(lambda a, b: a if a > b else b)
except TypeError as error:
    print(error)

fast = autograd.compile(lambda a, b: autograd.where(a - b, a * a, b))
print(fast(3.0, 2.0), fast(np.array([1.0, 3.0]), 2.0))

# %% [markdown]
# And where the eager engine refuses a number, the program does, in the same words.

# %%
root = autograd.compile(lambda p: autograd.log(p) / p)
try:
    root(np.array([0.5, -0.3]))
except ValueError as error:
    print(error)

# %% [markdown]
# ## Try it
#
# Three neurons: what would their programs compute? The answers are folded below.

# %%
from autograd import exercises

exercises("neuron", 3, seed=10)

# %% [markdown]
# ## Next
#
# Arrays of sixteen by sixteen are found easily. A model with attention has more of a shape:
# [a GPT from scalars](11_a_gpt_from_scalars.ipynb).
