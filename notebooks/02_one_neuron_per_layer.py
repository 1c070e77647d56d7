# %% [markdown]
# # One neuron per layer
#
# Backpropagation calculus is easiest to see in a network that is a single chain: every layer has one neuron. We take
# its last neuron apart, find the derivative of the cost with respect to its weight, and then let the same rule run
# back through the layers before it.
#
# The numbers in brackets, (1) to (10), count the equations of the chapter; each can be built, evaluated and seen.

# %% [markdown]
# ## The chain
#
# The last neuron weighs the activation of the one before it, adds its bias, and squashes the sum. The cost of one
# example is the squared error:
#
# $$z^{(L)} = w^{(L)} a^{(L-1)} + b^{(L)}, \qquad a^{(L)} = \sigma(z^{(L)}), \qquad C_0 = (a^{(L)} - y)^2 \tag{1}$$

# %%
from autograd import Value, draw, explain, nudge, paths, sigmoid

w, b = Value(1.5, label="w^(L)"), Value(-0.4, label="b^(L)")
a_before, y = Value(0.6, label="a^(L-1)"), Value(1.0, label="y")

z = w * a_before + b
a = sigmoid(z)
C = (a - y) ** 2
z.label, a.label, C.label = "z^(L)", "a^(L)", "C_0"
C.backward()
draw(C)

# %% [markdown]
# Read it from left to right and it is the forward pass. Each box holds what a quantity is worth and, coloured, how fast
# the cost changes with it. Each edge carries one *local derivative*: how fast the box at its head changes with the box
# at its tail.

# %% [markdown]
# ## One derivative, three factors
#
# How sensitive is the cost to the weight? A change of $w^{(L)}$ changes $z^{(L)}$, which changes $a^{(L)}$, which
# changes $C_0$. The chain rule multiplies the three sensitivities:
#
# $$\frac{\partial C_0}{\partial w^{(L)}} = \frac{\partial z^{(L)}}{\partial w^{(L)}} \,
# \frac{\partial a^{(L)}}{\partial z^{(L)}} \, \frac{\partial C_0}{\partial a^{(L)}} \tag{2}$$
#
# `explain` works it out, for this graph and its numbers.

# %%
explain(C, w)

# %% [markdown]
# The three factors are the ones that the chapter derives by hand, (3): $a^{(L-1)}$, $\sigma'(z^{(L)})$, which for the
# sigmoid is $\sigma(z^{(L)}) (1 - \sigma(z^{(L)}))$, and $2 (a^{(L)} - y)$. They are also the numbers on the edges of
# the drawing, and their product is what `backward()` has left in `w.grad`.

# %%
for factor in explain(C, w).factors:
    print(f"{factor.name:18} = {factor.formula:36} = {factor.value:.6f}")
print(f"w.grad = {w.grad:.6f}")

# %% [markdown]
# ## The bias, and the neuron before
#
# For the bias only the first factor is another one, and it is 1, (4):
#
# $$\frac{\partial C_0}{\partial b^{(L)}} = \sigma'(z^{(L)}) \; 2 (a^{(L)} - y) \tag{4}$$

# %%
explain(C, b)

# %% [markdown]
# For the activation of the neuron before, the first factor is the weight:
#
# $$\frac{\partial C_0}{\partial a^{(L-1)}} = w^{(L)} \, \sigma'(z^{(L)}) \; 2 (a^{(L)} - y) \tag{5}$$
#
# Nobody can set an activation. But once its derivative is known, it plays the part of the cost for the layer before,
# and the same three factors give the derivatives of *that* layer's weight and bias: this is the step that propagates
# backwards.

# %%
explain(C, a_before)

# %% [markdown]
# ## A derivative is what a small nudge does
#
# Move the weight by 0.01 and watch the change run down the chain, (6). The graph is replayed; the code above is not
# called again. All number lines have one scale, so an arrow's length beside the first one's is the ratio.

# %%
nudge(C, w, by=0.01)

# %% [markdown]
# The ratio of the changes is close to the derivative, and a smaller nudge comes closer. Until it does not: a float has
# sixteen digits, and the smaller the change, the fewer of them are left in the difference.

