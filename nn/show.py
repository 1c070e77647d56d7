"""How models and what is found out about them show themselves in a notebook, put in place here."""

from __future__ import annotations

from typing import Any

from autograd import draw
from autograd.drawing.curves import curves
from autograd.drawing.picture import Picture
from autograd.explaining.notation import html_table
from autograd.show import drawn, shown_by, within_bounds
from nn.diagnosis import Health
from nn.history import History
from nn.layers import MLP, Layer, Neuron


def model_bundle(model: Any) -> dict[str, str]:
    """A model as the picture of its neurons."""
    return drawn(model, lambda: draw(model))


def history_picture(history: History) -> Picture:
    """A training as the curves of its costs and metrics."""
    return curves(repr(history), history.to_dict())


def health_bundle(health: Health) -> dict[str, str]:
    """A report as a table, and its findings as a list."""
    heads = ["layer", "activation", "units", "dead", "saturated", "gradient", "step / weights"]
    rows = [
        [
            *(str(row[name]) for name in heads[:5]),
            *("" if row[name] is None else f"{row[name]:.1e}" for name in ("gradient", "ratio")),
        ]
        for row in health.rows
    ]
    findings = "\n".join(health.findings or ["Nothing stands out."])
    return within_bounds({"text/plain": str(health), "text/html": html_table(findings, heads, rows)})


for kind in (Neuron, Layer, MLP):
    shown_by(kind, model_bundle)
shown_by(History, lambda history: drawn(history, lambda: history_picture(history)))
History.picture = property(history_picture)  # type: ignore[assignment]
shown_by(Health, health_bundle)
