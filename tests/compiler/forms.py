"""The forms in which a program is compiled, each held against the eager engine; and a driver over many programs.

`check(program, compile)` returns what is wrong, form by form. `compile` is `autograd.compile` or anything that is
called the same way and returns something with the same methods: a compiler with other options, an adapter around
another library. As a script, `python tests/compiler/forms.py --count 10000 --seed 0`, it prints how many were tried
and wrong.
"""

import argparse
import functools
import keyword
import math
import pickle
import random
import sys
import time
import unicodedata
import warnings
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from programs import KINDS, SUMS, Ref, from_seed, is_exact, shrunk  # noqa: E402
from standalone import run_source  # noqa: E402
from trainings import fault, training  # noqa: E402

import autograd  # noqa: E402
from autograd import Value, gradients  # noqa: E402
from autograd.assigning import again  # noqa: E402
from autograd.calculus.slopes import AFTER  # noqa: E402
from autograd.core.graph import topological_order  # noqa: E402

TOLERANCE = 1e-12  # relative to the largest of the terms that were added up
SIZES = (1, 2, 3, 7)  # of batches
SATURATING = {"tanh", "sigmoid", "silu", "gelu"}  # near 0, the slope is a difference of numbers near 1
NEAR_ONE = {"logsumexp"}  # near 0, the value is the logarithm of a number near 1


class MismatchError(Exception):
    """What a compiled program does is not what the eager engine does."""


class RoundingError(Exception):
    """They differ, but by no more than a few roundings change the eager result itself."""


@dataclass
class Outcome:
    """What a call gave: values, gradient, or an error; and the warnings on the way.

    Attributes:
        errors: (type, message) of the error; in an expected outcome of each that may come first.
        scale: a function that gives what each number's rounding is relative to.
        warned: whether a gradient or a cost that is nan or infinite was reported.
    """

    values: np.ndarray | None = None
    gradient: np.ndarray | None = None
    errors: tuple = ()
    scale: Callable = lambda: (1.0, 1.0)
    warned: bool = False


def one_row(program, data, wrt, noise=None):
    """The eager outcome of a program at the data of all leaves; the gradient is that of the first root."""
    leaves = program.fresh(data)
    try:
        roots = program.evaluate(leaves, noise=noise)
    except (ArithmeticError, ValueError) as error:
        found = [(type(error), str(error))] if program.slopes else program.errors(program.fresh(data))
        return Outcome(errors=tuple(found or [(type(error), str(error))]))
    return measured(roots, [leaves[i] for i in wrt])


def measured(roots, wrt):
    """What roots are worth, and the gradient of the first."""
    values = np.array([root.data for root in roots])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        slopes = np.array(gradients(roots[0], wrt))
    warned = not (np.isfinite(slopes).all() and math.isfinite(values[0]))
    return Outcome(values, slopes, scale=functools.cache(lambda: magnitudes(roots, wrt)), warned=warned)


def replayed(program, built, data, wrt, noise=None):
    """As `one_row`, of a gradient graph that was `built` (leaves, roots) at other data: its operations, eagerly."""
    leaves, roots = built
    fresh = program.fresh(data)
    known = dict(zip(leaves, fresh))
    try:
        for node in topological_order(*roots):
            if node.op:
                operands = [known[x] if isinstance(x, Value) else x for x in node.operands]
                known[node] = operands[0] if node.op == AFTER else again(node.op, operands)
                if noise is not None and isinstance(known[node], Value) and not is_exact(known[node].data):
                    known[node] = known[node] * (1 + noise.uniform(-4e-16, 4e-16))
            elif node not in known:
                known[node] = node
    except (ArithmeticError, ValueError) as error:
        return Outcome(errors=((type(error), str(error)),))
    return measured([x if isinstance(x, Value) else Value(x) for x in map(known.get, roots)], [fresh[i] for i in wrt])


