# %% [markdown]
# # Three activations
#
# Sigmoid, tanh or ReLU? The usual advice is that the sigmoid is slow to converge, that tanh is centred on zero, and
# that ReLU lets the gradient pass. Train the same network on the same data with each of the three, everything else
# equal, and see; then look into the gradients for the reason.
#
# After this notebook you can say why the gradient of a deep network of sigmoids vanishes, in factors.

# %%
import matplotlib.pyplot as plt
import numpy as np

import autograd
from nn import MLP, SGD, accuracy, binary_cross_entropy, fit, health, moons, plot_decision_boundary, plot_history

X, y = moons(200, noise=0.12, seed=0)
NAMES = ("sigmoid", "tanh", "relu")

# %% [markdown]
# ## The race
#
# Plain gradient descent, so that no optimizer evens out what the activation does.

# %%
models = {name: MLP(2, [12, 12, 1], name, seed=0) for name in NAMES}
histories = {}
for name, model in models.items():
    optimizer = SGD(model.parameters(), lr=0.5)
    histories[name] = fit(model, X, y, loss=binary_cross_entropy, optimizer=optimizer, epochs=400, progress=False)
    print(f"{name:8} cost {histories[name].cost[-1]:.4f}, right about {accuracy(model, X, y):.1%}")
plot_history(histories)
plt.show()

# %%
for ax, name in zip(plt.subplots(1, 3, figsize=(9.6, 3), layout="constrained")[1], NAMES):
    plot_decision_boundary(models[name], X, y, ax=ax, resolution=120)
    ax.set_title(name)
plt.show()

# %% [markdown]
# The sigmoid stays on a plateau on which it has found little more than a straight line, while the other two have bent
# theirs around the moons. Same shape, same seed, same steps: what differs?
#
# ## The slopes
#
# Each layer multiplies the gradient by $\sigma'(z)$ on its way back. These are the three slopes:

# %%
z = np.linspace(-5, 5, 201)
left, right = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")[1]
for name in NAMES:
    sigma = autograd.compile(lambda z, name=name: getattr(autograd, name)(z))
    value, slope = sigma.value_and_grad(z)
    left.plot(z, value, label=name)
    right.plot(z, slope)
left.set(title=r"$\sigma(z)$", xlabel="$z$", ylim=(-1.2, 2))
right.set(title=r"$\sigma'(z)$", xlabel="$z$")
left.legend()
plt.show()

# %% [markdown]
# The sigmoid's slope is nowhere above 1/4. So on each path through two layers of sigmoids the slopes alone take at
# least fifteen sixteenths away; the weights on the path may give some of it back. Those of tanh and ReLU let up to all
# of it through. The deeper the network, the clearer it shows. Here is the size of the weights' gradients, layer by
# layer, in fresh networks of seven layers, at the same data:

# %%
deep = {name: MLP(2, [12] * 6 + [1], name, seed=0) for name in NAMES}
ax = plt.subplots(figsize=(6.4, 3.4), layout="constrained")[1]
for name, model in deep.items():
    sizes = [row["gradient"] for row in health(model, X[:20], y[:20], binary_cross_entropy).rows]
    ax.plot(range(1, 8), sizes, "o-", label=name)
    print(f"{name:8} the first layer's gradient is {sizes[0] / sizes[-1]:.1e} of the last layer's")
ax.set(xlabel="layer", ylabel="size of its gradient", yscale="log")
ax.legend()
plt.show()

# %% [markdown]
# In the network of sigmoids the first layer is all but deaf. That is the *vanishing gradient*: nothing is wrong with
# the derivative, it is exactly as small as the product of its factors. `paths` shows that product for one weight of
# the first layer, along its strongest path.

# %%
from autograd import paths

C = binary_cross_entropy(deep["sigmoid"](X[0]), y[0])
routes = paths(C, deep["sigmoid"].layers[0].neurons[0].w[0], limit=1)
strongest = routes[0]
print(" * ".join(f"{factor:.2g}" for factor in strongest.factors))
print(f"= {strongest.product:.1e}, the largest of {routes.count:,} paths")

# %% [markdown]
# ## Centred on zero
#
# The sigmoid has a second handicap. Its activations are all positive, and a weight's gradient is $a_k^{(l-1)}$ times
# something that all weights of the neuron share. So for one example all weights of a neuron must move up together, or
# down together; to turn, they have to zigzag. How often do the weight gradients of one neuron agree in sign?

# %%
for name in NAMES:
    model = MLP(2, [12, 12, 1], name, seed=0)
    binary_cross_entropy(model(X[0]), y[0]).backward()
    signs = np.sign([[w.grad for w in neuron.w] for neuron in model.layers[1].neurons])
    agreement = abs(signs.sum(axis=1)).sum() / abs(signs).sum()
    print(f"{name:8} {agreement:4.0%} agreement; {(signs == 0).mean():.0%} of the gradients are 0")

# %% [markdown]
# ReLU's activations are positive or 0 as well, so those of its weights that move agree, too; but many do not move at
# all, which is its own way of breaking the symmetry, and it never shrinks what it passes. The price is that a unit
# that is off for every point receives no gradient and stays off. The health report counts such units, and saturated
# ones. It asks for no more: the network of sigmoids, which is stuck, has neither.

# %%
for name in NAMES:
    print(f"{name}, after training\n{health(models[name], X)}\n")

# %% [markdown]
# So the advice holds, and its reasons are numbers that one can look at: how large the slope is, which sign the
# activation has, and whether there is any slope at all.

# %% [markdown]
# ## Try it
#
# Three chains: which factor makes each gradient small? The answers are folded below.

# %%
from autograd import exercises

exercises("chain", 3, seed=8)

# %% [markdown]
# ## Next
#
# Change everything and watch: [playing with a network](09_playing_with_a_network.ipynb).
