"""A network as a picture: columns of neurons, joined by edges coloured and weighted by their weights.

It takes anything built like `nn`: a model with `.layers`, layers with `.neurons`, neurons with `.w` and `.b`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd.drawing.layout import Placement
from autograd.drawing.svg import UNIT, Arrow, Box
from autograd.explaining.typography import Run, Text, name, plain_text, significant

MOST_NEURONS = 16  # neurons of a layer that are drawn; of more, the first and the last
LAYER_STEP, NEURON_STEP = 190.0, 46.0  # pixels from one layer, and neuron, to the next
WIDEST_NETWORK = 980.0  # what all columns together take: more of them stand closer


def neurons_by_layer(model: Any) -> list[list[Any]] | None:
    """The neurons of a model, layer by layer; a single layer or neuron counts as a model; None for anything else."""
    if hasattr(model, "layers"):
        layers = [list(getattr(layer, "neurons", ())) for layer in model.layers]
    elif hasattr(model, "neurons"):
        layers = [list(model.neurons)]
    else:
        layers = [[model]]
    complete = layers and all(layers) and all(hasattr(n, "w") and hasattr(n, "b") for layer in layers for n in layer)
    return layers if complete else None


class Network:
    """The boxes, arrows and places of a network: the inputs, then one column a layer."""

    def __init__(self, model: Any, layers: Sequence[Sequence[Any]]):
        self.layers = layers
        widths = [len(layers[0][0].w), *map(len, layers)]
        count = sum(len(neuron.w) + 1 for layer in layers for neuron in layer)
        self.title = f"Network {'-'.join(map(str, widths))}, {count} parameters"
        self.description = (
            f"{widths[0]} inputs, then layers of {', '.join(map(str, widths[1:]))} neurons. Each edge is a weight: its "
            "colour is the sign, its thickness the size. The table lists biases and weights."
        )
        self.notes: list[str] = []
        self.boxes: list[Box] = []
        self.arrows: list[Arrow] = []
        self.centres: list[tuple[float, float]] = []
        shown = [_drawn_neurons(width) for width in widths]
        self.height = NEURON_STEP * max(map(len, shown)) + 50
        self.column = min(LAYER_STEP, WIDEST_NETWORK / max(1, len(layers)))
        self._column(0, shown[0], None)
        above = dict(zip(shown[0], range(1, len(shown[0]) + 1)))
        self.largest = 0.0
        for number, (layer, places) in enumerate(zip(layers, shown[1:]), 1):
            self.largest = max((abs(w.data) for neuron in layer for w in neuron.w), default=0.0) or 1.0
            first = len(self.boxes) + 1
            self._column(number, places, layer)
            here = dict(zip(places, range(first, len(self.boxes))))
            for j in here:
                for k in above:
                    if j is not None and k is not None:
                        self._weight(above[k], here[j], layer[j].w[k])
            above = here

    def _column(self, number: int, places: list[int | None], layer: Sequence[Any] | None) -> None:
        u, middle = 40 + self.column * number, self.height / 2 + 22
        activation = str(getattr(layer[0], "activation", "") or "") if layer else ""
        count = len(layer or self.layers[0][0].w)
        self.boxes.append(
            Box("heading", (Run(f"layer {number}" if layer else "inputs"),), (Run(f"{count} {activation}".strip()),))
        )
        self.centres.append((u, 22.0))
        for place, j in enumerate(places):
            self.centres.append((u, middle + NEURON_STEP * (place - (len(places) - 1) / 2)))
            if j is None:
                self.boxes.append(Box("gap", (Run("⋮"),)))
            elif layer is None:
                self.boxes.append(Box("unit", name(f"x_{j}"), tooltip=f"input {j}"))
            else:
                self.boxes.append(self._neuron(number, j, layer[j]))

    def _neuron(self, number: int, j: int, neuron: Any) -> Box:
        activation = str(getattr(neuron, "activation", "") or "")
        letter = "z" if activation == "linear" else "a"  # as nn labels what the neuron returns
        tip = (
            f"neuron {j} of layer {number}\n{neuron.b.label or 'bias'} = {neuron.b.data!r}"
            + f"\n{activation}" * bool(activation)
        )
        sign = (neuron.b.data > 0) - (neuron.b.data < 0)
        return Box("unit", name(f"{letter}_{j}^({number})"), (), [], (), sign, min(1.0, abs(neuron.b.data)), tip)

    def _weight(self, tail: int, head: int, w: Any) -> None:
        sign, size = (w.data > 0) - (w.data < 0), min(1.0, abs(w.data) / self.largest)
        tip = f"{plain_text(name(w.label)) or 'weight'} = {w.data!r}, gradient {w.grad!r}"
        self.arrows.append(Arrow(tail, head, (), sign, size, tip, thin=True))

    def place(self) -> Placement:
        """Where everything is: straight columns, and curves between them."""
        curves = []
        for arrow in self.arrows:
            (x, y), (u, v) = self.centres[arrow.tail], self.centres[arrow.head]
            x, u = x + UNIT / 2, u - UNIT / 2
            curves.append([(x, y), ((2 * x + u) / 3, y), ((x + 2 * u) / 3, v), (u, v)])
        return Placement(self.centres, curves, [c[0] for c in curves], 80 + self.column * len(self.layers), self.height)

    def rows(self, most: int) -> list[list[str | Text]]:
        """A heading, and each neuron with its bias and weights."""
        rows: list[list[str | Text]] = [["neuron", "activation", "bias", "weights"]]
        for number, layer in enumerate(self.layers, 1):
            for j, neuron in enumerate(layer[: max(0, most + 1 - len(rows))]):
                weights = [significant(w.data) for w in neuron.w]
                weights = [*weights[:8], "..."] if len(weights) > 9 else weights
                activation = str(getattr(neuron, "activation", "") or "")
                rows.append([name(f"a_{j}^({number})"), activation, significant(neuron.b.data), ", ".join(weights)])
        return rows


def _drawn_neurons(count: int) -> list[int | None]:
    """The numbers of the neurons that are drawn, None for those between that are not."""
    if count <= MOST_NEURONS:
        return list(range(count))
    half = MOST_NEURONS // 2 - 1
    return [*range(half), None, *range(count - half, count)]