def magnitudes(roots, wrt):
    """How large the terms are that roots and gradients are sums of, to first order."""
    order = topological_order(*roots)
    size = {}
    for node in order:
        size[node] = (max(abs(node.data), 1e-2 * (node.op in NEAR_ONE)) if node.op else 0.0) + sum(
            abs(p) * size[x] for x, p in zip(node.parents, node.partials) if size[x] and p
        )
        if node.op in SUMS:
            size[node] += sum(abs(p * x.data) for x, p in zip(node.parents, node.partials) if p and x.data)
        if math.isfinite(node.data):  # of numbers near 1e200 the size may not be one
            size[node] = min(size[node], 1e300)
    up = dict.fromkeys(order, 0.0)
    up[roots[0]] = 1.0
    for node in reversed(order):
        if up[node]:
            saturated = 4e-4 * (node.op in SATURATING)  # its slope, 1 - out * out, may be off by two roundings of 1
            least = 1e-3 * (node.op in SATURATING)
            if node.op in ("mul", "weighted_sum"):  # a slope is another operand, with the rounding that this one has
                least = 1e-3 * max(map(size.get, node.parents))
            for x, p in zip(node.parents, node.partials):
                up[x] += min(up[node] * max(abs(p) + saturated, least), 1e300) if math.isfinite(p) else up[node] * p
    return (
        np.array([max(abs(root.data), 0.1 * size[root]) for root in roots]),
        np.array([up.get(x, 0.0) for x in wrt]),
    )


def rows(one, table, noise=None):
    """As `one(row, noise)` for several: values (examples, roots), the mean of the gradients."""
    found = []
    for row in table:
        found.append(one(row, noise))
        if found[-1].errors:
            return found[-1]
    with np.errstate(all="ignore"):
        return Outcome(
            np.array([one.values for one in found]),
            np.mean([one.gradient for one in found], axis=0),
            scale=lambda: (
                np.array([one.scale()[0] for one in found]),
                np.mean([one.scale()[1] for one in found], axis=0),
            ),
            warned=any(one.warned for one in found),
        )


def outcome(call):
    """What a call of compiled code does. Only errors of arithmetic count as outcomes; any other is a crash."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            values, gradient = call()
        except (ArithmeticError, ValueError) as error:
            return Outcome(errors=((type(error), str(error)),))
        except Exception as error:
            raise MismatchError(f"crash: {type(error).__name__}: {error}") from error
    others = [str(w.message) for w in caught if not issubclass(w.category, RuntimeWarning)]
    if others:
        raise MismatchError(f"a warning that the eager engine does not give: {others}")
    told = any("gradient" in str(w.message) for w in caught)
    strange = [text for w in caught if "gradient" not in (text := str(w.message)) and "the slope of" not in text]
    if strange:
        raise MismatchError(f"a warning of NumPy's own: {strange}")
    return Outcome(
        None if values is None else np.asarray(values, float),
        None if gradient is None else np.asarray(gradient, float),
        warned=told,
    )


def distance(got, want, scale=0.0):
    """The largest difference in units of what is allowed; infinite where one is not a number of the other's kind."""
    if got.shape != want.shape:
        raise MismatchError(f"shape {got.shape} instead of {want.shape}")
    with np.errstate(all="ignore"):
        same = (got == want) | (np.isnan(got) & np.isnan(want))
        allowed = TOLERANCE * np.maximum(np.abs(want), np.where(np.isfinite(scale), scale, np.abs(want))) + 1e-300
        off = np.where(same, 0.0, np.abs(got - want) / allowed)
    return float(np.nan_to_num(off, nan=np.inf, posinf=np.inf).max(initial=0.0))


def agree(call, reference, exact=True, zeros=True):
    """Hold a call's outcome against `reference(noise)`, the eager one.

    Args:
        exact: whether the error must be that of the eager engine to the word.
        zeros: whether zeros must have its signs.
    """
    want, got = reference(None), outcome(call)
    try:
        compare(got, want, exact, zeros)
    except MismatchError as mismatch:
        if both_lost(got, want):  # equal subexpressions are one: their gradients are added before they meet infinity
            raise RoundingError(str(mismatch)) from mismatch
        for seed in range(6):  # do a few roundings change the eager outcome as much?
            try:
                compare(reference(random.Random(seed)), want, False, zeros, 0.02)
            except MismatchError:
                raise RoundingError(str(mismatch)) from mismatch
        raise


