"""How many digits are right: every operation, value and slopes, beside PyTorch and JAX, all in float64.

    pip install -e '.[benchmark,test]'
    python tests/benchmarks/accuracy.py > tests/benchmarks/accuracy.md

Each is computed on a wide grid (numbers of every size, dense around 0 and the ends of domains, random ones between)
and compared with mpmath at 60 digits. Errors are in units in the last place (ulp): 0.5 is a result rounded once, and
2^52 has no digit right.
"""

import itertools
import math
import random
import sys
import warnings

import jax
import jax.numpy as jnp
import torch
from mpmath import mp, mpf
from torch.nn import functional

import autograd
from autograd import Value, gradients

jax.config.update("jax_enable_x64", True)
mp.dps = 60
TINY, HUGE = sys.float_info.min, sys.float_info.max
SLACK = 2.0  # ulp by which an operation may be worse than the better of the two

# The truth ----------------------------------------------------------------------------------------------------------


def normal(x):
    """The normal distribution function."""
    return mp.erfc(-x / mp.sqrt(2)) / 2


def density(x):
    """The density of the normal distribution."""
    return mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)


def logistic(x):
    """1 / (1 + exp(-x)), exact on both sides."""
    return 1 / (1 + mp.exp(-x)) if x > 0 else mp.exp(x) / (1 + mp.exp(x))


