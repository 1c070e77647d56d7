"""Random programs: what people write in scalars, drawn from a `random.Random`.

A program is data, a list of operations on leaves and earlier results, so that it can be evaluated on any kind of
number, printed as the Python that it stands for, and made smaller. `program(rng)` draws one; hypothesis draws them with
`st.randoms(use_true_random=False)`, which shrinks. The ingredients are the methods of `Pen` named in `KINDS`.
"""

import builtins
import math
import operator
import random
from dataclasses import dataclass, replace

import numpy as np

import autograd
from autograd import Value, gradients, primitive
from autograd.core.table import TABLE

OPERATORS = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv, "pow": operator.pow,
    "neg": operator.neg, "abs": builtins.abs,
}  # fmt: skip
OWN = {  # name: value, partials..., operands
    "own_minus_two": ("(-2) ** 2 * x", "(-2) ** 2", ""),
    "own_e": ("x * 0.5 + 1e-05 * e", "0.5", "1e-05", "x, e"),
    "own_sinc": ("sin(x) / x if x != 0 else 1", "(cos(x) - out) / x if x != 0 else 0", ""),
    "own_square": ("x ** 2 + y", "2 * x", "1", ""),
    "own_slope": ("slope ** 2 * x", "slope ** 2", "2 * slope * x", "x, slope=-2.0"),
    "own_gate": ("a * v if v > b else b - v", "v if v > b else 0", "a if v > b else -1", "0 if v > b else 1",
                 "a, v, b"),
    "own_guard": ("0.5 * x * x if x > -1 else log(-x) - x", "x if x > -1 else 1 / x - 1", ""),
}  # fmt: skip
LABELS = [  # textbook names, names of Python and of what compiled programs are made of, and no names at all
    *"w x b h t u a y z dt dx dh v g vs gs e es d dd _ __ λ α δt t0 xfi xﬁ xµ xμ x1 x１ x² ℝ 7 1x".split(),
    *"w_1 w_2 w_12^(1) w_1,12^(2) x_0 x_1 b_0^(1) t_before h_kept mul_12 tanh_7 index theta ones given edge".split(),
    *"range zip reversed np math lambda class out sum exp pow tanh None nan inf pi float base64".split(),
    *"forward backward program order examples x;y x#y".split(), "a b", '"', "\\", "\n",
]  # fmt: skip
SPECIAL = [0.0, -0.0, 1.0, -1.0, 1e200, -1e200, 1e-200, 800.0, -800.0, math.inf, -math.inf, math.nan, -0.5, 0.5]


class Ref(int):
    """An operand that is a leaf or an earlier result, by its number; any other operand is a plain number."""

    def __repr__(self):
        return f"n{int(self)}"


@dataclass(frozen=True)
class Program:
    """Leaves, operations on them, and roots.

    Attributes:
        labels: of the leaves, and `roles`, each "parameter", "input" or "other".
        steps: (operation, operands); its result has the next number after the leaves.
        roots: numbers of results; the first is the cost.
        points: data of all leaves, several times; the first is where the program is built.
        slopes: leaves; the roots are the derivatives of the cost in one after the other of them.
        kind: which ingredients it was drawn from.
    """

    labels: tuple
    roles: tuple
    steps: tuple
    roots: tuple
    points: tuple
    slopes: tuple = ()
    kind: str = ""

    def leaves(self, *roles):
        """The numbers of the leaves in these roles."""
        return [i for i, role in enumerate(self.roles) if role in roles]

    def fresh(self, point):
        """Leaves with the data of a point."""
        return [Value(x, label) for x, label in zip(point, self.labels)]

    def evaluate(self, leaves, apply=None, noise=None):
        """The roots, computed from leaves of any kind that `apply(operation, operands)` takes."""
        apply, nodes = apply or apply_value, list(leaves)
        for op, operands in self.steps:
            taken = [nodes[x] if isinstance(x, Ref) else x for x in operands]
            if noise is not None and op in SUMS and not all(is_exact(data(x)) for x in taken):
                taken = [rounded(x, noise) for x in taken]  # where they cancel, what is left is rounding
            node = apply(op, taken)
            nodes.append(node if noise is None or is_exact(node.data) else rounded(node, noise))
        roots = [nodes[i] for i in self.roots]
        for k in self.slopes:
            [slope] = gradients(roots[0], [leaves[k]], create_graph=True)
            roots = [slope]
        return roots

    def errors(self, leaves):
        """Every error that some order of evaluation meets first, as (type, message)."""
        nodes, found = list(leaves), []
        for op, operands in self.steps:
            taken = [nodes[x] if isinstance(x, Ref) else x for x in operands]
            node = None
            if all(x is not None for x in taken):
                try:
                    node = apply_value(op, taken)
                except (ArithmeticError, ValueError) as error:
                    found.append((type(error), str(error)))
            nodes.append(node)
        return found

    def pruned(self):
        """Without the steps that no root depends on."""
        first, needed = len(self.labels), set(self.roots)
        for k in reversed(range(len(self.steps))):
            if first + k in needed:
                needed |= {x for x in self.steps[k][1] if isinstance(x, Ref)}
        kept = [k for k in range(len(self.steps)) if first + k in needed]
        number = {
            **{Ref(i): Ref(i) for i in range(first)},
            **{Ref(first + k): Ref(first + n) for n, k in enumerate(kept)},
        }
        steps = tuple(
            (op, tuple(number[x] if isinstance(x, Ref) else x for x in operands))
            for op, operands in (self.steps[k] for k in kept)
        )
        return replace(self, steps=steps, roots=tuple(number[Ref(i)] for i in self.roots))

    def __str__(self):
        """The program as Python."""
        lines = [f"n{i} = Value({x!r}, {label!r})  # {role}"
                 for i, (x, label, role) in enumerate(zip(self.points[0], self.labels, self.roles))]  # fmt: skip
        for k, (op, operands) in enumerate(self.steps, len(self.labels)):
            lines.append(f"n{k} = {op}({', '.join(map(repr, operands))})")
        lines.append(f"roots = {list(self.roots)!r}")
        if self.slopes:
            lines.append(f"differentiated by {[Ref(i) for i in self.slopes]}")
        return "\n".join([*lines, *(f"point {k} = {list(point)}" for k, point in enumerate(self.points[1:], 1))])