# %% tags=["rounding"]
nudge(C, w).sweep()

# %% [markdown]
# Which is why an engine multiplies exact local derivatives instead of nudging every weight in turn.

# %% [markdown]
# ## Several examples
#
# The full cost is the mean over the training examples, and so its derivative is the mean of theirs:
#
# $$\frac{\partial C}{\partial w^{(L)}} = \frac{1}{n} \sum_{k=0}^{n-1} \frac{\partial C_k}{\partial w^{(L)}} \tag{7}$$

# %%
from autograd import gradients, mean

examples = [(0.6, 1.0), (0.1, 0.0), (0.9, 1.0), (0.4, 0.0)]
costs = [(sigmoid(w * x + b) - target) ** 2 for x, target in examples]
for k, C_k in enumerate(costs):
    C_k.label = f"C_{k}"
    print(f"dC_{k}/dw = {gradients(C_k, [w])[0]:9.6f}")
C_all = mean(costs)
print(f"mean    = {sum(gradients(C_k, [w])[0] for C_k in costs) / 4:9.6f}")
print(f"dC/dw   = {gradients(C_all, [w])[0]:9.6f}")

# %% [markdown]
# Four examples are four paths from the weight to the cost. Some of them pull it up, others down; what is left is the
# direction that serves them all best.

# %%
paths(C_all, w)

# %% [markdown]
# ## All the derivatives at once
#
# A network of three such layers has three weights and three biases. The gradient vector lists their derivatives,
# layer by layer, (8). One backward pass computes them all.

# %%
from nn import MLP, squared_error

network = MLP(1, [1, 1, 1], activation="sigmoid", output="sigmoid", seed=3)
cost = squared_error(network([0.7]), 1.0)
cost.label = "C"
cost.backward()
for parameter in network.parameters():
    print(f"dC/d{parameter.label:9} = {parameter.grad:9.6f}")

# %% [markdown]
# The further back, the smaller. Each layer on the way multiplies by a weight and by $\sigma'(z)$, which is never above
# 1/4. The explanation for the very first weight says so:

# %%
explain(cost, network.parameters()[0])

# %% [markdown]
# ## Neurons that fire together
#
# The first factor of (2) is $a^{(L-1)}$: the weight matters in proportion to how active the neuron before it is, (9).
# Let that activity go from 0 to 1.

# %%
for activity in [0.0, 0.25, 0.5, 0.75, 1.0]:
    a_before.data = activity
    moved = nudge(C, w)
    print(f"a^(L-1) = {activity:4}   dz/dw = {moved.rows[1].derivative:4}   dC/dw = {moved.derivative:9.6f}")

# %% [markdown]
# With a silent neuron before it, nothing that is done to the weight makes any difference. A step of learning
# strengthens the connections from the neurons that are active.

# %% [markdown]
# ## Downhill
#
# Now use the gradient: move every weight and bias a little against it, and again, and again, (10). The network of three
# layers is to answer 0 for small inputs and 1 for large ones.

# %%
data = [(0.0, 0.0), (0.2, 0.0), (0.8, 1.0), (1.0, 1.0)]
costs = []
for step in range(400):
    cost = mean([squared_error(network([x]), target) for x, target in data])
    network.zero_grad()
    cost.backward()
    for parameter in network.parameters():
        parameter.data -= 8.0 * parameter.grad
    costs.append(cost.data)
    if step in (0, 1, 2, 50, 100, 200, 399):
        print(f"step {step:3}: cost {cost.data:.4f}, slopes", *(f"{p.grad:8.4f}" for p in network.parameters()))

# %% [markdown]
# For fifty steps little happens: the slopes are small, since every sigmoid on the way has made them smaller. Then the
# network finds the direction, the cost falls, and with it the slopes.

# %%
from matplotlib_inline.backend_inline import set_matplotlib_formats

from nn import History, plot_history

set_matplotlib_formats("svg")
axes = plot_history(History(cost=costs))

# %% [markdown]
# ## Next
#
# A chain has one path from a weight to the cost. With several neurons in a layer there are many, and the rule needs
# indices and a sum: [many neurons](03_many_neurons.ipynb).
