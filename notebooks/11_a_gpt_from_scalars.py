# %% [markdown]
# # A GPT from scalars
#
# A language model predicts the next letter from the letters before it. This one has everything that a GPT has:
# embeddings, attention with four heads, normalisation, a feed-forward network, residual connections, Adam. It has one
# layer and about four thousand parameters, each of them a `Value`, and not one array in its definition.
#
# Eager, a graph like this costs a Python object per operation. Compiled, the same graph is some hundred NumPy calls,
# and the training takes seconds. After this notebook you have seen every number of a language model, and can ask any of
# them what it does to the cost.

# %% [markdown]
# ## Names to learn from
#
# Two or three syllables make a name. The model is not told about syllables; it sees letters. The letter `.` stands
# before and after every name.

# %%
import random

rng = random.Random(7)
SYLLABLES = "ka la mi no ra se ti vo lu ne da ri sha el an".split()
names = set()
while len(names) < 400:
    names.add("".join(rng.choice(SYLLABLES) for _ in range(rng.choice([2, 2, 3]))))
names = sorted(names)
rng.shuffle(names)
letters = "." + "".join(sorted(set("".join(names))))
print(len(names), "names of the letters", letters)
print(*names[:10])

# %% [markdown]
# ## The model, one scalar at a time
#
# A letter is sixteen numbers, its *embedding*; so is a position. Matrices are lists of lists of Values.

# %%
from autograd import Value, logsumexp, relu, softmax, weighted_sum

SIZE, HEADS, LONGEST = 16, 4, 10


def matrix(name, rows, columns, scale=0.1):
    """Rows of parameters, drawn from a bell curve."""
    return [[Value(rng.gauss(0, scale), f"{name}_{i},{j}") for j in range(columns)] for i in range(rows)]


letter_rows = matrix("E", len(letters), SIZE)
position_rows = matrix("P", LONGEST, SIZE)

# %% [markdown]
# The layer has a query, a key and a value matrix, one that mixes the heads, and the two of the feed-forward network.
# The last matrix scores the letters.

# %%
query, key, value, mix = (matrix(name, SIZE, SIZE) for name in ("Q", "K", "V", "O"))
up, down = matrix("U", 4 * SIZE, SIZE), matrix("D", SIZE, 4 * SIZE)
head = matrix("H", len(letters), SIZE)
matrices = (position_rows, query, key, value, mix, up, down, head)
layer = [p for rows in matrices for row in rows for p in row]
print(len(layer) + len(letters) * SIZE, "parameters")


# %% [markdown]
# A matrix times a vector is one weighted sum per row. Normalisation divides a vector by the root of its mean square.


# %%
def times(W, x):
    """The matrix W times the vector x."""
    return [weighted_sum(row, x) for row in W]


def normalized(x):
    """The vector scaled to mean square 1."""
    scale = (weighted_sum(x, x) / len(x) + 1e-5) ** -0.5
    return [v * scale for v in x]


# %% [markdown]
# Attention: a position asks (its *query*), every position so far offers (its *key*), and the better an offer fits, the
# more of that position's *value* is read. Softmax turns the fits into weights that sum to 1. Each of the four heads
# does so with four of the sixteen numbers. The weight with which position $t$ reads position $s$ is labelled
# $\alpha_{t,s}$.


# %%
def attend(q, keys, values):
    """What one head reads at a position with query `q`: the values, weighted by how well their keys fit."""
    weights = softmax([weighted_sum(q, k) / len(q) ** 0.5 for k in keys])
    for s, weight in enumerate(weights):
        weight.label = f"α_{len(keys) - 1},{s}"
    return [weighted_sum(weights, column) for column in zip(*values)]


