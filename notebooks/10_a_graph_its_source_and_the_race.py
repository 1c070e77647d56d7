# %% [markdown]
# # A graph, its source, and the race
#
# A graph of scalars can be read, drawn and explained, and run by the eager engine it is slow: every addition is an
# object. `compile` finds the arrays that the scalars form and writes the program that a person would have written in
# NumPy. Nothing about the model changes, and the program can be read as well.
#
# After this notebook you can compile a graph, read its program, and say what it does and what it refuses.

# %% [markdown]
# ## A graph
#
# Three neurons see two inputs, a fourth sees the three. The cost is the squared error of one example.

# %%
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
# ## Its source
#
# The leaves fall into two kinds: the parameters, which the gradient is wanted for, and the inputs, which differ from
# example to example. The program takes both as arrays.

# %%
program = autograd.compile(cost, wrt=model.parameters(), inputs=[*x, y])
print(program)

# %% [markdown]
# `program` makes the arrays, `forward` and `backward` are the two passes over them. The three neurons are one matrix
# product, their activations one call; on the way back, the transposed matrix. The names are those of the labels in
# the picture: `z1`, `a1`, and `b1_w1` for the weights of the first layer with the biases as their first column. A
# bias is the weight of an input that is always 1, so below a row of ones (`ones_x`) the matrix product adds it. `dz1`
# takes over the array of `da1`, which is not needed any more.

# %%
print(program.source[program.source.index("def program") :])

# %% [markdown]
# No rule is written in the compiler. `1 - a1 * a1` comes from the row of `tanh` in the table of operations, the same
# text that the eager engine and the explanations use.

# %%
from autograd.core.table import TABLE

row = TABLE["tanh"]
print(f"{row.name}: {row.value}, derivative {row.partials[0]}")

# %% [markdown]
# ## The same numbers
#
# One call evaluates the whole batch: the mean cost, and the gradient in the order of `wrt`. Here are three examples, by
# the program and by the eager engine.

# %%
import numpy as np

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

# %% [markdown]
# ## The race
#
# What does a training step cost when the graph is built and walked, and what when the program runs? A step eagerly
# builds the graph, walks it back and moves the weights; compiled it is `program.backward()` and the same move. The
# numbers are those of the machine that made this page.

# %%
from time import perf_counter

from nn import SGD

optimizer = SGD(network.parameters(), lr=0.05)


# %%
def step(backward):
    """One step of gradient descent; returns the seconds it took."""
    start = perf_counter()
    optimizer.zero_grad()
    backward()
    optimizer.step()
    return perf_counter() - start


# %%
def race(rounds=3):
    """The fastest step of each, in seconds: eager, compiled."""
    eagerly = min(step(lambda: full_batch().backward()) for _ in range(rounds))
    return eagerly, min(step(full.backward) for _ in range(20 * rounds))


# %% tags=["rounding"]
eagerly, compiled = race()
print(f"eager {1e3 * eagerly:.1f} ms, compiled {1e3 * compiled:.2f} ms: {eagerly / compiled:.0f} times faster")

# %% [markdown]
# Most of what is left is the update of Values one by one. `value_and_grad(theta)` keeps the parameters in an array, and
# the step is then as fast as one written by hand in NumPy; `nn.fit` does that for you.

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
