# %% [markdown]
# # Playing with a network
#
# Change the depth, the activation, the learning rate; watch what happens. After this notebook you can tell from a
# picture whether a network is too small, a learning rate too large, or an activation missing.
#
# The [playground](https://glassgrad.github.io/glassgrad/) does the same on a page, without Python.

# %%
from nn import Panel

panel = Panel("moons", hidden=[8, 8], activation="tanh", lr=0.03)
panel.train(150)
panel

# %% [markdown]
# With `ipywidgets` installed (`pip install 'glassgrad[notebook]'`) this is a panel: play, pause, step, sliders that act
# at once, and a choice of weights whose gradient is explained for the step that comes next. Without it, it is the
# picture of its network, and its methods do what the buttons do. Here is the last sentence of one such explanation.

# %%
print(panel.explain("w_00^(1)").text.splitlines()[-1])

# %% [markdown]
# ## How much network does a problem need?
#
# Circles can be told apart by a handful of neurons in one layer: each cuts the plane once, and three cuts enclose the
# inner circle.


# %%
def watch(points, hidden, steps=150, activation="tanh", lr=0.03):
    """A panel after so many steps."""
    panel = Panel(points, hidden, activation, lr)
    panel.train(steps)
    return panel


watch("circles", [3])

# %% [markdown]
# One neuron fewer, and the fence has a gap:

# %%
watch("circles", [2])

# %% [markdown]
# Spirals need more of everything.

# %%
watch("spirals", [4])

# %%
watch("spirals", [8, 8], steps=600)

# %% [markdown]
# ## How fast is too fast?
#
# The same network, with a learning rate that is too small, about right, and too large. The costs of all three have the
# same axes, so that they can be compared: one falls slowly, one falls, one jumps.

# %%
import matplotlib.pyplot as plt
import numpy as np

from nn import History, plot_history

rates = (0.001, 0.03, 1.0)
runs = {f"lr {lr}": watch("moons", [8, 8], lr=lr).cost for lr in rates}
for name, cost in runs.items():
    print(f"{name:8} cost {cost[0]:.3f} -> {cost[-1]:.3f}, {(np.diff(cost) > 0).sum():3} steps went up")
plot_history({name: History(cost=cost) for name, cost in runs.items()})
plt.show()

# %% [markdown]
# ## Without an activation
#
# A network of linear layers is a linear function, however deep: a weighted sum of weighted sums is a weighted sum. On
# `xor`, a straight line can have three of the four corners on their right sides, and no more.

# %%
watch("xor", [8, 8, 8], activation="linear")

# %%
watch("xor", [4])

# %% [markdown]
# ## A film
#
# A training that `Live` watches can be kept as a film, `history.movie("training.gif")`, or as a sheet of moments.

# %%
from nn import MLP, Adam, Live, binary_cross_entropy, fit, moons

X, y = moons(100, seed=0)
model = MLP(2, [8, 8, 1], "tanh", seed=0)
settings = {"loss": binary_cross_entropy, "optimizer": Adam(model.parameters(), lr=0.03), "epochs": 150}
history = fit(model, X, y, **settings, callbacks=[Live(X, y)], progress=False)

# %%
history.sheet(4)

# %% [markdown]
# ## Try it
#
# Which combinations fail, and can you tell why from the pictures? And on paper, three neurons; the answers are folded
# below.

# %%
from autograd import exercises

exercises("neuron", 3, seed=9)

# %% [markdown]
# ## Next
#
# How a graph of scalars becomes a program:
# [a graph, its source and the race](10_a_graph_its_source_and_the_race.ipynb).
