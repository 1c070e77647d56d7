"""A second oracle beside the transposed kernels: the gradient as a graph, compiled forward only.

Both come from the same rows, on two ways that share no code: a backward pass by transposing kernels, and a backward
pass over Values whose result is compiled as any other expression.
"""

import forms
import numpy as np
import pytest
from programs import KINDS

from autograd import gradients


def as_gradient_graph(case):
    """Cost and gradient by one program of forward kernels, and by one with a backward pass, on the same batch."""
    leaves, roots = case.built()
    wrt, inputs = case.program.leaves("parameter"), case.program.leaves("input")
    parameters, columns = [leaves[i] for i in wrt], [leaves[i] for i in inputs]
    given = forms.where_finite(case, (leaves, roots)) if wrt else None
    if given is None:
        return
    theta, batch, reference = given
    slopes = gradients(roots[0], parameters, create_graph=True)
    graph = case.compile([roots[0], *slopes], wrt=parameters, inputs=columns)
    transposed = case.compile(roots[0], wrt=parameters, inputs=columns)

    def forward():
        cost, *slopes = graph.forward(theta, batch).reshape(-1, 1 + len(wrt)).mean(axis=0)
        return cost, np.array(slopes)

    forms.agree(forward, reference, zeros=False)
    forms.agree(lambda: transposed.value_and_grad(theta, batch), reference, zeros=False)


@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_graph_compiled_forward_only_is_the_transposed_program(kind, monkeypatch):
    monkeypatch.setitem(forms.FORMS, "gradient graph", as_gradient_graph)
    reports = []
    tried, wrong, rounding = forms.run(30, 500, kinds=[kind], forms=["gradient graph"], report=reports.append, most=1)
    assert not wrong, "\n".join(reports)
    assert rounding.total() <= 0.1 * tried.total()
