"""One GPT twice: its cost for one name as a graph of single additions and multiplications, and by hand in NumPy.

Sixteen numbers per letter, four heads, RMS normalisation, a feed-forward network of 64, residual connections. The
parameters lie in one array in the order of `SHAPES`; the rows of the embedded letters follow them.
"""

import numpy as np

from autograd import Value, logsumexp, softmax

SIZE, HEADS, LETTERS, LONGEST = 16, 4, 27, 16
WIDTH = SIZE // HEADS
SHAPES = {
    "positions": (LONGEST, SIZE),
    "query": (SIZE, SIZE),
    "key": (SIZE, SIZE),
    "value": (SIZE, SIZE),
    "mix": (SIZE, SIZE),
    "up": (4 * SIZE, SIZE),
    "down": (SIZE, 4 * SIZE),
    "head": (LETTERS, SIZE),
}
SMALL = 1e-5  # added to the mean square


def parameters(seed=0):
    """All parameters, the table of letters last, as one array."""
    return np.random.default_rng(seed).normal(0, 0.1, sum(n * m for n, m in SHAPES.values()) + LETTERS * SIZE)


def split(theta):
    """The matrices of the layer, as views of one array, and what follows them as rows."""
    matrices, start = {}, 0
    for name, (n, m) in SHAPES.items():
        matrices[name] = theta[start : start + n * m].reshape(n, m)
        start += n * m
    return matrices, theta[start:].reshape(-1, SIZE)


# As scalars ---------------------------------------------------------------------------------------------------------


def dot(x, y):
    """The product of two vectors: n multiplications, n - 1 additions."""
    total = x[0] * y[0]
    for a, b in zip(x[1:], y[1:]):
        total = total + a * b
    return total


def times(W, x):
    """A matrix times a vector."""
    return [dot(row, x) for row in W]


def normalized(x):
    """The vector scaled to mean square 1."""
    scale = (dot(x, x) / len(x) + SMALL) ** -0.5
    return [v * scale for v in x]


def added(x, y):
    """The sum of two vectors."""
    return [a + b for a, b in zip(x, y)]


def attention(query, keys, values):
    """What the heads read at one position."""
    read = []
    for h in range(0, SIZE, WIDTH):
        q, own = query[h : h + WIDTH], slice(h, h + WIDTH)
        weights = softmax([dot(q, key[own]) / WIDTH**0.5 for key in keys])
        read += [dot(weights, column) for column in zip(*(value[own] for value in values))]
    return read


def cost_of(layer, rows, targets):
    """The mean cross-entropy of the next letter, from the embedded letters and one row of 0 and 1 per position."""
    keys, values, losses = [], [], []
    for row, position, target in zip(rows, layer["positions"], targets):
        x = normalized(added(row, position))
        n = normalized(x)
        keys.append(times(layer["key"], n))
        values.append(times(layer["value"], n))
        x = added(x, times(layer["mix"], attention(times(layer["query"], n), keys, values)))
        x = added(x, times(layer["down"], [v.relu() for v in times(layer["up"], normalized(x))]))
        scores = times(layer["head"], x)
        losses.append(logsumexp(scores) - dot(target, scores))
    return sum(losses[1:], losses[0]) / len(losses)


def leaves(theta, tokens):
    """The layer's matrices and the rows of the letters as lists of Values, and all of them in one list."""
    matrices, table = split(theta)
    layer = {name: [[Value(x) for x in row] for row in matrix.tolist()] for name, matrix in matrices.items()}
    rows = [[Value(x) for x in row] for row in table[tokens].tolist()]
    return layer, rows, [x for matrix in (*layer.values(), rows) for row in matrix for x in row]


# By hand ------------------------------------------------------------------------------------------------------------


