"""The engine: the table of operations, the graph, the Value. Everything else stands on it."""

import os

# Asked here, because the other package has no such folder: it was found even where its __init__.py has replaced ours.
_package = os.path.dirname(__path__[0])
for _name in "tracer.py", "differential_operators.py", "numpy":
    if os.path.exists(os.path.join(_package, _name)):
        raise ImportError(
            f"{os.path.join(_package, _name)} belongs to HIPS autograd, the PyPI package `autograd`, "
            "which has the same import name as glassgrad. The two cannot share an environment: run "
            "`pip uninstall autograd`, then `pip install --force-reinstall glassgrad`, or use two virtual environments."
        )
