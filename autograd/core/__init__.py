"""The engine: the table of operations, the graph, the Value. Everything else stands on it."""

import os

# The other package has no such folder: this one is found even where its __init__.py has replaced ours
for _file in "tracer.py", "differential_operators.py", "numpy":
    if os.path.exists(_foreign := os.path.join(os.path.dirname(__path__[0]), _file)):
        raise ImportError(
            f"{_foreign} belongs to HIPS autograd, the PyPI package `autograd`, which has the same import name as "
            "glassgrad. The two cannot share an environment: run `pip uninstall autograd`, then `pip install "
            "--force-reinstall glassgrad`, or use two virtual environments."
        )
