# %% [markdown]
# # Many neurons per layer
#
# With several neurons in a layer nothing new happens, except that a neuron now reaches the cost along several paths.
# This notebook goes on with equations (11) to (14) of the chapter, "Backpropagation calculus" of
# [3Blue1Brown](https://www.3blue1brown.com/lessons/backpropagation-calculus);
# [the one before](02_one_neuron_per_layer.ipynb) has the others. The letter $k$ numbers the neurons of layer $L-1$, and
# $j$ those of layer $L$. After it you can write down the gradient of any weight of any network, and compute it by hand.

# %% [markdown]
# ## Indices
#
# The weight $w^{(L)}_{jk}$ joins neuron $k$ to neuron $j$:
#
# $$z^{(L)}_j = \sum_k w^{(L)}_{jk} a^{(L-1)}_k + b^{(L)}_j, \qquad a^{(L)}_j = \sigma(z^{(L)}_j), \qquad
# C_0 = \sum_j (a^{(L)}_j - y_j)^2 \tag{11}$$
#
# `nn.MLP` labels its parameters and its nodes so, counting layers from 1 and neurons from 0. Here: two inputs, three
# neurons, two outputs.

# %%
from autograd import draw, explain, paths
from nn import MLP, squared_error

network = MLP(2, [3, 2], activation="sigmoid", output="sigmoid", seed=1)
hidden = network.layers[0]([0.5, -1.0])
outputs = network.layers[1](hidden)
C = squared_error(outputs, [1.0, 0.0])
C.label = "C_0"
C.backward()
draw(C)

# %% [markdown]
# A weighted sum is one node, as the textbook draws it: each neuron is its $z$ and its $a$.

# %%
[parameter.label for parameter in network.parameters()]

# %% [markdown]
# ## A weight has one path to its own neuron
#
# $$\frac{\partial C_0}{\partial w^{(L)}_{jk}} = a^{(L-1)}_k \, \sigma'(z^{(L)}_j) \,
# \frac{\partial C_0}{\partial a^{(L)}_j} \tag{12}$$
#
# The same three factors as with one neuron per layer, with indices. Here $j = 1$ and $k = 2$.

# %%
w_12 = network.layers[1].neurons[1].w[2]
explain(C, w_12)

# %% [markdown]
# ## An activation has several, and they add up
#
# Neuron $k$ feeds every neuron of the next layer. It influences the cost through each of them, and the influences add:
#
# $$\frac{\partial C_0}{\partial a^{(L-1)}_k} = \sum_j w^{(L)}_{jk} \, \sigma'(z^{(L)}_j) \,
# \frac{\partial C_0}{\partial a^{(L)}_j} \tag{13}$$

# %%
a_k = hidden[0]
explain(C, a_k)

# %% [markdown]
# Path by path, with the local derivatives along each, and what each contributes. The first one is highlighted below.

# %%
routes = paths(C, a_k)
routes

# %%
draw(C, highlight=routes[0])

# %% [markdown]
# How many paths there are grows with every layer. They need not be listed to be counted, nor to be added:

# %%
deep = MLP(2, [16] * 8 + [1], activation="tanh", seed=0)
output = deep([1.0, -1.0])
first_weight = deep.parameters()[0]
many = paths(output, first_weight, limit=3)
print(f"{many.count:,} paths; without the largest three, {many.remainder:.6g} of {many.total:.6g} remain")

# %% [markdown]
# ## The recursion
#
# Nobody walks so many paths. Equation (13) says what to do instead: collect $\partial C / \partial a$ for one
# layer, and only then go on to the layer before. For a layer $l$ before the last,
#
# $$\frac{\partial C}{\partial a^{(l)}_j} = \sum_i w^{(l+1)}_{ij} \, \sigma'(z^{(l+1)}_i) \,
# \frac{\partial C}{\partial a^{(l+1)}_i}, \qquad
# \frac{\partial C}{\partial w^{(l)}_{jk}} = a^{(l-1)}_k \, \sigma'(z^{(l)}_j) \,
# \frac{\partial C}{\partial a^{(l)}_j} \tag{14}$$
#
# and it begins with $2 (a^{(L)}_j - y_j)$ at the last. By hand, in NumPy:

# %%
import numpy as np

x, y = np.array([0.5, -1.0]), np.array([1.0, 0.0])
W1, b1, W2, b2 = network.state_dict().values()
a1 = 1 / (1 + np.exp(-(W1 @ x + b1)))
a2 = 1 / (1 + np.exp(-(W2 @ a1 + b2)))

delta2 = 2 * (a2 - y) * a2 * (1 - a2)
delta1 = (W2.T @ delta2) * a1 * (1 - a1)
by_hand = np.concatenate([np.outer(delta1, x).ravel(), delta1, np.outer(delta2, a1).ravel(), delta2])

# %% [markdown]
# And by `backward()`, which knows nothing of layers: it walks the graph of scalars.

# %%
by_the_engine = np.array([parameter.grad for parameter in network.parameters()])
print(np.column_stack([by_hand, by_the_engine]).round(6))
print("they agree to 1e-14:", np.allclose(by_hand, by_the_engine, rtol=0, atol=1e-14))

# %% [markdown]
# ## Try it
#
# Three networks of two layers. The answers are folded below.

# %%
from autograd import exercises

exercises("layers", 3, seed=3)

# %% [markdown]
# ## Next
#
# The recursion hangs on one condition: a neuron passes nothing on before it has collected everything. What if it does?
# See [why a topological order](04_why_a_topological_order.ipynb).
