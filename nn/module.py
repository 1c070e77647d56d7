"""Module: anything with parameters, which are found among its attributes.

A model of your own is a class with a `__call__`; whatever Values, Modules and lists of them it keeps as attributes are
its parameters, and saving, loading and training follow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from autograd import Value, zero_grad

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

    def named_parameters(self) -> list[tuple[str, Value]]:
        """(name, parameter) pairs, each parameter once; the names are unique.

        A Value is named by the attribute that holds it (`slope`, `scales.0`), a parameter of a Module within by that
        attribute and its name there (`encoder.w_00^(1)`). In a Neuron, Layer or MLP the names are the labels.
        """
        pairs: dict[Value, str] = {}
        for path, member in self._members():
            inner = [("", member)] if isinstance(member, Value) else member.named_parameters()
            for name, parameter in inner:
                pairs.setdefault(parameter, f"{path}.{name}" if name else path)
        return [(name, parameter) for parameter, name in pairs.items()]

    def parameters(self) -> list[Value]:
        """The Values that training changes, in the order of the gradient vector."""
        return [parameter for _, parameter in self.named_parameters()]

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
            ValueError: naming every key that is missing, unexpected, misshapen or not numeric.
        """
        import numpy as np

        if not isinstance(state, Mapping):
            raise TypeError(f"load_state_dict takes a mapping of names to arrays, not {type(state).__name__}")
        arrays = self._arrays()
        faults = [f"missing {name!r}" for name in arrays if name not in state]
        faults += [f"unexpected {name!r}" for name in state if name not in arrays]
        given = {name: _as_array(state[name]) for name in arrays if name in state}
        for name, array in given.items():
            if array.dtype.kind not in "fiub":
                faults.append(f"{name!r} does not hold real numbers")
            elif array.shape != arrays[name].shape:
                faults.append(f"{name!r} has shape {array.shape}, not {arrays[name].shape}")
        if faults:
            raise ValueError(
                f"the state does not fit the {type(self).__name__}: {'; '.join(faults)}. Nothing was loaded."
            )
        for name, array in given.items():
            for parameter, number in zip(arrays[name].ravel(), array.astype(np.float64).ravel().tolist()):
                parameter.data = number

    def _arrays(self) -> dict[str, np.ndarray]:
        """The parameters themselves in object arrays, under the keys of `state_dict()`."""
        import numpy as np

        arrays: dict[str, np.ndarray] = {}
        for path, member in self._members():
            inner = {"": np.array(member, object)} if isinstance(member, Value) else member._arrays()
            arrays.update({f"{path}.{name}" if name else path: values for name, values in inner.items()})
        return arrays

    def _members(self) -> Iterator[tuple[str, Value | Module]]:
        """The leaves and modules among the attributes and in their lists, tuples and dicts, with their paths."""
        for name, attribute in vars(self).items():
            yield from _found(name, attribute)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.parameters())} parameters)"


def _found(path: str, attribute: object) -> Iterator[tuple[str, Value | Module]]:
    if isinstance(attribute, Module) or (isinstance(attribute, Value) and not attribute.parents):
        yield path, attribute
    elif isinstance(attribute, (list, tuple)):
        for i, item in enumerate(attribute):
            yield from _found(f"{path}.{i}", item)
    elif isinstance(attribute, dict):
        for key, item in attribute.items():
            yield from _found(f"{path}.{key}", item)


def _as_array(given: Any) -> np.ndarray:
    import numpy as np

    try:
        return np.asarray(given)
    except (TypeError, ValueError, RuntimeError):
        return np.array(None, object)  # ragged lists, tensors on another device: reported as not numeric
