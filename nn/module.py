"""Module: anything with parameters, which are found among its attributes.

A model of your own is a class with a `__call__`; whatever Values, Modules and lists of them it keeps as attributes are
its parameters, and saving, loading and training follow.
"""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from autograd import Value, zero_grad
from autograd.assigning import set_data
from nn.checks import real_numbers

if TYPE_CHECKING:
    import numpy as np


class Module:
    """A part of a model: it has parameters, and a `__call__` that computes with them.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope, self.intercept = Value(2.0), Value(1.0)
    ...     def __call__(self, x):
    ...         return self.slope * x + self.intercept
    >>> [name for name, parameter in Line().named_parameters()]
    ['slope', 'intercept']
    """

    # What training finds out about its data and the model keeps, for `predict`, `accuracy` and the plots: the names of
    # the classes in the order of the outputs, those of the inputs, and where one output is cut in two.
    classes: list[Any] | None = None
    columns: list[Any] | None = None
    threshold: float | None = None

    def named_parameters(self) -> list[tuple[str, Value]]:
        """(name, parameter) pairs, each parameter once; the names are unique.

        A Value is named by the attribute that holds it (`slope`, `scales.0`), a parameter of a Module within by that
        attribute and its name there (`encoder.w_00^(1)`). In a Neuron, Layer or MLP the names are the labels. A module
        with a `parameters()` of its own has those, in that order.
        """
        found = self._named(frozenset())
        if type(self).parameters is Module.parameters or self in (listing := _listing.get()):
            return found
        token = _listing.set((*listing, self))  # its parameters() may ask for these names itself
        try:
            own = list(self.parameters())
        finally:
            _listing.reset(token)
        names = {parameter: name for name, parameter in found}
        return once_each((names.get(p, f"parameters.{i}"), f"parameters.{i}", p) for i, p in enumerate(own))

    def parameters(self) -> list[Value]:
        """The Values that training changes, in the order of the gradient vector."""
        if type(self).named_parameters is not Module.named_parameters:
            return [parameter for _, parameter in self.named_parameters()]
        found = list(self._part_parameters())
        others = self._other_names(frozenset(), self._parts if found else frozenset())
        found += [parameter for _, _, parameter in others]
        return found if len(set(found)) == len(found) else list(dict.fromkeys(found))

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0.0: do so before each backward pass, since leaves accumulate."""
        zero_grad(self.parameters())

    def state_dict(self) -> dict[str, np.ndarray]:
        """The numbers of all parameters as float64 arrays: of a layer, `weight` (n_out, n_in) and `bias` (n_out,)."""
        import numpy as np

        return {name: np.vectorize(lambda p: p.data, [float])(values) for name, values in self._arrays().items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Set all parameters from arrays such as `state_dict()` returns: all of them or, if anything is amiss, none.

        Raises:
            ValueError: naming every key that is missing, unexpected, misshapen or not numeric, and tied parameters
                that are given different numbers.
        """

        if not isinstance(state, Mapping):
            raise TypeError(f"load_state_dict takes a mapping of names to arrays, not {type(state).__name__}")
        arrays = self._arrays()
        faults = [f"missing {name!r}" for name in arrays if name not in state]
        faults += [f"unexpected {name!r}" for name in state if name not in arrays]
        new: dict[Value, tuple[float, str]] = {}
        for name, values in arrays.items():
            if name not in state:
                continue
            try:
                numbers = real_numbers(state[name], name)
            except (TypeError, ValueError) as error:
                faults.append(f"{name!r} does not hold real numbers: {error}")
                continue
            if numbers.shape != values.shape:
                faults.append(f"{name!r} has shape {numbers.shape}, not {values.shape}")
                continue
            for parameter, number in zip(values.ravel(), numbers.ravel().tolist()):
                before, first = new.setdefault(parameter, (number, name))
                if before != number and not (before != before and number != number):
                    faults.append(f"{first!r} and {name!r} are the same parameters, but differ")
                    break
        if faults:
            raise ValueError(
                f"the state does not fit the {type(self).__name__}: {'; '.join(faults)}. Nothing was loaded."
            )
        set_data(new, (number for number, _ in new.values()))

    # A subclass whose parts have names of their own says which attributes these are, and names what is in them: the
    # parameters with name and path, and their arrays. What else is kept as an attribute is found.
    _parts: frozenset[str] = frozenset()

    def _part_names(self) -> Iterator[tuple[str, str, Value]]:
        yield from ()

    def _part_parameters(self) -> Iterable[Value]:
        return (parameter for _, _, parameter in self._part_names())

    def _part_arrays(self) -> dict[str, np.ndarray]:
        return {}

    def _named(self, above: frozenset[int]) -> list[tuple[str, Value]]:
        """The parameters that are found; `above` are the modules on the way here, which are no parts of this one."""
        parts = list(self._part_names())
        return once_each(itertools.chain(parts, self._other_names(above, self._parts if parts else frozenset())))

    def _other_names(self, above: frozenset[int], but: frozenset[str]) -> Iterator[tuple[str, str, Value]]:
        within = above | {id(self)}
        for path, member in self._members(within, but):
            if isinstance(member, Value):
                yield path, path, member
            else:
                own = type(member).parameters is not Module.parameters
                for name, parameter in member.named_parameters() if own else member._named(within):
                    yield f"{path}.{name}", f"{path}.{name}", parameter

    def _arrays(self, above: frozenset[int] = frozenset()) -> dict[str, np.ndarray]:
        """The parameters themselves in object arrays, under the keys of `state_dict()`."""
        import numpy as np

        within, arrays = above | {id(self)}, self._part_arrays()
        for path, member in self._members(within, self._parts if arrays else frozenset()):
            inner = {"": np.array(member, object)} if isinstance(member, Value) else member._arrays(within)
            for name, values in inner.items():
                arrays[unused(f"{path}.{name}" if name else path, arrays)] = values
        if type(self).parameters is not Module.parameters:
            found = {parameter for values in arrays.values() for parameter in values.flat}
            for i, parameter in enumerate(self.parameters()):
                if parameter not in found:
                    arrays[unused(f"parameters.{i}", arrays)] = np.array(parameter, object)
        return arrays

    def _members(
        self, above: frozenset[int] = frozenset(), but: frozenset[str] = frozenset()
    ) -> Iterator[tuple[str, Value | Module]]:
        """The leaves and modules among the attributes and in their lists, tuples, dicts and arrays, with their paths.

        A module that is above, such as a whole that its part knows, is not a member of what is below it.
        """
        for name, attribute in vars(self).items():
            if name not in but:
                yield from _found(name, attribute, above)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.parameters())} parameters)"


