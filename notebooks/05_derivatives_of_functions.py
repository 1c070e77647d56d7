# %% [markdown]
# # Derivatives of functions
#
# So far a cost was built first and differentiated afterwards. Often it is the other way round: there is a function, and
# its derivative is wanted as another function. `grad` makes it. After this notebook you can differentiate a function as
# often as you like, say why networks are differentiated backwards, and check a derivative that you do not trust.

# %%
from autograd import grad


def f(x):
    return x**3 - 2 * x


slope = grad(f)
print([f(x) for x in (-1.0, 0.0, 2.0)], [slope(x) for x in (-1.0, 0.0, 2.0)])

# %% [markdown]
# At 2 the slope is `3 * 2**2 - 2`. And `slope` is a function like any other, so it has a derivative, too: `6 x`. And so
# on.

# %%
print([grad(grad(f))(x) for x in (-1.0, 0.0, 2.0)], grad(grad(grad(f)))(2.0), grad(grad(grad(grad(f))))(2.0))

# %% [markdown]
# ## The derivative is a graph
#
# How can a derivative be differentiated? Because it is an expression itself. Backpropagation multiplies local
# derivatives and adds the products; done on Values instead of floats, the same walk leaves a graph behind. Here is that
# of `tanh(x)**2`, and then of its slope.

# %%
import numpy as np

from autograd import Value, draw, gradients, hessian, hvp, jvp, tanh

x = Value(0.5, label="x")
y = tanh(x) ** 2
y.label = "y"
draw(y)

# %%
[dy] = gradients(y, [x], create_graph=True)
dy.label = "dy/dx"
draw(dy)

# %% [markdown]
# Read it from the left: `2 tanh(x)` is the slope of the square, `1 - tanh(x)**2` that of the tanh, and the last node is
# their product. The graph knows its own local derivatives already, so the second derivative is one more walk:

# %%
[second] = gradients(dy, [x])
t = np.tanh(0.5)
print(f"by the graph {second:.12f}, by hand {2 * (1 - t**2) ** 2 - 4 * t**2 * (1 - t**2):.12f}")

# %% [markdown]
# ## A gradient to go down, a Hessian to go there at once
#
# Arguments may be lists, dicts or arrays; the result has their shape. The valley of Rosenbrock's function is a classic
# trial for anything that walks downhill: its floor is bent and almost flat, its walls are steep.


# %%
def valley(p):
    return (1 - p[0]) ** 2 + 10 * (p[1] - p[0] ** 2) ** 2


start = np.array([-0.5, -0.4])
print("gradient", grad(valley)(start))
print("Hessian")
print(hessian(valley)(start))

# %% [markdown]
# The gradient says which way is down. The Hessian says how the gradient will change on the way; so the step at whose
# end the gradient would be zero, were the Hessian to stay as it is, solves a linear system. That is Newton's method.


# %%
def newton(p, steps):
    path = [p]
    for _ in range(steps):
        p = p - np.linalg.solve(hessian(valley)(p), grad(valley)(p))
        path.append(p)
    return np.array(path)


# %% [markdown]
# Following the gradient alone is simpler: many small steps, each down the slope.


# %%
def downhill(p, steps, rate=0.015):
    path = [p]
    for _ in range(steps):
        p = p - rate * grad(valley)(p)
        path.append(p)
    return np.array(path)


# %%
routes = {"Newton's method": newton(start, 6), "gradient descent": downhill(start, 200)}
for name, path in routes.items():
    print(f"{name}: {len(path) - 1} steps, distance from the lowest point {np.linalg.norm(path[-1] - 1):.6f}")

# %%
import matplotlib.pyplot as plt