# name: (value, its derivatives, PyTorch, JAX, the interval that the grid covers)
EVERYWHERE, POSITIVE, UNIT = (-HUGE, HUGE), (0.0, HUGE), (-1.0, 1.0)
OF_ONE = {
    "exp": (mp.exp, mp.exp, torch.exp, jnp.exp, EVERYWHERE),
    "expm1": (mp.expm1, mp.exp, torch.expm1, jnp.expm1, EVERYWHERE),
    "exp2": (lambda x: 2**x, lambda x: 2**x * mp.log(2), torch.exp2, jnp.exp2, EVERYWHERE),
    "log": (mp.log, lambda x: 1 / x, torch.log, jnp.log, POSITIVE),
    "log1p": (mp.log1p, lambda x: 1 / (1 + x), torch.log1p, jnp.log1p, (-1.0, HUGE)),
    "log2": (lambda x: mp.log(x) / mp.log(2), lambda x: 1 / (x * mp.log(2)), torch.log2, jnp.log2, POSITIVE),
    "log10": (mp.log10, lambda x: 1 / (x * mp.log(10)), torch.log10, jnp.log10, POSITIVE),
    "sqrt": (mp.sqrt, lambda x: 1 / (2 * mp.sqrt(x)), torch.sqrt, jnp.sqrt, POSITIVE),
    "cbrt": (lambda x: mp.sign(x) * mp.cbrt(abs(x)), lambda x: 1 / (3 * mp.cbrt(x * x)), None, jnp.cbrt, EVERYWHERE),
    "sin": (mp.sin, mp.cos, torch.sin, jnp.sin, EVERYWHERE),
    "cos": (mp.cos, lambda x: -mp.sin(x), torch.cos, jnp.cos, EVERYWHERE),
    "tan": (mp.tan, lambda x: 1 / mp.cos(x) ** 2, torch.tan, jnp.tan, EVERYWHERE),
    "asin": (mp.asin, lambda x: 1 / mp.sqrt(1 - x * x), torch.asin, jnp.arcsin, UNIT),
    "acos": (mp.acos, lambda x: -1 / mp.sqrt(1 - x * x), torch.acos, jnp.arccos, UNIT),
    "atan": (mp.atan, lambda x: 1 / (1 + x * x), torch.atan, jnp.arctan, EVERYWHERE),
    "sinh": (mp.sinh, mp.cosh, torch.sinh, jnp.sinh, EVERYWHERE),
    "cosh": (mp.cosh, mp.sinh, torch.cosh, jnp.cosh, EVERYWHERE),
    "tanh": (mp.tanh, lambda x: mp.sech(x) ** 2, torch.tanh, jnp.tanh, EVERYWHERE),
    "asinh": (mp.asinh, lambda x: 1 / mp.sqrt(1 + x * x), torch.asinh, jnp.arcsinh, EVERYWHERE),
    "acosh": (mp.acosh, lambda x: 1 / mp.sqrt(x * x - 1), torch.acosh, jnp.arccosh, (1.0, HUGE)),
    "atanh": (mp.atanh, lambda x: 1 / (1 - x * x), torch.atanh, jnp.arctanh, UNIT),
    "erf": (mp.erf, lambda x: 2 / mp.sqrt(mp.pi) * mp.exp(-x * x), torch.erf, jax.scipy.special.erf, (-1e4, 1e4)),
    "erfc": (mp.erfc, lambda x: -2 / mp.sqrt(mp.pi) * mp.exp(-x * x), torch.erfc, jax.scipy.special.erfc, (-1e4, 1e4)),
    "sigmoid": (logistic, lambda x: logistic(x) * logistic(-x), torch.sigmoid, jax.nn.sigmoid, EVERYWHERE),
    "log_sigmoid": (
        lambda x: -mp.log1p(mp.exp(-x)) if x > 0 else x - mp.log1p(mp.exp(x)),
        lambda x: logistic(-x),
        functional.logsigmoid,
        jax.nn.log_sigmoid,
        EVERYWHERE,
    ),
    "softplus": (
        lambda x: x + mp.log1p(mp.exp(-x)) if x > 0 else mp.log1p(mp.exp(x)),
        logistic,
        functional.softplus,
        jax.nn.softplus,
        EVERYWHERE,
    ),
    "silu": (
        lambda x: x * logistic(x),
        lambda x: logistic(x) * (1 + x * logistic(-x)),
        functional.silu,
        jax.nn.silu,
        EVERYWHERE,
    ),
    "gelu": (
        lambda x: x * normal(x),
        lambda x: normal(x) + x * density(x),
        functional.gelu,
        lambda x: jax.nn.gelu(x, approximate=False),
        (-1e4, 1e4),
    ),
    "elu": (
        lambda x: x if x > 0 else mp.expm1(x),
        lambda x: mpf(1) if x > 0 else mp.exp(x),
        functional.elu,
        jax.nn.elu,
        EVERYWHERE,
    ),
    "softsign": (
        lambda x: x / (1 + abs(x)),
        lambda x: 1 / (1 + abs(x)) ** 2,
        functional.softsign,
        jax.nn.soft_sign,
        EVERYWHERE,
    ),
}
OF_TWO = {
    "mul": (lambda x, y: x * y, lambda x, y: (y, x), torch.mul, jnp.multiply, EVERYWHERE),
    "div": (lambda x, y: x / y, lambda x, y: (1 / y, -x / (y * y)), torch.div, jnp.divide, EVERYWHERE),
    "pow": (
        lambda x, y: x**y,
        lambda x, y: (y * x ** (y - 1), x**y * mp.log(x)),
        torch.pow,
        jnp.power,
        POSITIVE,
    ),
    "hypot": (
        lambda x, y: mp.hypot(x, y),
        lambda x, y: (x / mp.hypot(x, y), y / mp.hypot(x, y)),
        torch.hypot,
        jnp.hypot,
        EVERYWHERE,
    ),
    "atan2": (
        lambda y, x: mp.atan2(y, x),
        lambda y, x: (x / (x * x + y * y), -y / (x * x + y * y)),
        torch.atan2,
        jnp.arctan2,
        EVERYWHERE,
    ),
    "logaddexp": (
        lambda x, y: max(x, y) + mp.log1p(mp.exp(-abs(x - y))),
        lambda x, y: (logistic(x - y), logistic(y - x)),
        torch.logaddexp,
        jnp.logaddexp,
        EVERYWHERE,
    ),
    "mod": (
        lambda x, y: x - y * mp.floor(x / y),
        lambda x, y: (mpf(1), -mp.floor(x / y)),
        torch.remainder,
        jnp.mod,
        (-1e4, 1e4),
    ),
}


def shares(xs):
    """exp(x) / sum(exp(x)) of each."""
    top = max(xs)
    parts = [mp.exp(x - top) for x in xs]
    return [part / mp.fsum(parts) for part in parts]


def logsumexp(xs):
    """log(sum(exp(x)))."""
    top = max(xs)
    return top + mp.log(mp.fsum(mp.exp(x - top) for x in xs))


OF_MANY = {  # the last column is what is differentiated: the function, or the first of its results
    "logsumexp": (logsumexp, shares, lambda x: torch.logsumexp(x, 0), jax.scipy.special.logsumexp),
    "softmax": (
        lambda xs: shares(xs)[0],
        lambda xs: [shares(xs)[0] * ((i == 0) - share) for i, share in enumerate(shares(xs))],
        lambda x: torch.softmax(x, 0)[0],
        lambda x: jax.nn.softmax(x)[0],
    ),
    "log_softmax": (
        lambda xs: xs[0] - logsumexp(xs),
        lambda xs: [(i == 0) - share for i, share in enumerate(shares(xs))],
        lambda x: torch.log_softmax(x, 0)[0],
        lambda x: jax.nn.log_softmax(x)[0],
    ),
}
OPERATORS = {
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "pow": lambda x, y: x**y,
}