def both_lost(got, want):
    """Whether two gradients differ only where both are infinite or nan."""
    if got.gradient is None or want.gradient is None or got.gradient.shape != want.gradient.shape:
        return False
    lost = ~np.isfinite(got.gradient) & ~np.isfinite(want.gradient)
    if not lost.any():
        return False
    a, b = (replace(x, gradient=np.where(lost, 0.0, x.gradient)) for x in (got, want))
    try:
        compare(a, b, True, False)
    except MismatchError:
        return False
    return True


def agree_with_one(call, references, exact=True, zeros=True):
    """As `agree`, with one of several outcomes; in a batch each row may have its own."""
    *others, last = references
    for reference in others:
        try:
            return agree(call, reference, exact, zeros)
        except MismatchError:
            pass
    return agree(call, last, exact, zeros)


def compare(got, want, exact, zeros, strictness=1.0):
    """Raise a MismatchError where two outcomes differ."""
    if got.errors or want.errors:
        if not got.errors or not want.errors:
            raise MismatchError(f"{described(got)} instead of {described(want)}")
        kinds = {kind for kind, _ in want.errors}
        if not exact and got.errors[0][0] in kinds:
            return
        if got.errors[0] not in want.errors:
            raise MismatchError(f"{described(got)} instead of {described(want)}")
        return
    for k, name, a, b in ((0, "value", got.values, want.values), (1, "gradient", got.gradient, want.gradient)):
        if a is None or b is None:
            continue
        if distance(a, b) > strictness and distance(a, b, want.scale()[k]) > strictness:
            raise MismatchError(f"{name} {a.tolist()} instead of {b.tolist()}")
        if name == "value" and zeros and (np.signbit(a) != np.signbit(b))[(a == 0) & (b == 0)].any():
            raise MismatchError(f"zeros of the other sign: {a.tolist()} instead of {b.tolist()}")
    if got.gradient is not None and got.warned != want.warned:
        raise MismatchError(f"{'a' if got.warned else 'no'} warning; gradient {want.gradient.tolist()}")


def described(outcome):
    if outcome.errors:
        return " or ".join(f"{kind.__name__}: {text}" for kind, text in outcome.errors[:3])
    return f"value {outcome.values.tolist()}"


# Forms ------------------------------------------------------------------------------------------------------------


class Case:
    """A program to be compiled in every form."""

    def __init__(self, program, compile):
        self.program, self.compile = replace(program, roots=program.roots[:1]).pruned(), compile
        self.whole, self.programs = program, {}
        self.free = program.leaves("parameter", "input")
        # the sign of a zero that is a sum is that of array sums, unless an operation tells it from the other one
        zeros = not program.slopes and has_signed_sums(self.program)
        self.strict = {"exact": not program.slopes, "zeros": zeros}

    def built(self):
        """Leaves at the first point, and the roots computed from them."""
        leaves = self.program.fresh(self.program.points[0])
        return leaves, self.program.evaluate(leaves)

    def compiled(self, *inputs):
        """(leaves, roots, program) of the first root; the free leaves that are no inputs are its parameters."""
        if inputs not in self.programs:
            leaves, roots = self.built()
            wrt = [leaves[i] for i in self.free if i not in inputs]
            self.programs[inputs] = leaves, roots, self.compile(roots[0], wrt, [leaves[i] for i in inputs])
        return self.programs[inputs]

    def with_others(self, point):
        """A point where leaves that are neither parameters nor inputs stay as they were built."""
        return [x if i in self.free else self.program.points[0][i] for i, x in enumerate(point)]

    def at(self, point, wrt, built=None):
        """The expected outcome at a point, a function of noise; of a gradient graph that of its own operations."""
        return lambda noise: self.expected(wrt, built)(tuple(point), noise)

    def expected(self, wrt, built=None):
        """The expected outcome, a function of point and noise.

        A gradient graph is not asked for errors of what the derivative does not depend on; else it is, wherever it was
        built, what the eager engine builds at the point.
        """
        if not self.program.slopes or built is None:
            return lambda point, noise: one_row(self.program, point, wrt, noise)

        def of_graph(point, noise):
            graph, anew = replayed(self.program, built, point, wrt, noise), one_row(self.program, point, wrt, noise)
            return graph if anew.errors or noise else anew

        return of_graph

    def either(self, built):
        """The expected outcomes of a function, one of which is enough.

        A compiled derivative may raise the errors of all that the function computes, or of what it depends on.
        """
        return [self.expected(self.free), *([self.expected(self.free, built)] if built else [])]