axes = plt.subplots(figsize=(7, 4.5), layout="constrained")[1]
across, up = np.meshgrid(np.linspace(-1.6, 1.6, 161), np.linspace(-1, 2, 151))
axes.contour(across, up, np.log(valley([across, up]) + 0.02), 14, colors="0.8", linewidths=0.8, linestyles="solid")
for (name, path), style, colour in zip(routes.items(), ("o-", ".-"), ("#d55e00", "#0072b2")):
    axes.plot(*path.T, style, color=colour, linewidth=1, markersize=4, label=f"{name}, {len(path) - 1} steps")
axes.plot(1, 1, "k*", markersize=12, label="the lowest point")
axes.set(xlabel="$p_0$", ylabel="$p_1$")
axes.legend(loc="upper center", frameon=False)
plt.show()
# %% [markdown]
# Newton's method leaps across the valley and is there. It pays for that with the Hessian, which has as many entries
# as the square of the number of weights. When a network has thousands of weights, nobody can afford it; but its product
# with one vector costs no more than a few gradients, and needs no Hessian at all:

# %%
v = np.array([1.0, -2.0])
print(hvp(valley, start, v), hessian(valley)(start) @ v)

# %% [markdown]
# ## Forwards or backwards?
#
# Backpropagation starts at the cost. One may as well start at a weight: nudge it, and carry the nudge through the graph
# to the end. `jvp` does that, with the same local derivatives; it gives the derivative in one *direction*.

# %%
value, change = jvp(lambda p: valley(p), (start,), (v,))
print(f"{value:.6f} {change:.6f} {grad(valley)(start) @ v:.6f}")

# %% [markdown]
# Both are right. So why does everybody go backwards? Because a network has many weights and one cost. Going forwards
# takes a pass for every weight; going backwards takes one for all. Counted on one graph, a neuron whose weights grow in
# number:

# %%
from autograd import count_multiplications, weighted_sum

for n in (1, 10, 100, 1000):
    w = [Value(0.01 * i) for i in range(n)]
    cost = (tanh(weighted_sum(w, [0.5] * n)) - 1) ** 2
    print(f"{n:>5} weights: {count_multiplications(cost, w)}")

# %% [markdown]
# ## Derivatives inside derivatives
#
# A function that is differentiated may itself use derivatives. The slope of `x * y**2` in `y` is `2 x y`; at `y = x` it
# is `2 x**2`, whose slope at 2 is 8. An engine that confuses the inner variable with the outer one says 12.

# %%
print(grad(lambda x: grad(lambda y: x * y**2)(x))(2.0))

# %% [markdown]
# ## Trust
#
# `gradcheck` compares every derivative with one that knows nothing of graphs: the function is simply evaluated at
# points ever closer together.

# %%
from autograd import exp, gradcheck, primitive, sin

gradcheck(lambda x, y: sin(x) * exp(-y), 0.7, 1.3, order=2)

# %% [markdown]
# It is worth most for an operation of one's own. This one is declared by its value and its local derivative, as all the
# others are; but somebody forgot a factor 2.

# %%
bell = primitive("bell", "exp(-x * x)", "-x * out")
gradcheck(bell, 0.5)

# %% [markdown]
# Declared right, it works everywhere: in expressions, in derivatives of derivatives, in drawings.

# %%
bell = primitive("bell_curve", "exp(-x * x)", "-2 * x * out", note="the curve of the normal distribution, unscaled")
print(bool(gradcheck(bell, 0.5, order=2)))
z = bell(Value(0.5, label="x")) * 3
z.label = "z"
draw(z)

# %% [markdown]
# ## Try it
#
# Three sums over paths. The answers are folded below.

# %%
from autograd import exercises

sheets = exercises("paths", 3, seed=5)
sheets

# %% [markdown]
# `check` marks what you worked out, and recognises how a wrong answer came about. In the third sheet, let somebody have
# forgotten one of the two paths from `p` to the cost:

# %%
sheets[2].check({"r": -0.964, "p": 1.036})

# %% [markdown]
# ## Next
#
# Enough of single expressions: [two moons](06_two_moons.ipynb), a network that learns.