def rounded(x, noise):
    """A Value or number with a relative error of a few roundings."""
    return x * (1 + noise.uniform(-4e-16, 4e-16)) if data(x) else x


def data(x):
    return x.data if isinstance(x, Value) else float(x)


def is_exact(x):
    """Whether a number is likely to be free of rounding: a short binary fraction."""
    return not math.isfinite(x) or (abs(x) < 2**20 and (x * 2**20).is_integer())


def apply_value(op, operands):
    """An operation on Values and numbers; `softmax_2` is the third result of `softmax`."""
    if op in OPERATORS:
        return OPERATORS[op](*operands)
    if op.startswith("softmax_"):
        return autograd.softmax(operands)[int(op[8:])]
    row = TABLE[op]
    return autograd.OPERATIONS[op](*(row.grouped(operands).values() if row.lists else operands))


def declare():
    """The own operations; declaring them again changes nothing."""
    for name, (*texts, operands) in OWN.items():
        primitive(name, *texts, operands=operands)


# Drawing --------------------------------------------------------------------------------------------------------

ROWS = {name: row for name, row in TABLE.items() if not row.is_slope}
UNARY = [name for name, row in ROWS.items() if len(row.operands) - len(row.defaults) == 1 and not row.lists]
BINARY = [name for name, row in ROWS.items() if len(row.operands) == 2 and not row.defaults]
TERNARY = [name for name, row in ROWS.items() if len(row.operands) == 3 and not row.defaults and not row.lists]
MANY = ["sum", "mean", "prod", "logsumexp"]
SUMS = {"sum", "mean", "weighted_sum", "add", "sub"}
SMOOTH = [
    "tanh",
    "sigmoid",
    "sin",
    "cos",
    "softplus",
    "relu",
    "silu",
    "abs",
    "exp",
    "atan",
    "leaky_relu",
    "elu",
    "gelu",
]
KINDS = {
    "expression": ["operation", "operation", "operation", "operation", "many", "residual", "masked"],
    "vector": ["operation", "mapped", "mapped", "zipped", "layer", "layer", "ragged", "squares", "residual", "pairs",
               "attention", "filtered", "recurrence", "running", "masked", "penalty", "many", "polynomials", "softmax"],
    "ragged": ["ragged", "ragged", "polynomials", "filtered", "many", "mapped"],
    "recurrence": ["recurrence", "sequences", "squares", "many"],
    "loop": ["loop"],
    "gradient": ["operation", "operation", "squares", "many"],
    "second gradient": ["operation", "operation", "residual"],
}  # fmt: skip
WEIGHTS = {"expression": 3, "vector": 6, "ragged": 3, "recurrence": 3, "loop": 2, "gradient": 2, "second gradient": 1}


