# %% [markdown]
# # Playing with a network
#
# Change the depth, the activation, the learning rate; watch what happens. With `ipywidgets` installed the last cell
# gives sliders; without it, call `watch` with settings of your own.

# %%
from matplotlib_inline.backend_inline import set_matplotlib_formats

from nn import MLP, Adam, Stages, accuracy, binary_cross_entropy, circles, fit, moons, spirals, xor

set_matplotlib_formats("svg")
DATA = {"moons": moons, "circles": circles, "spirals": spirals, "xor": xor}


# %%
def watch(data="moons", width=8, layers=2, activation="tanh", lr=0.03, epochs=150, seed=0):
    """Train a network and show four moments of it, and the fall of its cost."""
    X, y = DATA[data](100, seed=seed)
    model = MLP(2, [width] * layers + [1], activation=activation, seed=seed)
    settings = {"loss": binary_cross_entropy, "optimizer": Adam(model.parameters(), lr=lr), "epochs": epochs}
    fit(model, X, y, **settings, progress=False, callbacks=[Stages(X, y, epochs)])
    print(f"{data}, {layers} x {width} {activation}, lr {lr}: right about {accuracy(model, X, y):.1%}")


watch()

# %% [markdown]
# ## How much network does a problem need?
#
# Circles can be told apart by a handful of neurons in one layer: each cuts the plane once, and three cuts enclose the
# inner circle.

# %%
watch("circles", width=3, layers=1)

# %% [markdown]
# One neuron fewer, and the fence has a gap:

# %%
watch("circles", width=2, layers=1)

# %% [markdown]
# Spirals need more of everything.

# %%
watch("spirals", width=4, layers=1)
watch("spirals", width=16, layers=2, epochs=300)

# %% [markdown]
# ## How fast is too fast?
#
# The same network, with a learning rate that is too small, about right, and too large. The curve at the right tells
# them apart: a line that hardly falls, one that falls, one that jumps.

# %%
for lr in (0.001, 0.03, 1.0):
    watch("moons", lr=lr)

# %% [markdown]
# ## Without an activation
#
# A network of linear layers is a linear function, however deep: a weighted sum of weighted sums is a weighted sum. On
# `xor`, where no straight line helps, it can do no better than chance.

# %%
watch("xor", layers=3, activation="linear")
watch("xor", width=4, layers=1, activation="tanh")

# %% [markdown]
# ## Your turn
#
# Which combinations fail, and can you tell why from the pictures?

# %%
try:
    from ipywidgets import interact
except ImportError:
    print("pip install ipywidgets for sliders, or call watch(...) with settings of your own")
else:
    names, rates = ["tanh", "sigmoid", "relu", "gelu", "sin", "linear"], [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0]
    sliders = {"width": (1, 24), "layers": (1, 4), "epochs": (20, 400, 20), "seed": (0, 9)}
    interact(watch, data=list(DATA), activation=names, lr=rates, **sliders)