# Why an operation is worse at some points than another package
REASONS = {
    "tanh": "the slope is 1 - out * out, as in the other two; once out is near 1 it has the digits that its rounding "
    "leaves, and the C library rounds tanh a little less well than PyTorch's",
    "silu": "beside the zero of the slope at -1.278 the digits cancel, in all three",
    "gelu": "far out on the left a rounding of the argument is x^2 times as large in the result, in JAX as well; and "
    "beside the zero of the slope at -0.752 the digits cancel, in all three",
    "cbrt": "the slope is written in its result, and the C library's cube root is not rounded as well as JAX's",
    **dict.fromkeys(
        ("logsumexp", "softmax", "logaddexp"),
        "the exponents are differences, whose rounding exp multiplies by their size, in all three; whose is smaller "
        "at a point is chance, and the largest errors are alike",
    ),
    "log_softmax": "the slope is exp of log_softmax itself, as in PyTorch, which has the same errors; JAX's is not",
    "softsign": "three roundings that meet, each at its largest",
}

# The points ---------------------------------------------------------------------------------------------------------


def grid(low, high, seed):
    """Numbers of every size between two bounds."""
    rng = random.Random(seed)
    sizes = [10.0**k for k in range(-300, 301, 25)] + [10 ** rng.uniform(-8, 4) for _ in range(250)]
    numbers = [s * x for x in sizes for s in (1, -1)]
    numbers += [rng.uniform(-10, 10) for _ in range(150)] + [rng.uniform(-750, 750) for _ in range(100)]
    numbers += [s * (1 + t * 10.0**-k) for k in range(1, 16) for s in (1, -1) for t in (1, -1)]
    return [x for x in numbers if low < x < high]


def points(kind, interval, seed):
    """Points as tuples of operands: one, two or three."""
    if kind == 1:
        return [(x,) for x in grid(*interval, seed)]
    rng = random.Random(seed)
    if kind == 2:
        numbers = grid(*interval, seed)
        close = [(x, x * (1 + 10.0 ** -rng.randint(1, 15))) for x in numbers[:200]]
        small = [(rng.uniform(*UNIT), rng.uniform(*UNIT)) for _ in range(200)] if interval != POSITIVE else []
        powers = [
            (1 + s * 10.0**-k, 10.0 ** rng.uniform(0, k)) for k in range(1, 16) for s in (1, -1) for _ in range(5)
        ]
        return [(rng.choice(numbers), rng.choice(numbers)) for _ in range(600)] + close + small + powers
    offsets = [0.0, 0.0, 0.0, 100.0, -1e3, 1e6, -1e9, 1e9]
    return [tuple(o + rng.gauss(0, s) for _ in range(3)) for o in offsets for s in (0.01, 1, 10, 30) for _ in range(15)]


# The contestants: each gives (value, slopes) at every point, None where it raises ------------------------------------


def ours(function, table):
    """glassgrad, eager."""
    found = []
    for point in table:
        operands = [Value(x) for x in point]
        try:
            out = function(*operands)
        except (ArithmeticError, ValueError):
            found.append(None)
            continue
        found.append((out.data, gradients(out, operands)))
    return found


def pytorch(function, table):
    """PyTorch, on whole arrays."""
    columns = [torch.tensor(column, dtype=torch.float64, requires_grad=True) for column in zip(*table)]
    out = function(*columns)
    slopes = torch.autograd.grad(out.sum(), columns)
    return list(zip(out.tolist(), zip(*(slope.tolist() for slope in slopes))))


def jax_arrays(function, table):
    """JAX, compiled for whole arrays."""
    columns = [jnp.array(column) for column in zip(*table)]
    every = tuple(range(len(columns)))
    out, slopes = jax.jit(jax.vmap(jax.value_and_grad(function, every)))(*columns)
    return list(zip(out.tolist(), zip(*(slope.tolist() for slope in slopes))))


def of_many(function, stack):
    """A function of one vector as a function of its elements."""
    return lambda *xs: function(stack(xs))