class Whole(Case):
    """A program with all of its roots."""

    def __init__(self, program, compile):
        super().__init__(program, compile)
        self.program = program


def first_root(reference):
    """The expected outcome, of the first root alone, as a cost."""

    def of_one(noise):
        found = reference(noise)
        if found.errors:
            return found
        with np.errstate(all="ignore"):
            value = found.values[..., 0] if found.values[..., 0].size == 1 else found.values[..., 0].mean()

        def scale():
            of_values, of_gradient = found.scale()
            with np.errstate(all="ignore"):
                return of_values[..., 0].mean().reshape(()), of_gradient

        return replace(found, values=value.reshape(()), scale=scale)

    return of_one


def where_finite(case, built):
    """theta, a batch of the points at which all is finite, and the expected outcome there; None without such points.

    For what raises no errors and gives no warnings. Without inputs, the batch is None.
    """
    wrt, inputs = case.program.leaves("parameter"), case.program.leaves("input")
    one, base, table = case.expected(wrt, built), case.with_others(case.program.points[0]), []
    for point in case.program.points if inputs else case.program.points[:1]:
        row = tuple(point[i] if i in inputs else x for i, x in enumerate(base))
        found = one(row, None)
        if not found.errors and not found.warned and all(map(math.isfinite, (*row, *found.values))):
            table.append(row)
    if not table:
        return None
    batch = np.array([[row[i] for i in inputs] for row in table]) if inputs else None
    return np.array([base[i] for i in wrt]), batch, first_root(functools.partial(rows, one, table))


def as_graph(case):
    """One cost with `wrt`: where it was built and, by theta, elsewhere."""
    leaves, roots, program = case.compiled()
    for k, point in enumerate(case.program.points):
        data = case.with_others(point)
        theta = [data[i] for i in case.free] if k else None
        reference = first_root(case.at(data, case.free, (leaves, roots)))
        agree(lambda: program.value_and_grad(theta), reference, **case.strict)  # noqa: B023
        agree(lambda: (program.forward(theta), None), reference, **case.strict)  # noqa: B023


def as_batch(case):
    """One cost with `wrt` and `inputs`, in batches of several sizes whose rows differ."""
    wrt, inputs = case.program.leaves("parameter"), case.program.leaves("input")
    if not inputs:
        return
    leaves, roots, program = case.compiled(*inputs)
    base, start = case.with_others(case.program.points[1 % len(case.program.points)]), 0
    for size in SIZES:
        points = [case.program.points[(start + k) % len(case.program.points)] for k in range(size)]
        start += size
        table = [tuple(point[i] if i in inputs else x for i, x in enumerate(base)) for point in points]
        batch, theta = np.array([[row[i] for i in inputs] for row in table]), [base[i] for i in wrt]
        reference = functools.partial(rows, case.expected(wrt, (leaves, roots)), table)
        agree(lambda: program.value_and_grad(theta, batch), first_root(reference), **case.strict)  # noqa: B023
        one = lambda noise: (  # noqa: E731
            found if (found := reference(noise)).errors  # noqa: B023
            else replace(found, values=found.values[:, 0], scale=lambda: (found.scale()[0][:, 0], found.scale()[1]))
        )  # fmt: skip
        agree(lambda: (program.forward(theta, batch), None), one, **case.strict)  # noqa: B023


