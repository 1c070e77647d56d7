"""Run the source of a compiled program on its own, without the Program that it came from."""

import numpy as np


def run_source(source, theta, batch=None):
    """The mean of the root over the examples and its mean gradient; the roots alone if there are several."""
    namespace = {}
    exec(source, namespace)
    run = namespace["values"] if "values" in namespace else namespace["value_and_grad"]
    return run(np.asarray(theta, float), batch)