class ByHand:
    """The same cost and its gradient for names of one length, in NumPy calls that write into arrays made once."""

    def __init__(self, n):
        self.n = n
        count = sum(a * b for a, b in SHAPES.values())
        self.theta, self.slope = np.zeros(count + n * SIZE), np.zeros(count + n * SIZE)
        self.P, self.W, self.O, self.U, self.D, self.H, self.rows = self.views(self.theta)
        self.dP, self.dW, self.dO, self.dU, self.dD, self.dH, self.drows = self.views(self.slope)
        make = lambda *shape: np.empty(shape)  # noqa: E731
        self.e, self.x0, self.x, self.x1, self.m, self.x2, self.r, self.t = (make(n, SIZE) for _ in range(8))
        self.dx, self.dx0, self.dm, self.dr = (make(n, SIZE) for _ in range(4))
        self.s = [make(n, 1) for _ in range(3)]
        self.column, self.columns = make(n, 1), make(HEADS, n, 1)
        self.qkv, self.dqkv = make(n, 3 * SIZE), make(n, 3 * SIZE)
        self.q, self.k, self.v = self.heads(self.qkv)
        self.dq, self.dk, self.dv = self.heads(self.dqkv)
        self.A, self.dA, self.tA = make(HEADS, n, n), make(HEADS, n, n), make(HEADS, n, n)
        self.rh, self.drh = (a.reshape(n, HEADS, WIDTH).swapaxes(0, 1) for a in (self.r, self.dr))
        self.u, self.du, self.live = make(n, 4 * SIZE), make(n, 4 * SIZE), np.empty((n, 4 * SIZE), bool)
        self.z, self.dz = make(n, LETTERS), make(n, LETTERS)
        self.future = np.triu(np.full((n, n), -np.inf), 1)

    def views(self, array):
        """The positions, the query, key and value matrices as one, the other matrices, the embedded letters."""
        matrices, rows = split(array)
        start = LONGEST * SIZE
        qkv = array[start : start + 3 * SIZE * SIZE].reshape(3 * SIZE, SIZE)
        others = (matrices[name] for name in ("mix", "up", "down", "head"))
        return matrices["positions"][: self.n], qkv, *others, rows

    def heads(self, qkv):
        """Queries, keys and values as stacks of one matrix per head."""
        return qkv.reshape(self.n, 3, HEADS, WIDTH).transpose(1, 2, 0, 3)

    def normalize(self, x, scale, out):
        """x by the root of its mean square, row by row."""
        np.multiply(x, x, out=self.t)
        np.add.reduce(self.t, axis=1, keepdims=True, out=scale)
        scale *= 1 / SIZE
        scale += SMALL
        np.sqrt(scale, out=scale)
        np.reciprocal(scale, out=scale)
        np.multiply(x, scale, out=out)

    def normalize_back(self, slope, x, scale):
        """In place: the slope of the normalised rows becomes that of the rows, s (dy - x s^2 (dy . x) / n)."""
        np.multiply(slope, x, out=self.t)
        np.add.reduce(self.t, axis=1, keepdims=True, out=self.column)
        self.column *= scale
        self.column *= scale
        self.column *= 1 / SIZE
        np.multiply(x, self.column, out=self.t)
        slope -= self.t
        slope *= scale

    def value_and_grad(self, targets):
        """The cost at `self.theta` for one row of 0 and 1 per position, its gradient in `self.slope`."""
        s0, s1, s2 = self.s
        np.add(self.rows, self.P, out=self.e)
        self.normalize(self.e, s0, self.x0)
        self.normalize(self.x0, s1, self.x)
        np.dot(self.x, self.W.T, out=self.qkv)
        np.matmul(self.q, self.k.swapaxes(1, 2), out=self.A)
        self.A *= 1 / WIDTH**0.5
        self.A += self.future
        np.maximum.reduce(self.A, axis=2, keepdims=True, out=self.columns)
        self.A -= self.columns
        np.exp(self.A, out=self.A)
        np.add.reduce(self.A, axis=2, keepdims=True, out=self.columns)
        self.A /= self.columns
        np.matmul(self.A, self.v, out=self.rh)
        np.dot(self.r, self.O.T, out=self.x1)
        self.x1 += self.x0
        self.normalize(self.x1, s2, self.m)
        np.dot(self.m, self.U.T, out=self.u)
        np.maximum(self.u, 0, out=self.u)
        np.dot(self.u, self.D.T, out=self.x2)
        self.x2 += self.x1
        np.dot(self.x2, self.H.T, out=self.z)
        np.maximum.reduce(self.z, axis=1, keepdims=True, out=self.column)
        self.z -= self.column
        cost = -float(np.vdot(self.z, targets))
        np.exp(self.z, out=self.dz)
        np.add.reduce(self.dz, axis=1, keepdims=True, out=self.column)
        self.dz /= self.column
        np.log(self.column, out=self.column)
        cost += float(np.add.reduce(self.column, axis=None))

        self.dz -= targets
        self.dz *= 1 / self.n
        np.dot(self.dz.T, self.x2, out=self.dH)
        np.dot(self.dz, self.H, out=self.dx)
        np.dot(self.dx.T, self.u, out=self.dD)
        np.dot(self.dx, self.D, out=self.du)
        np.greater(self.u, 0, out=self.live)
        self.du *= self.live
        np.dot(self.du.T, self.m, out=self.dU)
        np.dot(self.du, self.U, out=self.dm)
        self.normalize_back(self.dm, self.x1, s2)
        self.dx += self.dm
        np.dot(self.dx.T, self.r, out=self.dO)
        np.dot(self.dx, self.O, out=self.dr)
        np.matmul(self.A.swapaxes(1, 2), self.drh, out=self.dv)
        np.matmul(self.drh, self.v.swapaxes(1, 2), out=self.dA)
        np.multiply(self.dA, self.A, out=self.tA)
        np.add.reduce(self.tA, axis=2, keepdims=True, out=self.columns)
        self.dA -= self.columns
        self.dA *= self.A
        self.dA *= 1 / WIDTH**0.5
        np.matmul(self.dA, self.k, out=self.dq)
        np.matmul(self.dA.swapaxes(1, 2), self.q, out=self.dk)
        np.dot(self.dqkv.T, self.x, out=self.dW)
        np.dot(self.dqkv, self.W, out=self.dx0)
        self.normalize_back(self.dx0, self.x0, s1)
        self.dx0 += self.dx
        self.normalize_back(self.dx0, self.e, s0)
        self.drows[:] = self.dx0
        self.dP[:] = self.dx0
        return cost / self.n
