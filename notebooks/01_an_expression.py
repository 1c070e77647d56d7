# %% [markdown]
# # An expression, and how fast it changes
#
# A `Value` is a number that remembers how it was computed. Write an expression, and you have a graph; ask for the
# gradient, and you know how fast the result changes with everything that went into it.
#
# After this notebook you can say, for one weight of an expression, what its gradient is made of, and which part of it
# made it small.

# %%
from autograd import Value, draw, explain, paths, tanh

w, a, b, y = Value(0.8, label="w"), Value(1.5, label="a"), Value(-0.5, label="b"), Value(1.0, label="y")
C = (tanh(w * a + b) - y) ** 2
C.label = "C"
C

# %% [markdown]
# That is the forward pass: 0.157, and how it came about. Nothing is known yet of gradients. One call walks the graph
# from the cost back to the leaves.

# %%
C.backward()
draw(C)

# %% [markdown]
# Now each box holds a gradient, too: `w` has about -0.75. If `w` grows by a little, the cost falls by 0.75 times as
# much. Try it. (If you run the cell above a second time, the leaves have twice the gradient, and the drawing says so:
# passes add up. Why, and what to do about it, is told in [notebook 4](04_why_a_topological_order.ipynb).)

# %%
w_after = w.data + 0.001
C_after = (tanh(w_after * a + b) - y) ** 2
print(f"the cost changes by {(C_after.data - C.data) / 0.001:.3f} times the step; the gradient is {w.grad:.3f}")

# %% [markdown]
# ## Where the number comes from
#
# Each edge of the drawing carries a *local derivative*: how fast the node at its head changes with the one at its tail,
# all others held still. The gradient is their product along the way from `w` to `C`.

# %%
explain(C, w)

# %% [markdown]
# The whole pass, forwards and then backwards, edge by edge: press the arrow keys, and move the sliders. (The page runs
# once the notebook is trusted or executed; before that its last picture stands here.)

# %%
from autograd import play

play(C)

# %% [markdown]
# When a value is used more than once, there is more than one way, and the products add up. Here `x` is used three
# times:

# %%
x = Value(2.0, label="x")
f = x * x + 3 / x
f.label = "f"
paths(f, x)

# %% [markdown]
# That is all of backpropagation: products along paths, added up. The rest is doing it without ever listing the paths.

# %% [markdown]
# ## From an expression to a network
#
# A neuron is the expression above with more inputs, a layer is a list of neurons, and a network a list of layers. This
# one has two inputs and 4 + 4 + 1 neurons. It takes a point of the plane to one number, which should be 1 for points of
# one moon and -1 for the other.

# %%
from nn import MLP, SGD, accuracy, fit, hinge, moons, train_test_split

X, labels = moons(200, noise=0.1, seed=0)
X_train, X_test, y_train, y_test = train_test_split(X, 2 * labels - 1, seed=0)

network = MLP(2, [4, 4, 1], activation="tanh", seed=1)
one_example = hinge(network(X_train[0]), y_train[0])
one_example.label = "C"
one_example.backward()
draw(one_example, unfold="neurons")

# %% [markdown]
# The cost of one example is one expression, here with the nodes of each neuron folded into one box. Some of its
# gradients are large, others small. What made this one small? The last sentence of the explanation compares what lies
# on the way from the weight to the cost: paths that cancel, and a small input.

# %%
explanation = explain(one_example, network.layers[0].neurons[1].w[1])
print(explanation.text.splitlines()[-1])

# %% [markdown]
# Training moves all 37 parameters against their gradients, a little at a time.

# %%
optimizer = SGD(network.parameters(), lr=0.1, momentum=0.9)
history = fit(network, X_train, y_train, loss=hinge, optimizer=optimizer, epochs=60, batch_size=25, progress=False)
print(f"the cost falls from {history.cost[0]:.1f} to {history.cost[-1]:.2f}")
print(f"of the points it has not seen, {accuracy(network, X_test, y_test):.0%} are on the right side")

# %%
import matplotlib.pyplot as plt

from nn import plot_decision_boundary, plot_history

plot_history(history)
plt.show()
# %%
plot_decision_boundary(network, X_test, y_test)
plt.show()

# %% [markdown]
# ## Try it
#
# Three chains, whose gradients you can work out by hand. The answers are folded below.

# %%
from autograd import exercises

exercises("chain", 3, seed=1)

# %% [markdown]
# ## Next
#
# How the chain rule runs through a network, equation by equation:
# [one neuron per layer](02_one_neuron_per_layer.ipynb).