class Pen:
    """Writes a program operation by operation, at data where all of them exist."""

    def __init__(self, rng):
        self.rng = rng
        self.data, self.labels, self.roles, self.values = [], [], [], []
        self.steps = []  # operands among them: Refs to leaves are negative until all leaves are known
        self.pool, self.vectors, self.matrices = [], [], []
        self.whole = rng.random() < 0.3  # data from few whole numbers, where ties and zeros are
        self.hostile = rng.random() < 0.5
        self.fresh_labels = iter(rng.sample(LABELS, len(LABELS)))

    # Numbers and leaves

    def number(self):
        rng = self.rng
        return float(rng.choice([-1, 0, 1, 2])) if self.whole else round(rng.uniform(-2, 2), 2)

    def constant(self):
        """A plain number as people write them, a NumPy scalar now and then, hardly ever an infinite one."""
        rng = self.rng
        kind = rng.randrange(40)
        if kind == 0:
            return rng.choice([math.inf, -math.inf, math.nan, 1e200, 1e-200, -0.0])
        if kind < 5:
            return rng.choice([np.float64(0.5), np.int64(2), np.float32(0.25), np.bool_(True), 2, True, 0, -3])
        if kind < 25:
            return rng.choice([0.0, 1.0, -1.0, 2.0, 0.5, 3.0, 0.0, 1.0])
        return self.number()

    def leaf(self):
        rng = self.rng
        self.data.append(self.number())
        label = next(self.fresh_labels, "") if self.hostile else rng.choice(["", "", rng.choice(LABELS[:15])])
        self.labels.append(label)
        self.roles.append(rng.choice(["parameter", "parameter", "parameter", "input", "input", "other"]))
        self.values.append(Value(self.data[-1]))
        ref = Ref(-len(self.data))
        self.pool.append(ref)
        return ref

    def leaves(self, n):
        return [self.leaf() for _ in range(n)]

    def worth(self, x):
        """The Value or number that an operand stands for."""
        return x if not isinstance(x, Ref) else self.values[-int(x) - 1] if x < 0 else self.steps[int(x)][2]

    def any(self):
        """A leaf or result, mostly a recent one."""
        rng, pool = self.rng, self.pool
        if not pool or (len(self.data) < 3 and rng.random() < 0.5):
            return self.leaf()
        return pool[-1 - rng.randrange(min(len(pool), 3))] if rng.random() < 0.5 else rng.choice(pool)

    def operand(self, plain=0.2):
        return self.constant() if self.rng.random() < plain else self.any()

    def node(self, op, *operands):
        """One more operation; an operand in its place where the result would not exist or would be extreme."""
        refs = [x for x in operands if isinstance(x, Ref)]
        if not refs:
            refs = [self.any()]
            operands = (refs[0], *operands[1:])
        try:
            out = apply_value(op, [self.worth(x) for x in operands])
        except (ArithmeticError, ValueError):
            return refs[0]
        tame = abs(out.data) < 1e4 and all(abs(x) < 1e4 for x in out.partials)
        infinite = not all(isinstance(x, Ref) or math.isfinite(x) for x in operands)
        if not tame and not (infinite and self.rng.random() < 0.3):
            return refs[0]
        self.steps.append((op, operands, out))
        ref = Ref(len(self.steps) - 1)
        self.pool.append(ref)
        return ref

    # Vectors

    def vector(self, n):
        """n operands: leaves, earlier results, an earlier vector or its reverse, holes of 0 and ones among them."""
        rng = self.rng
        known = [xs for xs in self.vectors if len(xs) >= n]
        kind = rng.randrange(8)
        if kind < 3 or (kind < 6 and not known):
            xs = self.leaves(n)
        elif kind == 3:
            xs = rng.choice(known)[:n]
        elif kind == 4:
            xs = rng.choice(known)[-n:]
        elif kind == 5:
            xs = rng.choice(known)[:n][::-1]
        elif kind == 6:
            xs = [self.any() for _ in range(n)]
        else:
            xs = [self.operand(0.3) for _ in range(n)]
        if rng.random() < 0.15:
            xs = [rng.choice([0.0, 1.0, self.constant()]) if rng.random() < 0.3 else x for x in xs]
        self.vectors.append(xs)
        return xs

    def matrix(self, m, n):
        """m rows of n weights: fresh ones, or rows that were used before."""
        rng = self.rng
        known = [rows for rows in self.matrices if len(rows) >= m and len(rows[0]) >= n]
        rows = (
            [row[:n] for row in rng.choice(known)[:m]]
            if known and rng.random() < 0.4
            else [self.leaves(n) for _ in range(m)]
        )
        self.matrices.append(rows)
        return rows

    def dot(self, ws, xs, bias=None):
        """w1 x1 + ... + b, in one of the ways to write it."""
        rng = self.rng
        way = rng.randrange(5)
        if way == 0:
            return self.node("weighted_sum", *ws, *xs, 0.0 if bias is None else bias)
        terms = [self.node("mul", *((w, x) if way < 4 else (x, w))) for w, x in zip(ws, xs)]
        if way == 1:
            return self.node("sum", *terms, *([] if bias is None else [bias]))
        out = 0 if bias is None or way == 2 else bias
        for term in terms:
            out = self.node("add", out, term)
        return self.node("add", out, bias) if bias is not None and way == 2 else out

    def row_way(self):
        """Which rows of a layer: as they are, reversed, ragged or with holes, and whether with a bias."""
        return self.rng.choice(["plain", "plain", "reversed", "ragged", "shrinking", "holes", "one"])

    # Ingredients

    def operation(self):
        rng = self.rng
        several = [rng.choice(UNARY), rng.choice(UNARY), rng.choice(BINARY), rng.choice(TERNARY), rng.choice(list(OWN))]
        op = rng.choice([*several, rng.choice(["add", "sub", "mul", "div", "pow"])])
        row = TABLE[op]
        n = len(row.operands) - (len(row.defaults) if rng.random() < 0.5 else 0)
        operands = [self.operand(0.25) for _ in range(n)]
        if op == "pow" and rng.random() < 0.6:
            operands[1] = rng.choice([0.0, 1.0, 2.0, 3.0, -1.0, -2.0, 0.5, 2])
        return [self.node(op, *operands)]

    def length(self):
        return self.rng.choice([1, 2, 2, 3, 3, 4, 5])

    def mapped(self, xs=None):
        """One operation on each element, with a number or one and the same result as the other operand."""
        rng = self.rng
        xs = xs or self.vector(self.length())
        op = rng.choice([rng.choice(UNARY), rng.choice(SMOOTH), rng.choice(BINARY), rng.choice(list(OWN))])
        row = TABLE[op]
        n = len(row.operands) - len(row.defaults) - 1
        others = [self.operand(0.5) for _ in range(n)]
        if op == "pow":
            others = [rng.choice([0.0, 2.0, 3.0, 2, -1.0, 0.5, 1.0, *others])]
        at = rng.randrange(n + 1) if rng.random() < 0.4 else 0
        return self.keep([self.node(op, *others[:at], x, *others[at:]) for x in xs])

    def keep(self, xs):
        self.vectors.append(xs)
        return xs

    def zipped(self):
        n = self.length()
        op = self.rng.choice([*"add sub mul mul div".split(), self.rng.choice(BINARY)])
        xs, ys = self.vector(n), self.vector(n)
        return self.keep([self.node(op, x, y) for x, y in zip(xs, ys)])

    def layer(self, xs=None):
        """Rows times a vector, and an activation."""
        rng = self.rng
        xs = xs or self.vector(self.length())
        if rng.random() < 0.2:
            xs = [*xs, 1.0]
        n, m = len(xs), rng.randrange(1, 5)
        rows, way, biased = self.matrix(m, n), self.row_way(), rng.random() < 0.6
        biases = [self.leaf() if rng.random() < 0.8 else self.operand() for _ in rows] if biased else [None] * m
        out = []
        for k, (row, bias) in enumerate(zip(rows, biases)):
            ws, inputs = row, xs
            if way == "reversed":
                ws, inputs = row[::-1], xs[::-1]
            elif way == "ragged":
                length = rng.randrange(1, n + 1)
                ws, inputs = row[:length], xs[:length]
            elif way == "shrinking":
                length = max(1, n - k)
                ws, inputs = row[:length], xs[-length:]
            elif way == "holes":
                ws = [0.0 if rng.random() < 0.3 else w for w in row]
            out.append(self.dot(ws, inputs, bias))
        if rng.random() < 0.6:
            activation = rng.choice(SMOOTH)
            out = [self.node(activation, z) for z in out]
        return self.keep(out)

    def ragged(self):
        """Sums of different lengths of products of few leaves."""
        rng = self.rng
        xs = self.leaves(rng.randrange(2, 6)) if rng.random() < 0.6 or not self.pool else [self.any() for _ in range(4)]
        ys = rng.choice([xs, xs, self.vector(len(xs))])
        out = []
        for k in rng.choice([(2, 1), (3, 1), (3, 2), (2, 1, 1), (3, 2, 1), (1, 2, 3), (4, 2, 3), (3, 3, 1)]):
            pairs = [(rng.choice(xs), rng.choice(ys)) for _ in range(k)]
            if rng.random() < 0.3:
                pairs = [(x, x) for x, _ in pairs]
            if rng.random() < 0.15:
                pairs[rng.randrange(k)] = rng.choice(
                    [(rng.choice(xs), 0.0), (0.0, rng.choice(xs)), (rng.choice(xs), 1.0)]
                )
            out.append(
                self.dot(
                    [x for x, _ in pairs], [y for _, y in pairs], self.operand(0.5) if rng.random() < 0.3 else None
                )
            )
        return self.keep(out)

    def squares(self):
        """Squared distances, with other terms beside them."""
        rng = self.rng
        out = []
        centre = self.vector(n := self.length())
        for _ in range(rng.randrange(1, 4)):
            xs = [self.node("sub", c, x) for c, x in zip(centre, self.vector(n))] if rng.random() < 0.5 else centre
            way = rng.randrange(4)
            terms = [self.node("pow", x, rng.choice([2, 2.0])) if way == 0 else self.node("mul", x, x) for x in xs]
            beside = [self.operand(0.1) for _ in range(rng.randrange(3))]
            if way == 1:
                total = self.node("sum", *terms, *beside)
            elif way == 2:
                total = self.node("weighted_sum", *xs, *xs, beside[0] if beside else 0.0)
            else:
                total = 0
                for term in (*terms, *beside):
                    total = self.node("add", total, term)
            if rng.random() < 0.5:
                total = self.node(rng.choice(["tanh", "exp", "neg", "sqrt", "log1p"]), total)
            out.append(total)
        return self.keep(out)

    def residual(self):
        """u + f(u), and its like."""
        rng = self.rng
        xs = self.vector(self.length()) if rng.random() < 0.5 else [self.any()]
        xs = [self.node("mul", self.constant(), x) for x in xs] if rng.random() < 0.5 else xs
        op = rng.choice(["leaky_relu", "elu", "clip", "maximum", "minimum", "where", "hypot", *SMOOTH, "own_gate"])
        join = rng.choice(["add", "add", "sub", "mul", "maximum"])
        more = [self.operand(0.6) for _ in range(2)]
        out = []
        for x in xs:
            takes = len(TABLE[op].operands) - len(TABLE[op].defaults)
            branch = self.node(op, x, *more[: takes - 1])
            out.append(self.node(join, *((branch, x) if rng.random() < 0.5 else (x, branch))))
        return self.keep(out)

    def pairs(self):
        """Every element of one vector with every one of another, then something linear."""
        rng = self.rng
        xs, ys = self.vector(self.length()), self.vector(self.length())
        op = rng.choice(["mul", "mul", "mul", "sub", "add", "div", "hypot"])
        grid = [(x, y, self.node(op, x, y)) for x in xs for y in ys]
        way = rng.randrange(6)
        c = self.constant()
        out = [
            z if way == 0 else self.node("sub", z, c) if way == 1 else self.node("neg", z) if way == 2 else
            self.node("div", z, 3.0) if way == 3 else self.node("sub", z, x) if way == 4 else self.node("mul", z, c)
            for x, y, z in grid
        ]  # fmt: skip
        return self.keep([self.node(rng.choice(MANY), *out), *out] if rng.random() < 0.7 else out)

    def softmax(self):
        xs = self.vector(self.rng.randrange(2, 5))
        out = [self.node(f"softmax_{k}", *xs) for k in range(len(xs))]
        ys = self.vector(len(xs))
        return self.keep([self.dot(out, ys)] if self.rng.random() < 0.5 else out)

    def attention(self):
        """What each of a few rows reads from itself and those before it."""
        rng = self.rng
        width, length = rng.randrange(1, 4), rng.randrange(2, 4)
        rows = [self.vector(width) for _ in range(length)]
        tables = [self.matrix(width, width) for _ in range(3)]
        q, k, v = ([[self.node("weighted_sum", *w, *x, 0.0) for w in table] for x in rows] for table in tables)
        causal, out = rng.random() < 0.6, []
        for t in range(length):
            last = t + 1 if causal else length
            scores = [self.node("weighted_sum", *q[t], *key, 0.0) for key in k[:last]]
            weights = [1.0] if last == 1 else [self.node(f"softmax_{i}", *scores) for i in range(last)]
            out += [self.node("weighted_sum", *weights, *column[:last], 0.0) for column in zip(*v)]
        return self.keep(out)

    def filtered(self):
        """A convolution with shared weights; at the ends with fewer terms, padded with zeros, or left out."""
        rng = self.rng
        h, xs = self.vector(rng.randrange(1, 4)), self.vector(rng.randrange(3, 6))
        bias = self.leaf() if rng.random() < 0.4 else None
        way, out = rng.randrange(3), []
        for t in range(len(xs)):
            at = [t - k for k in range(len(h))]
            if way == 0:
                terms = [(h[k], xs[i]) for k, i in enumerate(at) if i >= 0]
            elif way == 1:
                terms = [(h[k], xs[i] if i >= 0 else 0.0) for k, i in enumerate(at)]
            elif at[-1] < 0:
                continue
            else:
                terms = [(h[k], xs[i]) for k, i in enumerate(at)]
            terms = terms[::-1] if rng.random() < 0.3 else terms
            out.append(self.dot([w for w, _ in terms], [x for _, x in terms], bias))
        out = out[::-1] if rng.random() < 0.4 else out
        return self.keep([self.node("tanh", y) for y in out] if rng.random() < 0.5 else out)

    def polynomials(self):
        """Polynomials of several degrees with shared coefficients, highest power first or last, or by Horner."""
        rng = self.rng
        c = self.vector(rng.randrange(2, 5))
        out = []
        for _ in range(rng.randrange(1, 4)):
            x, degree = self.operand(0.2) if rng.random() < 0.7 else self.number(), rng.randrange(len(c))
            order = range(degree, -1, -1) if rng.random() < 0.6 else range(degree + 1)
            if rng.random() < 0.3:
                total = c[degree]
                for k in range(degree - 1, -1, -1):
                    total = self.node("add", self.node("mul", total, x), c[k])
            else:
                terms = [
                    self.node("mul", c[k], self.node("pow", x, k) if isinstance(x, Ref) else min(float(x), 1e9) ** k)
                    for k in order
                ]
                total = self.node("sum", *terms) if rng.random() < 0.5 else 0
                for term in terms if total == 0 and not isinstance(total, Ref) else ():
                    total = self.node("add", total, term)
            out.append(total)
        return self.keep(out)

    def recurrence(self, length=None, weights=None, start=0.0):
        """A cell applied again and again, to the elements of a sequence."""
        rng = self.rng
        size = rng.randrange(1, 3)
        length = length or rng.randrange(2, 5)
        rows, biases = weights or (self.matrix(size, size + 1), self.vector(size))
        size, state = len(rows), [start] * len(rows)
        activation = rng.choice(["tanh", "sigmoid", "relu", "sin"])
        for _ in range(length):
            x = rng.choice([self.operand(0.3), self.leaf()])
            zs = [self.dot([*row[: size + 1]], [x, *state], b) for row, b in zip(rows, biases)]
            state = [self.node(activation, z) for z in zs]
        return self.keep(state)

    def sequences(self):
        """One cell over several short sequences of different lengths, each with its cost."""
        rng = self.rng
        size = rng.randrange(1, 3)
        rows, biases, way = self.matrix(size, size + 1), self.leaves(size), rng.randrange(3)
        readout, activation, costs = self.leaves(size), rng.choice(["tanh", "relu", "sigmoid", "softplus"]), []
        plain = rng.random() < 0.6
        for length in rng.choice([(2, 1), (3, 1), (3, 2, 1), (1, 2), (2, 2, 1), (1, 3, 2)]):
            state = [0.0] * size
            for _ in range(length):
                x = float(rng.choice([-1, 0, 1])) if plain else self.operand(0.3)
                if way == 0:
                    zs = [self.node("weighted_sum", *row, x, *state, b) for row, b in zip(rows, biases)]
                else:
                    zs = [self.dot(row, [x, *state], b) for row, b in zip(rows, biases)]
                state = [self.node(activation, z) for z in zs]
            y = self.node("weighted_sum", *readout, *state, 0.0)
            costs.append(self.node("pow", self.node("sub", y, self.operand(0.7)), 2) if rng.random() < 0.7 else y)
        return self.keep([self.node(rng.choice(["mean", "sum"]), *costs)])

    def running(self):
        """Running sums, products or largest values of a vector."""
        rng = self.rng
        op, out = rng.choice(["add", "add", "add", "mul", "maximum", "logsumexp", "hypot"]), []
        total = rng.choice([0, 0.0, self.any()]) if op == "add" else self.any()
        for x in self.vector(rng.randrange(2, 6)):
            total = self.node(op, total, x)
            out.append(total)
        return self.keep(out)

    def masked(self):
        """Infinite numbers that do no harm: masks, bounds that do not bind, limits."""
        rng = self.rng
        xs = self.vector(self.length())
        way = rng.randrange(6)
        if way == 0:
            out = [
                self.node(
                    rng.choice(["exp", "sigmoid", "tanh"]),
                    self.node("where", self.any(), x, rng.choice([-math.inf, math.nan])),
                )
                for x in xs
            ]
        elif way == 1:
            return [
                self.node(
                    "logsumexp", *[self.node("add", x, rng.choice([0.0, 0.0, -math.inf])) for x in xs], self.any()
                )
            ]
        elif way == 2:
            out = [self.node("exp", self.node("add", x, -math.inf)) for x in xs]
        else:
            op, *bounds = rng.choice(
                [
                    ("maximum", -math.inf),
                    ("minimum", math.inf),
                    ("clip", 0.0, math.inf),
                    ("clip", -math.inf, 1.0),
                    ("div", math.inf),
                ]
            )
            out = [self.node(op, x, *bounds) for x in xs]
        return self.keep(out)

    def penalty(self):
        """c (w1^2 + ... ) over the leaves so far, beside a result."""
        rng = self.rng
        leaves = [ref for ref in self.pool if ref < 0][-6:] or self.leaves(2)
        way = rng.randrange(3)
        terms = [
            self.node("mul", w, w) if way == 0 else self.node("pow", w, 2) if way == 1 else self.node("abs", w)
            for w in leaves
        ]
        total = self.node("sum", *terms)
        total = self.node("mul", rng.choice([0.1, 1e-4, 0.5]), total)
        return [self.node(rng.choice(["add", "add", "minimum"]), self.any(), total)]

    def many(self):
        xs = self.vector(self.length()) if self.rng.random() < 0.6 else [self.any() for _ in range(self.length())]
        return [self.node(self.rng.choice([*MANY, "sum", "mean"]), *xs)]

    def loop(self):
        """Many rounds of a few operations on one or two numbers, such as a differential equation solved by steps."""
        rng = self.rng
        self.hostile = True
        state, fixed = (
            self.leaves(rng.randrange(1, 4)),
            [self.leaf() for _ in range(2)] + [self.constant(), self.constant()],
        )
        if rng.random() < 0.3:
            state[0] = self.node("tanh", state[0])
        body = []  # operations; their operands are numbered: the state, what is fixed, earlier results of the round
        width = len(state) + len(fixed)
        for k in range(rng.randrange(1, 5)):
            choices = [*range(width + k), *range(width, width + k), *range(len(state))]
            op = rng.choice([*SMOOTH, *BINARY, "add", "mul", "sub", "weighted_sum", "mean", "sum", "clip", *OWN])
            n = {"weighted_sum": 5, "mean": 2, "sum": 3}.get(op, 0) or len(TABLE[op].operands) - len(TABLE[op].defaults)
            body.append((op, [rng.choice(choices) for _ in range(n)]))
        body.append((rng.choice(["tanh", "sin", "sigmoid"]), [width + len(body) - 1]))
        seen = []  # a cost of every round, now and then
        renewed = [(rng.randrange(len(state)), len(body) - 1 - rng.randrange(min(2, len(body)))) for _ in state]
        for _ in range(rng.choice([8, 12, 30])):
            known = [*state, *fixed]
            for op, operands in body:
                known.append(self.node(op, *[known[i] for i in operands]))
            for place, k in renewed:
                state[place] = known[width + k]
            seen.append(rng.choice([state[0], known[-1]]) if rng.random() < 0.9 else state[0])
        if rng.random() < 0.25:
            others = [rng.choice([x, self.leaf() if rng.random() < 0.1 else 1.5]) for x in seen]
            return [self.node(*rng.choice([("sum", *seen), ("mean", *seen), ("weighted_sum", *seen, *others, 0.0)]))]
        return [state[0] if rng.random() < 0.6 else self.node(rng.choice(BINARY), self.operand(), state[0])]

    # The program

    def finish(self, results, kind):
        """One root of the results, some more roots, and points to run it at."""
        rng = self.rng
        results = [x for x in results if isinstance(x, Ref)] or [self.any()]
        cost = results[0]
        if len(results) > 1 or cost < 0:
            op = rng.choice(["sum", "mean", "mean", "prod", "logsumexp", "add", "mul", "squares"])
            if op == "squares":
                cost = self.node("mean", *[self.node("pow", x, 2.0) for x in results])
            elif op in MANY:
                cost = self.node(op, *results)
            else:
                for x in results[1:] or [self.any()]:
                    cost = self.node(op, cost, x)
        if cost < 0:
            cost = self.node("tanh", cost)
        roots = [cost, *(rng.choice(self.pool) for _ in range(rng.randrange(4)))]
        if rng.random() < 0.2:
            roots.append(roots[0])
        n = len(self.data)
        place = lambda x: x if not isinstance(x, Ref) else Ref(-int(x) - 1) if x < 0 else Ref(n + int(x))  # noqa: E731
        steps = tuple((op, tuple(map(place, operands))) for op, operands, _ in self.steps)
        roles = list(self.roles)
        if "parameter" not in roles:
            roles[0] = "parameter"
        slopes = ()
        if "gradient" in kind:
            wanted = [i for i, role in enumerate(roles) if role != "other"]
            slopes = tuple(rng.choice(wanted) for _ in range(2 if kind == "second gradient" else rng.choice([1, 1, 2])))
        points = [tuple(self.data), *(self.point() for _ in range(7))]
        if slopes:
            points = [point for point in points if all(map(math.isfinite, point))]
        if slopes and rng.random() < 0.5:  # built at a special point, run where all is well
            points[0] = tuple(rng.choice([0.0, 1.0, x]) if rng.random() < 0.5 else x for x in points[0])
        roots = [place(x) for x in roots]
        return Program(
            tuple(self.labels), tuple(roles), steps, tuple(roots[: 1 if slopes else None]), tuple(points), slopes, kind
        ).pruned()

    def point(self):
        """Other data for the leaves: close to the first, anywhere, or with extreme numbers among them."""
        rng = self.rng
        way = rng.randrange(12)
        if way < 7:
            return tuple(x + (rng.choice([0, 0, 1]) if self.whole else rng.uniform(-0.05, 0.05)) for x in self.data)
        if way < 11:
            return tuple(self.number() for _ in self.data)
        return tuple(rng.choice(SPECIAL) if rng.random() < 0.4 else x for x in self.data)