_listing: ContextVar[tuple[Module, ...]] = ContextVar("_listing", default=())


def _found(path: str, attribute: Any, above: frozenset[int]) -> Iterator[tuple[str, Value | Module]]:
    if id(attribute) in above:
        return
    if isinstance(attribute, (Module, Value)):
        if isinstance(attribute, Module) or not attribute.parents:
            yield path, attribute
        return
    if isinstance(attribute, dict):
        texts = [str(key) for key in attribute]
        keys = [repr(key) if texts.count(text) > 1 else text for key, text in zip(attribute, texts)]
        items = zip(keys, attribute.values())
    elif isinstance(attribute, (list, tuple)):
        items = enumerate(attribute)
    elif getattr(getattr(attribute, "dtype", None), "kind", "") == "O" and hasattr(attribute, "ravel"):
        items = enumerate(attribute.ravel().tolist())
    else:
        return
    for key, item in items:
        yield from _found(f"{path}.{key}", item, above | {id(attribute)})


def once_each(parameters: Iterable[tuple[str, str, Value]]) -> list[tuple[str, Value]]:
    """Each parameter once, under its name, or where another has that name already, under its path."""
    pairs: dict[str, Value] = {}
    seen: set[Value] = set()
    for name, path, parameter in parameters:
        if parameter not in seen:
            seen.add(parameter)
            pairs[unused(path if not name or name in pairs else name, pairs)] = parameter
    return list(pairs.items())


def unused(name: str, names: Container[str]) -> str:
    """The name, with primes if it is taken."""
    while name in names:
        name += "'"
    return name