def as_list(case):
    """Several roots, some of them leaves or twice the same, with and without inputs."""
    if case.program.slopes:
        return
    case = Whole(case.whole, case.compile)
    for inputs in ([], case.program.leaves("input")):
        wrt = [i for i in case.free if i not in inputs]
        leaves, roots = case.built()
        program = case.compile(roots, wrt=[leaves[i] for i in wrt], inputs=[leaves[i] for i in inputs])
        for k in (1, 2, 5):
            points = [case.program.points[(k + n) % len(case.program.points)] for n in range(k if inputs else 1)]
            base = case.with_others(points[0])
            table = [tuple(point[i] if i in inputs else x for i, x in enumerate(base)) for point in points]
            batch = np.array([[row[i] for i in inputs] for row in table]) if inputs else None
            reference = functools.partial(rows, case.expected(wrt), table)
            if not inputs:
                reference = case.at(table[0], wrt)
            agree(lambda: (program.forward([base[i] for i in wrt], batch), None), reference, **case.strict)  # noqa: B023
        if not case.program.leaves("input"):
            return


def as_function(case):
    """A function of the parameters and inputs, of numbers and of arrays."""
    names = arguments(case.program, case.free)
    p = replace(case.program, labels=tuple(names.get(i, label) for i, label in enumerate(case.program.labels)))
    case = Case(p, case.compile)
    built = case.built() if p.slopes else None
    plain = replace(p, slopes=())

    def f(given):
        leaves = p.fresh(p.points[0])
        for i, x in zip(case.free, given):
            leaves[i] = x
        return plain.evaluate(leaves)[0]

    taken = ", ".join(names.values())
    function = eval(f"lambda {taken}: _f([{taken}])", {"_f": f})
    for k in p.slopes:
        function = eval(f"lambda {taken}: _f({taken})", {"_f": autograd.grad(function, case.free.index(k))})
    try:
        program = case.compile(function)
    except (ArithmeticError, ValueError):
        if all(case.at(case.with_others(point), case.free)(None).errors for point in p.points):
            return  # whatever its arguments are
        raise
    for point in p.points[:4]:
        data = case.with_others(point)
        given = [data[i] for i in case.free]
        references = [first_root(functools.partial(one, tuple(data))) for one in case.either(built)]
        agree_with_one(lambda: (program(*given), None), references, **case.strict)  # noqa: B023
        agree_with_one(lambda: split(program.value_and_grad(*given)), references, **case.strict)  # noqa: B023
    for size in (1, 3, 5):
        table = [case.with_others(p.points[k % len(p.points)]) for k in range(size)]
        given = [np.array([row[i] for row in table]) for i in case.free]
        references = [functools.partial(each, one, table) for one in case.either(built)]
        agree_with_one(lambda: (program(*given), None), references, **case.strict)  # noqa: B023
        agree_with_one(lambda: split(program.value_and_grad(*given)), references, **case.strict)  # noqa: B023


def has_signed_sums(program):
    """Whether there is an atan2, which tells zeros apart by their signs, and it depends on every sum."""
    first, asked = len(program.labels), set()
    for k in reversed(range(len(program.steps))):
        op, operands = program.steps[k]
        if op == "atan2" or first + k in asked:
            asked |= {x for x in operands if isinstance(x, Ref)}
    sums = {first + k for k, (op, _) in enumerate(program.steps) if op in SUMS}
    return any(op == "atan2" for op, _ in program.steps) and asked >= sums


def arguments(program, free):
    """Names for the arguments of a function: the labels of the leaves where they can be names, else `a3`."""
    names: dict[int, str] = {}
    for i in free:
        name = unicodedata.normalize("NFKC", program.labels[i])
        usable = name.isidentifier() and not keyword.iskeyword(name) and name not in names.values()
        names[i] = name if usable else f"a{i}"
    return names