def ulp(got, truth):
    """How far a number is from the truth."""
    if math.isnan(got) or math.isinf(got):
        return math.inf
    return float(abs(mpf(got) - truth) / mpf(math.ulp(max(abs(float(truth)), TINY))))


# The table ----------------------------------------------------------------------------------------------------------


def compared(name, kind, value, slopes, torch_function, jax_function, interval=EVERYWHERE):
    """For value and each slope: {who: the largest error}, how often ours is better and worse than both, and where."""
    function = OPERATORS.get(name) or getattr(autograd, name)
    if name in OF_MANY:
        whole = function
        first = name != "logsumexp"
        function = lambda *xs: whole(list(xs))[0] if first else whole(list(xs))  # noqa: E731
    table = points(kind, interval, name)
    results = {"glassgrad": ours(function, table)}
    if torch_function:
        results["PyTorch"] = pytorch(torch_function, table)
    results["JAX"] = jax_arrays(jax_function, table)
    truths = []
    for point in table:
        exact = [mpf(x) for x in point]
        truth = value(exact) if kind == 3 else value(*exact)
        change = slopes(exact) if kind == 3 else slopes(*exact)
        truths.append([truth, *(change if isinstance(change, (list, tuple)) else [change])])
    for column in range(1 + kind):
        worst = dict.fromkeys(results, 0.0)
        better, worse, most, where = 0, 0, SLACK, None
        for i, point in enumerate(table):
            truth = truths[i][column]
            if results["glassgrad"][i] is None or abs(truths[i][0]) > HUGE or abs(truth) > HUGE:
                continue
            errors = {who: ulp(column_of(result[i], column), truth) for who, result in results.items()}
            for who, error in errors.items():
                worst[who] = max(worst[who], error)
            mine, theirs = errors.pop("glassgrad"), min(errors.values())
            better += theirs - mine > SLACK
            worse += mine - theirs > SLACK
            if mine - theirs > most:
                most, where = mine - theirs, point
        yield worst, better, worse, where


def column_of(result, column):
    """The value or one of the slopes of a result."""
    return result[0] if column == 0 else result[1][column - 1]


def shown(error):
    """An error in ulp, as a power of two where it is large."""
    if error is None:
        return "-"
    return "none right" if error >= 2.0**52 else f"{error:.1f}" if error < 100 else f"2^{math.log2(error):.0f}"


def main():
    """Print the table."""
    warnings.simplefilter("ignore")
    print("# Accuracy of the operations\n")
    print(__doc__.split("\n\n", 2)[2].strip() + "\n")
    print("Each operation is computed at several hundred points. The last columns count those at which glassgrad is")
    print(f"better or worse than both of the others by more than {SLACK:g} ulp, and name the worst of them.\n")
    print("| operation | of | glassgrad | PyTorch | JAX | better | worse | at |")
    print("|---|---|---:|---:|---:|---:|---:|---|")
    rows = itertools.chain(
        ((name, 1, *row) for name, row in OF_ONE.items()),
        ((name, 2, *row) for name, row in OF_TWO.items()),
        (
            (name, 3, value, slopes, of_many(in_torch, torch.stack), of_many(in_jax, jnp.stack))
            for name, (value, slopes, in_torch, in_jax) in OF_MANY.items()
        ),
    )
    worse_at = {}
    for name, kind, value, slopes, torch_function, jax_function, *interval in rows:
        if name not in OPERATORS and not hasattr(autograd, name):
            continue
        if kind == 3:
            torch_function = lambda *xs, f=OF_MANY[name][2]: torch.vmap(f)(torch.stack(xs, 1))  # noqa: E731
        found = compared(name, kind, value, slopes, torch_function, jax_function, *interval)
        for column, (worst, better, worse, where) in enumerate(found):
            what = "value" if column == 0 else "slope" if kind == 1 else f"slope {'xyz'[column - 1]}"
            columns = [shown(worst.get(who)) for who in ("glassgrad", "PyTorch", "JAX")]
            at = "" if where is None else "(" + ", ".join(f"{x:.6g}" for x in where) + ")"
            print(f"| {name if column == 0 else ''} | {what} | {' | '.join(columns)} | {better} | {worse} | {at} |")
            if worse:
                worse_at[name] = worse_at.get(name, 0) + worse
    print("\nWhere it is worse, and why:\n")
    for name, count in worse_at.items():
        print(f"- {name} ({count}): {REASONS.get(name, 'NOT KNOWN')}")
    sys.exit(bool(set(worse_at) - set(REASONS)))


if __name__ == "__main__":
    main()
