# %% [markdown]
# # Digits
#
# Handwritten digits, 8 by 8 pixels each: 64 numbers in, 10 classes out. The network between has 32 neurons, and 2410
# parameters in all. The graph of one example's cost has 85 operations; `fit` traces it once and replays it as
# NumPy calls over whole batches, so that training takes seconds although every number is a scalar.
#
# After this notebook you can train a classifier, read its confusion matrix, and follow one mistake back to the weights.

# %%
import matplotlib.pyplot as plt

from nn import digits, plot_images, train_test_split

X, y = digits()
X_train, X_test, y_train, y_test = train_test_split(X, y, test=0.25, seed=0, stratify=True)
plot_images(X_train[:20], titles=y_train[:20])
print(f"{len(X_train)} digits to learn from, {len(X_test)} to be judged by")
plt.show()

# %% [markdown]
# The ten outputs are *logits*: `cross_entropy` turns them into probabilities by softmax and asks for minus the
# logarithm of the one that belongs to the true digit. Whoever knows nothing gives each digit a tenth, at a cost of
# $\log 10 \approx 2.3$. A fresh network does no better: its answers are arbitrary.

# %%
import numpy as np

from nn import MLP, AdamW, accuracy, cosine_decay, cross_entropy, fit, plot_history, predict

model = MLP(64, [32, 10], seed=0)
before = np.mean([cross_entropy(row, digit) for row, digit in zip(predict(model, X_test), y_test)])

# %%
steps = 30 * -(-len(X_train) // 32)  # 30 epochs of batches of 32
optimizer = AdamW(model.parameters(), lr=cosine_decay(0.005, steps))
settings = {"loss": cross_entropy, "optimizer": optimizer, "epochs": 30, "batch_size": 32, "metrics": [accuracy]}
history = fit(model, X_train, y_train, **settings, validation=(X_test, y_test), progress=False)
plot_history(history)
print(f"the cost of held-out digits was {before:.2f} and is {history.validation_cost[-1]:.2f}")
print(f"held-out digits recognised: {accuracy(model, X_test, y_test):.1%}")
plt.show()

# %% [markdown]
# The two cost curves part after a while: the network goes on becoming surer of the digits it has seen, and hardly
# better at those it has not. The learning rate falls along a cosine, so the last epochs only settle.
#
# ## Where it errs
#
# Rows are what the digit is, columns what the network takes it for.

# %%
from nn import plot_confusion

plot_confusion(model, X_test, y_test)
plt.show()

# %%
outputs = predict(model, X_test)
taken = outputs.argmax(axis=1)
wrong = taken != y_test
titles = [f"{true}, taken\nfor {guess}" for true, guess in zip(y_test[wrong], taken[wrong])]
plot_images(X_test[wrong], titles)
print(f"{(~wrong).sum()} of {len(X_test)} right, {wrong.sum()} wrong")
plt.show()

# %% [markdown]
# Some of these are hard to read at this size, others are not. Is the network at least unsure where it errs? The
# probability that it gives to its own answer, right or wrong:

# %%
from autograd import softmax

sure = np.array([max(softmax(row)) for row in outputs])
print(
    f"on average {sure[~wrong].mean():.2f} sure of itself where it is right, {sure[wrong].mean():.2f} where it is wrong"
)

# %% [markdown]
# ## One mistake, through the network
#
# What would this digit have taught the network? Its cost is $-\log p_j$ for the true digit $j$, and softmax with
# cross-entropy has a derivative that one can say in words: for the logit of each digit, the probability that the
# network gives it, less 1 for the true one.

# %%
from autograd import explain

i = int(np.argmax(wrong))
true, guess = int(y_test[i]), int(taken[i])
C = cross_entropy(model(X_test[i].tolist()), true)
C.label = "C"
model.zero_grad()
C.backward()
explain(C, model.layers[1].neurons[guess].b)

# %% [markdown]
# The bias of the wrong answer is pushed down, that of the right one up, each by how wrong it was. From there the
# mistake goes back to the first layer: the pixels whose weights the network would change most, orange to be raised.

# %%
moved = -np.array([[w.grad for w in neuron.w] for neuron in model.layers[0].neurons])
plot_images([X_test[i], moved[np.argmax(abs(moved).sum(axis=1))]], ["the digit", "the change"], signed=True)
plt.show()

# %% [markdown]
# ## What the neurons look for
#
# The weights of a first-layer neuron are themselves an 8 by 8 picture: orange pixels speak for it, blue ones against.

# %%
plot_images(model.state_dict()["layers.0.weight"], columns=11, signed=True)
plt.show()

# %% [markdown]
# None of them is a digit, or a stroke that one could name. Each is one question about the picture, and ten weighted
# sums of the answers suffice to tell the digits apart.

# %% [markdown]
# ## Try it
#
# Three networks of two layers. The answers are folded below.

# %%
from autograd import exercises

exercises("layers", 3, seed=7)

# %% [markdown]
# ## Next
#
# Which activation, and why: [three activations](08_three_activations.ipynb).
