# %% [markdown]
# # Two moons
#
# A hundred points lie on two half circles that reach into each other. Which half a new point belongs to is a question
# that no straight line can answer. A small network can, and because every number in it is a `Value`, we can also ask
# *why* one step of its training moved one weight the way it did.
#
# After this notebook you can train a network on points of the plane, watch it, and say what one example taught one
# weight.

# %%
from autograd import explain, paths
from nn import MLP, Adam, Live, accuracy, fit, hinge, moons, plot_activations, plot_decision_boundary, summary

X, y = moons(100, noise=0.1, seed=0)
targets = 2 * y - 1
model = MLP(2, [16, 16, 1], activation="relu", seed=0)
summary(model)

# %% [markdown]
# ## What it is asked to do
#
# The output is one number. It should be above 0 for one moon and below 0 for the other, and by a margin: the hinge
# loss $\max(0, 1 - y\,a)$ is 0 only where the output is on the right side by at least 1. Before training, the network
# knows nothing, and its idea of the plane is arbitrary.

# %%
import matplotlib.pyplot as plt

plot_decision_boundary(model, X, targets)
print(f"right about {accuracy(model, X, targets):.0%} of the points")
plt.show()

# %% [markdown]
# The solid line is where the output is 0, the dashed ones where it is 1 and -1: the margins.
#
# ## One step, looked at closely
#
# Take one point and its cost. The first weight of the second layer's first neuron, $w_{00}^{(2)}$, reaches the cost
# along exactly one path, so its gradient is one product:

# %%
C = hinge(model(X[0]), targets[0])
C.label = "C"
model.zero_grad()
C.backward()
first, second, last = model.layers
explain(C, second.neurons[0].w[0])

# %% [markdown]
# A factor that is 0 decides everything. Where a ReLU's slope is 0, its neuron is off for this point, and neither its
# weights nor anything before it learns from this example *through it*; from another example they may. (Dead is a unit
# that is off for every point.) A bias of the first layer fares better: it
# reaches the cost through every neuron of the second layer, and those that are on add up.

# %%
bias = max((neuron.b for neuron in first.neurons), key=lambda b: abs(b.grad))
routes = paths(C, bias, limit=5)
routes

# %%
print(f"{routes.count} paths lead from {bias.label} to C; their products sum to {routes.total:.6f}")
print(f"backward() found {bias.grad:.6f}")

# %% [markdown]
# One path through each of the sixteen neurons of the second layer, and those through neurons that are off contribute
# nothing. `backward()` never listed them: it handed gradients from node to node.
#
# ## All the steps
#
# Training is that step for all points together, again and again. `Live` redraws one picture while it goes on; what you
# see is its last one.

# %%
history = fit(
    model,
    X,
    targets,
    loss=hinge,
    optimizer=Adam(model.parameters(), lr=0.02),
    epochs=120,
    metrics=[accuracy],
    callbacks=[Live(X, targets)],
    progress=False,
)
print(history)

# %% [markdown]
# The cost all but reaches 0: the points are on their side of the margin, hardly any gradient is left, and the
# boundary has come to rest. New points of the same moons are the real test.

# %%
X_new, y_new = moons(400, noise=0.1, seed=1)
plot_decision_boundary(model, X, targets)
print(f"right about {accuracy(model, X_new, y_new):.1%} of 400 points it has never seen")
plt.show()

# %% [markdown]
# ## How it draws a bent line
#
# No neuron sees the moons. Each neuron of the first layer folds the plane along one straight line; those of the
# second add up such folds; the last one adds up the corners that they make. Each map below is one neuron's activation
# over the plane, orange where it is above 0.

# %%
plot_activations(model, X)
plt.show()

# %% [markdown]
# Some maps are white all over: neurons that are off at every point of the plane, which a network of ReLUs can afford to
# lose. What would have happened with another activation is the question of
# [three activations](08_three_activations.ipynb).

# %% [markdown]
# ## Try it
#
# Three networks of two layers, smaller than this one. The answers are folded below.

# %%
from autograd import exercises

exercises("layers", 3, seed=6)

# %% [markdown]
# ## Next
#
# Ten classes, and pictures instead of points: [digits](07_digits.ipynb).
