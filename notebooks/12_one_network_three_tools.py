# %% [markdown]
# # One network, three tools
#
# The same digits, the same network, in three hands: as an estimator in scikit-learn's grid, trained by `fit` in a loop
# that one can watch, and on a cluster of two processes. After this notebook you know which to take when, and that it is
# one network all the same: every one of them can be taken apart.

# %%
import numpy as np

from nn import digits, train_test_split

X, y = digits()
X_train, X_test, y_train, y_test = train_test_split(X, y, test=0.25, seed=0, stratify=True)
print(X_train.shape, X_test.shape)

# %% [markdown]
# ## In a grid
#
# `MLPClassifier` has the names and the defaults of scikit-learn's own, so it stands wherever that one stands: in a
# pipeline, in a cross-validation, in a search for the best settings.

# %%
import warnings

from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

from nn import MLPClassifier

warnings.simplefilter("ignore", ConvergenceWarning)  # thirty epochs are meant
classifier = MLPClassifier((16,), "tanh", learning_rate_init=0.01, max_iter=30, random_state=0)
grid = GridSearchCV(classifier, {"alpha": [1e-4, 1.0, 100.0]}, cv=3).fit(X_train, y_train)

# %%
for alpha, score in zip(grid.cv_results_["param_alpha"], grid.cv_results_["mean_test_score"]):
    print(f"alpha {alpha:g}: {score:.3f}")
print(f"held-out digits recognised: {grid.score(X_test, y_test):.1%}")

# %% [markdown]
# No other estimator can be asked what follows. `.model_` is the network of Values; one digit's cost is an expression of
# its parameters, and the gradient of each of them can be explained.

# %%
from autograd import explain
from nn import cross_entropy

model = grid.best_estimator_.model_
C = cross_entropy(model(X_test[0].tolist()), int(y_test[0]))
C.label = "C"
model.zero_grad()
C.backward()
explain(C, model.layers[1].neurons[0].w[3])

# %% [markdown]
# ## By hand
#
# `fit` is the loop itself: a loss, an optimizer, batches, what is measured after each epoch, and what is to be done
# with it. The estimator above called it, too.

# %%
from nn import MLP, Adam, accuracy, fit, l2_penalty, plot_history

network = MLP(64, [16, 10], "tanh", seed=0)
weights = [w for layer in network.layers for neuron in layer.neurons for w in neuron.w]
settings = {"loss": cross_entropy, "epochs": 30, "batch_size": 200, "progress": False}
watched = {"validation": (X_test, y_test), "metrics": [accuracy]}

# %%
import matplotlib.pyplot as plt

optimizer = Adam(network.parameters(), lr=0.01)
penalty = lambda model: l2_penalty(weights, 1e-5)  # noqa: E731
history = fit(network, X_train, y_train, optimizer=optimizer, penalty=penalty, **watched, **settings)
plot_history(history)
plt.show()

# %% [markdown]
# ## On a cluster
#
# When the data outgrow one machine they lie in partitions: files of a data set, chunks of an array. Each worker adds up
# the gradients of its partitions, and the sums are added in the partitions' order. Here are two worker processes on
# this machine; a cluster of a hundred is another `Client`.

# %%
import logging

import dask.array as da
from distributed import Client, LocalCluster

data = da.from_array(X_train, chunks=(300, 64)), da.from_array(y_train, chunks=300)
local = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0", "silence_logs": logging.CRITICAL}


# %%
def trained(client):
    """The parameters after two epochs on the partitions, with a client or without."""
    network = MLP(64, [16, 10], "tanh", seed=0)
    optimizer = Adam(network.parameters(), lr=0.01)
    fit(network, *data, optimizer=optimizer, client=client, **{**settings, "epochs": 2})
    return np.array([p.data for p in network.parameters()])


# %%
with LocalCluster(**local) as cluster, Client(cluster) as client:
    here, there = trained(None), trained(client)
print("the same bits here and there:", np.array_equal(here, there))

# %% [markdown]
# A step on a cluster costs some tens of milliseconds for the messages alone, so partitions want to be large: for these
# few digits one process is much quicker. For what does not fit into its memory there is no choice.
#
# | take | when |
# |---|---|
# | `MLPClassifier`, `MLPRegressor` | the network is one of several models, in pipelines, grids and scores |
# | `fit` | you want to see, change or stop the training |
# | `fit(..., client=client)` | the data are larger than the machine |

# %% [markdown]
# ## Try it
#
# Three networks of two layers. The answers are folded below.

# %%
from autograd import exercises

exercises("layers", 3, seed=12)

# %% [markdown]
# ## The end
#
# That was the course. [An expression](01_an_expression.ipynb) is where it began; the README is the reference.