def split(result):
    value, *gradient = result
    return value, gradient


def each(one, table, noise=None):
    """The value and the gradient of each row apart: (examples,), (wrt, examples)."""
    found = [one(row, noise) for row in table]
    for one in found:
        if one.errors:
            return one
    return Outcome(
        np.array([one.values[0] for one in found]),
        np.array([one.gradient for one in found]).T,
        scale=lambda: (np.array([x.scale()[0][0] for x in found]), np.array([x.scale()[1] for x in found]).T),
        warned=any(one.warned for one in found),
    )


def after_changes(case):
    """`program.backward()` after the data of any leaves were assigned, in place of `cost.backward()`."""
    leaves, roots, program = case.compiled()
    for point in case.program.points[1:6]:
        for leaf, x in zip(leaves, point):
            leaf.data, leaf.grad = x, 0.0

        def backward():
            cost = program.backward()
            if roots[0].data != cost and not math.isnan(cost):
                raise AssertionError(f"the cost has data {roots[0].data} after backward() returned {cost}")
            return cost, [leaves[i].grad for i in case.free]

        agree(backward, first_root(case.at(point, case.free, (leaves, roots))), **case.strict)


def as_pickle(case):
    """A program that was pickled and loaded."""
    wrt, inputs = case.program.leaves("parameter"), case.program.leaves("input")
    leaves, roots, program = case.compiled(*inputs)
    program = pickle.loads(pickle.dumps(program))
    point = case.with_others(case.program.points[-1])
    batch = [[point[i] for i in inputs]] if inputs else None
    reference = first_root(case.at(point, wrt, (leaves, roots)))
    agree(lambda: program.value_and_grad([point[i] for i in wrt], batch), reference, **case.strict)


def as_source(case):
    """The text of a program run on its own, where all is finite and defined."""
    wrt, inputs = case.program.leaves("parameter"), case.program.leaves("input")
    leaves, roots, program = case.compiled(*inputs)
    source = getattr(program, "source", "")
    if not source:
        return
    reference = first_root(case.at(case.program.points[0], wrt, (leaves, roots)))
    want = reference(None)
    point = case.program.points[0]
    if want.errors or want.warned or not all(map(math.isfinite, point)):
        return
    batch = np.array([[point[i] for i in inputs]]) if inputs else None
    with np.errstate(all="ignore"):
        try:
            result = run_source(source, [point[i] for i in wrt], batch)
        except ArithmeticError as error:
            if str(error) in ("", "infinite or not a number"):  # it gives up: a Program would ask the scalars now
                return
            raise
        except ValueError as error:
            if str(error).startswith("math domain"):  # so it does here
                return
            raise
    agree(lambda: result, reference, zeros=False)  # it takes the mean, which has no sign


FORMS = {
    "graph": as_graph,
    "batch": as_batch,
    "roots": as_list,
    "function": as_function,
    "pickle": as_pickle,
    "source": as_source,
    "changed data": after_changes,  # last: it changes leaves that the others use
}


@contextmanager
def short_loops(least=40):
    """Let graphs of a few dozen nodes become loops, as those of thousands do."""
    from autograd.compiler import loops

    before = getattr(loops, "_STRAIGHT", None)
    if before is not None:
        loops._STRAIGHT = least
    try:
        yield
    finally:
        if before is not None:
            loops._STRAIGHT = before


def check(program, compile=None, forms=FORMS):
    """What is wrong with a compiled program: [(form, what)]; `("graph", "rounding")` where only roundings differ."""
    wrong = []
    case = Case(program, compile or autograd.compile)
    with short_loops() if program.kind == "loop" else warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for form in forms:
            try:
                FORMS[form](case)
            except RoundingError:
                wrong.append((form, "rounding"))
            except MismatchError as mismatch:
                wrong.append((form, str(mismatch)))
            except Exception as error:  # a crash while compiling is what is looked for
                wrong.append((form, f"crash: {type(error).__name__}: {error}"))
    return wrong