def program(rng, kind=None):
    """A random program."""
    declare()
    kind = kind or rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    pen = Pen(rng)
    if kind != "loop":
        pen.leaves(rng.randrange(1, 4))
    results = []
    size = 1 if kind == "loop" else rng.choice([1, 2, 2, 3, 4]) if kind != "expression" else rng.randrange(1, 8)
    for _ in range(size):
        made = getattr(pen, rng.choice(KINDS[kind]))()
        results = [*results, *made] if rng.random() < 0.6 else list(made)
    return pen.finish(results[-8:], kind)


def from_seed(seed, kind=None):
    """The random program of a seed."""
    return program(random.Random(seed), kind)


# Shrinking ------------------------------------------------------------------------------------------------------


def smaller(p):
    """Programs with a little less in them."""
    n = len(p.labels)
    if len(p.roots) > 1:
        yield from (replace(p, roots=p.roots[:k] + p.roots[k + 1 :]).pruned() for k in range(len(p.roots)))
    if len(p.points) > 2:
        yield from (replace(p, points=p.points[:k] + p.points[k + 1 :]) for k in range(1, len(p.points)))
    for root in dict.fromkeys(p.roots):
        if root >= n:
            for x in p.steps[root - n][1]:
                if isinstance(x, Ref):
                    yield replace(p, roots=tuple(x if r == root else r for r in p.roots)).pruned()
    for k, (_, operands) in enumerate(p.steps):  # a step skipped: what reads it reads one of its operands
        for x in dict.fromkeys(x for x in operands if isinstance(x, Ref)):
            steps = tuple(
                (o, tuple(x if isinstance(y, Ref) and y == n + k else y for y in ys)) if i != k else (o, ys)
                for i, (o, ys) in enumerate(p.steps)
            )
            yield replace(p, steps=steps, roots=tuple(x if r == n + k else r for r in p.roots)).pruned()
    for k, (op, operands) in enumerate(p.steps):
        shorter = []
        if op in MANY and len(operands) > 1:
            shorter = [operands[:i] + operands[i + 1 :] for i in range(len(operands))]
        elif op == "weighted_sum" and len(operands) > 3:
            half = len(operands) // 2
            shorter = [operands[:i] + operands[i + 1 : half + i] + operands[half + i + 1 :] for i in range(half)]
        shorter += [
            (*operands[:i], c, *operands[i + 1 :])
            for i, x in enumerate(operands)
            for c in ([1.0, 0.0] if isinstance(x, Ref) else [])
        ]
        for fewer in shorter:
            if any(isinstance(x, Ref) for x in fewer):
                yield replace(p, steps=(*p.steps[:k], (op, tuple(fewer)), *p.steps[k + 1 :])).pruned()
    used = {x for _, operands in p.steps for x in operands if isinstance(x, Ref)} | {*p.roots, *p.slopes}
    if n > 1:
        for i in range(n):
            if Ref(i) not in used:
                move = lambda x: Ref(x - (x > i)) if isinstance(x, Ref) else x  # noqa: B023, E731
                cut = lambda xs: tuple(x for k, x in enumerate(xs) if k != i)  # noqa: B023, E731
                yield replace(
                    p, labels=cut(p.labels), roles=cut(p.roles), points=tuple(map(cut, p.points)),
                    steps=tuple((op, tuple(map(move, operands))) for op, operands in p.steps),
                    roots=tuple(map(move, p.roots)), slopes=tuple(k - (k > i) for k in p.slopes),
                )  # fmt: skip
    for i, label in enumerate(p.labels):
        if label:
            yield replace(p, labels=(*p.labels[:i], "", *p.labels[i + 1 :]))


def shrunk(p, fails, tries=3000):
    """A small program for which `fails` still holds."""
    again = True
    while again and tries > 0:
        again = False
        for candidate in smaller(p):
            tries -= 1
            if tries <= 0:
                break
            try:
                if fails(candidate):
                    p, again = candidate, True
                    break
            except Exception:  # a program that cannot even be built is no smaller example
                continue
    return p
