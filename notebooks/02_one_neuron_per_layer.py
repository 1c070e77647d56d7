# %% [markdown]
# # One neuron per layer
#
# Backpropagation calculus is easiest to see in a network that is a single chain: every layer has one neuron. We take
# its last neuron apart, find the derivative of the cost with respect to its weight, and then let the same rule run
# back through the layers before it.
#
# This follows the chapter "Backpropagation calculus" of 3Blue1Brown's course on neural networks ([the
# lesson](https://www.3blue1brown.com/lessons/backpropagation-calculus)). The numbers in brackets, (1) to (10), count
# its equations in our order; each is built, evaluated and seen. After this notebook you can write the derivative of a
# cost with respect to any weight of such a chain as a product of factors, and say which factor makes it small.

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
# The three factors are the ones that the chapter derives by hand:
#
# $$\frac{\partial z^{(L)}}{\partial w^{(L)}} = a^{(L-1)}, \qquad
# \frac{\partial a^{(L)}}{\partial z^{(L)}} = \sigma'(z^{(L)}), \qquad
# \frac{\partial C_0}{\partial a^{(L)}} = 2 (a^{(L)} - y) \tag{3}$$
#
# For the sigmoid $\sigma'(z)$ is $\sigma(z) (1 - \sigma(z))$. The three are also the numbers on the edges of the
# drawing, and their product is what `backward()` has left in `w.grad`.

# %%
for factor in explain(C, w).factors:
    print(f"{factor.name:18} = {factor.formula:36} = {factor.value:.6f}")
print(f"w.grad = {w.grad:.6f}")

# %% [markdown]
# ## The bias, and the neuron before
#
# For the bias only the first factor is another one, and it is 1:
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
# Move the weight by $\Delta w$ and watch the change run down the chain, to $z$, to $a$, to $C_0$:
#
# $$\frac{\Delta C_0}{\Delta w^{(L)}} \longrightarrow \frac{\partial C_0}{\partial w^{(L)}}
# \quad \text{as} \quad \Delta w^{(L)} \to 0 \tag{6}$$
#
# The graph is replayed; the code above is not called again. All number lines have one scale, so an arrow's length
# beside the first one's is the ratio.

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
# A network of three such layers has three weights and three biases. The gradient vector lists their derivatives, layer
# by layer, and one backward pass computes them all:
#
# $$\nabla C = \left( \frac{\partial C}{\partial w^{(1)}}, \frac{\partial C}{\partial b^{(1)}}, \ldots,
# \frac{\partial C}{\partial w^{(L)}}, \frac{\partial C}{\partial b^{(L)}} \right) \tag{8}$$

# %%
from nn import MLP, squared_error

network = MLP(1, [1, 1, 1], activation="sigmoid", output="sigmoid", seed=3)
cost = squared_error(network([0.7]), 1.0)
cost.label = "C"
cost.backward()
draw(cost)

# %%
for parameter in network.parameters():
    print(f"dC/d{parameter.label:9} = {parameter.grad:9.6f}")

# %% [markdown]
# The further back, the smaller. Each layer on the way multiplies by a weight and by $\sigma'(z)$, which is never above
# 1/4. Which of them did more? The last sentence of the explanation compares them, for the very first weight:

# %%
first_weight = network.layers[0].neurons[0].w[0]
explain(cost, first_weight)

# %% [markdown]
# ## Neurons that fire together
#
# The first factor of (2) is the activity of the neuron before:
#
# $$\frac{\partial z^{(L)}}{\partial w^{(L)}} = a^{(L-1)} \tag{9}$$
#
# So $z$ moves with the weight in proportion to how active that neuron is. The cost does so only roughly, since the
# activity moves $z$ itself, and with it the other two factors. Let it go from 0 to 1.

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
# Now use the gradient: move every weight and bias a little against it, and again, and again:
#
# $$w \leftarrow w - \eta \, \frac{\partial C}{\partial w}, \qquad
# b \leftarrow b - \eta \, \frac{\partial C}{\partial b} \tag{10}$$
#
# The network of three layers is to answer 0 for small inputs and 1 for large ones; $\eta$ is 8.

# %%
data = [(0.0, 0.0), (0.2, 0.0), (0.8, 1.0), (1.0, 1.0)]
start = [gradients(squared_error(network([x]), target), [network.layers[2].neurons[0].w[0]])[0] for x, target in data]
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
# For some forty steps little happens, for two reasons. Every sigmoid on the way has made the slopes of the first layers
# smaller. And the examples pull in different directions: at the start the network answers nearly the same to all four,
# so what two of them ask of the last weight, the other two take back.

# %%
print("at the start, by example:", *(f"{slope:.3f}" for slope in start), f"  their mean: {sum(start) / 4:.3f}")

# %% [markdown]
# Then the network finds a direction that serves them all: the slopes grow, the cost falls fast, and as it nears 0 the
# slopes become small once more, now because there is little left to learn.

# %%
import matplotlib.pyplot as plt

from nn import History, plot_history

plot_history(History(cost=costs))
plt.show()

# %% [markdown]
# One pass through the whole chain, step by step:

# %%
from autograd import play

play(squared_error(network([0.8]), 1.0))

# %% [markdown]
# ## Try it
#
# Three neurons, each with its cost. The answers are folded below.

# %%
from autograd import exercises

exercises("neuron", 3, seed=2)

# %% [markdown]
# ## Next
#
# A chain has one path from a weight to the cost. With several neurons in a layer there are many, and the rule needs
# indices and a sum: [many neurons](03_many_neurons.ipynb).