def heads(x):
    """The vector cut into one piece per head."""
    return [x[i : i + SIZE // HEADS] for i in range(0, SIZE, SIZE // HEADS)]


# %%
def attention(n, keys, values):
    """What all heads read at the next position, whose keys and values join those of the positions before."""
    keys.append(heads(times(key, n)))
    values.append(heads(times(value, n)))
    queries = heads(times(query, n))
    return joined(attend(q, [k[h] for k in keys], [v[h] for v in values]) for h, q in enumerate(queries))


def joined(vectors):
    """The vectors as one, end to end."""
    return [v for vector in vectors for v in vector]


# %% [markdown]
# The whole: at each position attention over the positions so far, then the feed-forward network, both added to what
# they were computed from; at the end a score for every letter.


# %%
def added(x, y):
    """The sum of two vectors."""
    return [a + b for a, b in zip(x, y)]


# %%
def scores(rows):
    """For each position the score of each letter to come next, from the embedded letters so far."""
    keys, values, results = [], [], []
    for row, position in zip(rows, position_rows):
        x = normalized(added(row, position))
        x = added(x, times(mix, attention(normalized(x), keys, values)))
        x = added(x, times(down, [relu(v) for v in times(up, normalized(x))]))
        results.append(times(head, x))
    return results


# %% [markdown]
# The cost of a name is the mean surprise, $-\log p$, at its letters. The target is a row of a table with a single 1.


# %%
def cost_of(rows, targets):
    """The mean over the positions of the cross-entropy of the next letter."""
    losses = [logsumexp(s) - weighted_sum(y, s) for s, y in zip(scores(rows), targets)]
    return weighted_sum([1 / len(losses)] * len(losses), losses)


def leaves(name, n, columns):
    """Rows of leaves that data will fill."""
    return [[Value(0.1 * (i + 1), f"{name}{t}_{i}") for i in range(columns)] for t in range(n)]


# %% [markdown]
# ## One program per length
#
# The graph of a name depends on its length alone: which letters it has only decides what the leaves are worth. So each
# length is compiled once. The embedded letters are leaves like the weights: their part of the gradient is added back to
# the rows of the table that they were taken from.

# %%
import autograd


def program_for(length):
    """The compiled cost of names of `length` letters, as a function of the layer and the embedded letters."""
    rows, targets = leaves("x", length + 1, SIZE), leaves("y", length + 1, len(letters))
    return autograd.compile(cost_of(rows, targets), wrt=layer + joined(rows), inputs=joined(targets))


programs = {length: program_for(length) for length in sorted({len(name) for name in names})}
for length, program in programs.items():
    print(f"{length} letters: {program.nodes:5} nodes in {program.kernels:3} NumPy calls")

# %% [markdown]
# ## Training
#
# The parameters are two arrays now: the layer's, and the table of letters. Adam, written out, moves both.

# %%
import numpy as np

theta = np.array([p.data for p in layer])
table = np.array([[p.data for p in row] for row in letter_rows])


# %%
def cost_and_gradients(name):
    """The cost of a name, and its gradients: of the layer, of the table of letters."""
    tokens = [letters.index(letter) for letter in "." + name + "."]
    batch = np.eye(len(letters))[tokens[1:]].reshape(1, -1)
    point = np.concatenate([theta, table[tokens[:-1]].ravel()])
    cost, gradient = programs[len(name)].value_and_grad(point, batch)
    slopes = np.zeros_like(table)
    np.add.at(slopes, tokens[:-1], gradient[len(theta) :].reshape(-1, SIZE))
    return cost, gradient[: len(theta)], slopes


# %%
class Adam:
    """The optimizer, for an array that is moved in place."""

    def __init__(self, x):
        self.x, self.mean, self.square, self.steps = x, np.zeros_like(x), np.zeros_like(x), 0

    def step(self, gradient, lr):
        self.steps += 1
        self.mean += 0.15 * (gradient - self.mean)
        self.square += 0.01 * (gradient**2 - self.square)
        mean, square = self.mean / (1 - 0.85**self.steps), self.square / (1 - 0.99**self.steps)
        self.x -= lr * mean / (np.sqrt(square) + 1e-8)


# %% [markdown]
# A step takes four names. The first guess is as good as rolling a die with one face per letter, $\log n$.

# %%
STEPS = 600
optimizers, costs = (Adam(theta), Adam(table)), []
for step in range(STEPS):
    batch = [cost_and_gradients(names[(4 * step + k) % len(names)]) for k in range(4)]
    costs.append(np.mean([cost for cost, _, _ in batch]))
    for optimizer, gradients in zip(optimizers, list(zip(*batch))[1:]):
        optimizer.step(np.mean(gradients, axis=0), lr=0.01 * (1 - step / STEPS))
print(f"log {len(letters)} = {np.log(len(letters)):.2f}; the first step's cost is {costs[0]:.2f}")
for start in (0, 100, 300, STEPS - 50):
    print(f"steps {start:3} to {start + 49:3}: mean cost {np.mean(costs[start : start + 50]):.2f}")

# %% [markdown]
# How good is that? There are 400 names, all equally likely. Whoever knew the list by heart would still need $\log 400$
# for each name, spread over its letters and the final dot: the names' own entropy. On average no model of these names
# can do better, but for half a percent that may be won by betting on short names, whose letters count for more here.

# %%
import matplotlib.pyplot as plt

entropy = np.mean([np.log(len(names)) / (len(name) + 1) for name in names])
smooth = np.convolve(costs, np.ones(20) / 20, mode="valid")
ax = plt.subplots(figsize=(7, 3), layout="constrained")[1]
ax.plot(range(10, 10 + len(smooth)), smooth, color="#0072b2", label="cost, mean of 20 steps")
for height, name in ((np.log(len(letters)), "any letter as likely as another"), (entropy, "the names' own entropy")):
    ax.axhline(height, color="0.4", linestyle="--", linewidth=1)
    ax.text(STEPS, height, name, ha="right", va="bottom", fontsize="small", color="0.3")
ax.set(xlabel="step", ylabel="cost", ylim=(0, 3))
ax.legend(frameon=False, loc="center right")
plt.show()

# %% [markdown]
# ## Names that it makes up
#
# The Values take the trained numbers. Every new letter is drawn with the probability that the model gives it, and for
# that the same functions run as they stand, on Values, as an eager graph.

# %%
for p, x in zip(layer, theta):
    p.data = x
for row, trained in zip(letter_rows, table):
    for p, x in zip(row, trained):
        p.data = x


def next_letter(name):
    """A letter drawn from the model's distribution after the letters so far."""
    chances = softmax(scores([letter_rows[letters.index(letter)] for letter in "." + name])[-1])
    return rng.choices(letters, [p.data for p in chances])[0]


# %%
def new_name():
    """A name, letter by letter, until the model ends it."""
    name = ""
    while len(name) < LONGEST - 1 and (letter := next_letter(name)) != ".":
        name += letter
    return name


made = [new_name() for _ in range(20)]
print(*made)

# %% [markdown]
# Does it know about syllables? Here is how many of the new names can be cut into them, and how many of those it has not
# seen.

# %%
import re

syllabic = [name for name in made if re.fullmatch(f"({'|'.join(SYLLABLES)})+", name)]
print(f"{len(syllabic)} of {len(made)} names are made of syllables,", end=" ")
print(f"{len(set(syllabic) - set(names))} of them new")

# %% [markdown]
# ## What one letter takes from another
#
# The eager graph of a name can be asked what the program has no more names for. `gradients` lists every node of it, the
# attention weights among them; each label occurs once per head. Each row of a picture below is a position that asks,
# each column one that is read; the darker, the more.

# %%
name = "ridano"
tokens = [letters.index(letter) for letter in "." + name + "."]
rows = [letter_rows[token] for token in tokens[:-1]]
cost = cost_of(rows, np.eye(len(letters))[tokens[1:]].tolist())
cost.label = "C"
slopes = autograd.gradients(cost)
weights = {}
for node in slopes:
    if node.label.startswith("α"):
        weights.setdefault(node.label, []).append(node)


# %%
def reads(h):
    """How much head h reads where: a row for each position."""
    return [[weights[f"α_{t},{s}"][h].data if s <= t else np.nan for s in range(len(rows))] for t in range(len(rows))]


axes = plt.subplots(1, HEADS, figsize=(9.6, 2.7), layout="constrained")[1]
for h, ax in enumerate(axes):
    ax.imshow(reads(h), cmap="Blues", vmin=0, vmax=1)
    ax.set(title=f"head {h}", xticks=range(len(rows)), xticklabels="." + name)
    ax.set(yticks=range(len(rows)), yticklabels="." + name)
plt.show()

# %% [markdown]
# Take the strongest weight with which one of the first three letters reads an earlier one, in any head. Its gradient
# says whether reading more of that letter would make the name less surprising.

# %%
reading = [(t, s, h) for t in range(4) for s in range(1, t) for h in range(HEADS)]
t, s, h = max(reading, key=lambda tsh: weights[f"α_{tsh[0]},{tsh[1]}"][tsh[2]].data)
α = weights[f"α_{t},{s}"][h]
print(f"head {h}: at the last letter of {name[:t]!r} it reads {name[s - 1]!r} with weight {α.data:.3f}")
print(f"dC/dα = {slopes[α]:.4f}")

# %% [markdown]
# How does the earlier letter reach the cost? Along a great many paths, and through this one weight along a few of them.

# %%
letter = rows[s][0]
all_the_way, there, onward = (autograd.paths(*pair, limit=1) for pair in ((cost, letter), (α, letter), (cost, α)))
print(f"{all_the_way.count:,} paths from {letter.label} to the cost;")
print(f"{there.count:,} to the weight, and from there {onward.count:,} to the cost. The largest of each:")
for path in (there[0], onward[0]):
    for node, factor in zip(path.nodes[1:], path.factors):
        print(f"{node.label or node.op:14} {factor:9.4f}")

# %% [markdown]
# That was one path of a letter's first number: embedded, normalised twice, turned into a number of its key, matched
# with the other letter's query, into the weight; and from there through what the head reads on to the cost.
#
# The middle of it is small enough to be drawn: the weight from the query of the one letter and the keys of all letters
# so far. Highlighted is the path from the first number of the key that is read.

# %%
seen = [normalized(normalized(added(row, position))) for row, position in zip(rows, position_rows)]
q = [Value(v.data, f"q_{i}") for i, v in enumerate(heads(times(query, seen[t]))[h])]
k = [[Value(v.data, f"k_{i}^({j})") for i, v in enumerate(heads(times(key, seen[j]))[h])] for j in range(t + 1)]
again = softmax([weighted_sum(q, key) / 2 for key in k])[s]
print(f"the same weight: {np.isclose(again.data, α.data)}")
again.label = α.label
again.backward()
autograd.draw(again, highlight=autograd.paths(again, k[s][0])[0], legend=False)

# %% [markdown]
# ## What to take along
#
# Nothing in a GPT is more than sums of products, exponentials and a root, and each of its gradients is a sum over
# paths. Written one scalar at a time it can be asked about any of them; compiled, it trains at the speed of arrays.

# %% [markdown]
# ## Try it
#
# After all this, three small networks. The answers are folded below.

# %%
from autograd import exercises

exercises("layers", 3, seed=11)

# %% [markdown]
# ## Next
#
# The same network in three hands, an estimator's, `fit`'s and a cluster's:
# [one network, three tools](12_one_network_three_tools.ipynb).