def fails(program, compile, form, sort):
    """Whether a program that can be built is wrong in a form, in this sort of way."""
    program.evaluate(program.fresh(program.points[0]))
    return any(what[: len(sort)] == sort for _, what in check(program, compile, [form]))


# The driver -------------------------------------------------------------------------------------------------------


def run(count, seed=0, compile=None, kinds=None, forms=FORMS, report=print, most=20, shrink=True):
    """Check programs of consecutive seeds; (tried, wrong, rounding), counters by (kind, form)."""
    tried, wrong, rounding, shown, start = Counter(), Counter(), Counter(), 0, time.time()
    for k in range(seed, seed + count):
        program = from_seed(k, None if kinds is None else kinds[k % len(kinds)])
        try:
            program.evaluate(program.fresh(program.points[0]))
        except (ArithmeticError, ValueError):
            continue  # cannot be built
        found = check(program, compile, forms)
        for form in forms:
            tried[program.kind, form] += 1
        for form, what in found:
            (rounding if what == "rounding" else wrong)[program.kind, form] += 1
        faults = [(form, what) for form, what in found if what != "rounding"]
        if faults and shown < most:
            shown += 1
            form, what = faults[0]
            report(f"--- seed {k}, {program.kind}, {', '.join(form for form, _ in faults)}: {what[:300]}")
            if shrink:
                sort = what[:9]
                small = shrunk(program, lambda p: fails(p, compile, form, sort))  # noqa: B023
                report(f"{small}\n{check(small, compile, [form])[0][1][:600]}")
        if (k - seed + 1) % 1000 == 0:
            report(f"{k - seed + 1} programs in {time.time() - start:.0f} s, {sum(wrong.values())} wrong so far")
    return tried, wrong, rounding


def run_trainings(count, seed=0, report=print, most=20):
    """Compare trainings of consecutive seeds; as `run`."""
    tried, wrong = Counter(), Counter()
    for k in range(seed, seed + count):
        case = training(random.Random(k))
        found = fault(case)
        tried["training", "fit"] += 1
        wrong["training", "fit"] += bool(found)
        if found and wrong.total() <= most:
            report(f"--- seed {k}, {case}: {found[:300]}")
    return tried, +wrong, Counter()


def table(tried, wrong, rounding, forms=FORMS):
    """The counts as text: a row per kind, a column per form."""
    kinds = sorted({kind for kind, _ in tried})
    lines = ["wrong / tried (differences that roundings explain)", " " * 16 + "".join(f"{form:>18}" for form in forms)]
    for kind in [*kinds, "all"]:
        cells = []
        for form in forms:
            mine = [(k, f) for k, f in tried if f == form and kind in (k, "all")]
            counts = [sum(counter[key] for key in mine) for counter in (wrong, tried, rounding)]
            cells.append(f"{counts[0]} / {counts[1]} ({counts[2]})")
        lines.append(f"{kind:16}" + "".join(f"{cell:>18}" for cell in cells))
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--trainings", type=int, default=0, help="trainings by fit besides")
    parser.add_argument("--kinds", nargs="*", choices=KINDS)
    parser.add_argument("--forms", nargs="*", choices=FORMS, default=list(FORMS))
    parser.add_argument("--most", type=int, default=10, help="failures to show")
    parser.add_argument("--whole", action="store_true", help="do not make failing programs smaller")
    options = parser.parse_args()
    say = functools.partial(print, flush=True)
    counts = run(options.count, options.seed, None, options.kinds, options.forms, say, options.most, not options.whole)
    say(table(*counts, options.forms))
    trained = run_trainings(options.trainings, options.seed, say, options.most)
    if options.trainings:
        say(table(*trained, ["fit"]))
    sys.exit(1 if counts[1] or trained[1] else 0)
