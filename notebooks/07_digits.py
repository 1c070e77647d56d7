# %% [markdown]
# # Digits
#
# Handwritten digits, 8 by 8 pixels each: 64 numbers in, 10 classes out. The network between has 32 neurons, and 2410
# parameters in all. The graph of one example's cost is a few hundred nodes; `fit` traces it once and replays it as
# NumPy calls over whole batches, so that training takes seconds although every number is a scalar.

# %%
from matplotlib_inline.backend_inline import set_matplotlib_formats

from nn import digits, plot_images, train_test_split

set_matplotlib_formats("svg")
X, y = digits()
X_train, X_test, y_train, y_test = train_test_split(X, y, test=0.25, seed=0, stratify=True)
axes = plot_images(X_train[:20], titles=y_train[:20])
print(f"{len(X_train)} digits to learn from, {len(X_test)} to be judged by")

# %% [markdown]
# The ten outputs are *logits*: `cross_entropy` turns them into probabilities by softmax and asks for minus the
# logarithm of the one that belongs to the true digit. A network that knows nothing gives each digit a tenth, at a
# cost of $\log 10 \approx 2.3$, so that is where the curve should begin.

# %%
from nn import MLP, AdamW, accuracy, cosine_decay, cross_entropy, fit, plot_history

model = MLP(64, [32, 10], seed=0)
steps = 30 * -(-len(X_train) // 32)  # 30 epochs of batches of 32
optimizer = AdamW(model.parameters(), lr=cosine_decay(0.005, steps))
settings = {"loss": cross_entropy, "optimizer": optimizer, "epochs": 30, "batch_size": 32, "metrics": [accuracy]}
history = fit(model, X_train, y_train, **settings, validation=(X_test, y_test), progress=False)
ax = plot_history(history)
print(f"held-out digits recognised: {accuracy(model, X_test, y_test):.1%}")

# %% [markdown]
# The two cost curves part after a while: the network goes on becoming surer of the digits it has seen, and no better
# at those it has not. The learning rate falls along a cosine, so the last epochs only settle.
#
# ## Where it errs
#
# Rows are what the digit is, columns what the network takes it for.

# %%
from nn import plot_confusion

ax = plot_confusion(model, X_test, y_test)

# %%
from nn import predict

outputs = predict(model, X_test)
taken = outputs.argmax(axis=1)
wrong = taken != y_test
titles = [f"{true}, taken\nfor {guess}" for true, guess in zip(y_test[wrong], taken[wrong])]
axes = plot_images(X_test[wrong], titles)
print(f"{(~wrong).sum()} of {len(X_test)} right, {wrong.sum()} wrong")

# %% [markdown]
# Most of these would make a person hesitate, too, at this size. Is the network at least unsure where it errs? The
# probability that it gives to its own answer, right or wrong:

# %%
import numpy as np

from autograd import softmax

sure = np.array([max(softmax(row)) for row in outputs])
print(
    f"on average {sure[~wrong].mean():.2f} sure of itself where it is right, {sure[wrong].mean():.2f} where it is wrong"
)

# %% [markdown]
# ## What the neurons look for
#
# The weights of a first-layer neuron are themselves an 8 by 8 picture: orange pixels speak for it, blue ones against.

# %%
axes = plot_images(model.state_dict()["layers.0.weight"], columns=11, signed=True)

# %% [markdown]
# None of them is a digit, or a stroke that one could name. Each is one question about the picture, and ten weighted
# sums of the answers suffice to tell the digits apart.
