"""The core is complete by itself: without any other folder it builds and differentiates every operation."""

import pathlib
import shutil
import subprocess
import sys

from conftest import DECLARED

CORE = pathlib.Path(__file__).parents[2] / "autograd" / "core"

PROGRAM = """
import sys
from autograd.core.graph import backpropagate
from autograd.core.table import TABLE
from autograd.core.value import OPERATIONS, Value

computed = 0
for name, row in TABLE.items():
    point = [1.5 + 0.1 * k for k in range(6)] if name == "acosh" else [0.3 + 0.1 * k for k in range(6)]
    leaves = [Value(x) for x in point[: len(row.operands) + len(row.lists)]]
    node = OPERATIONS[name](*row.grouped(leaves).values())
    slopes, h = backpropagate(node), 1e-6
    for i, leaf in enumerate(leaves):
        up, down = ([x.data + sign * h * (i == j) for j, x in enumerate(leaves)] for sign in (1, -1))
        change = OPERATIONS[name](*row.grouped(up).values()) - OPERATIONS[name](*row.grouped(down).values())
        assert abs(change / (2 * h) - slopes[leaf]) < 1e-6 * max(1, abs(slopes[leaf])), (name, slopes[leaf])
    computed += 1

x, y = Value(2.0, label="x"), Value(-3.0)
cost = (2 / x - y) ** 2 + -x * y % 4 + abs(y).tanh() + x.floor()
cost.backward()
assert x.label in repr(x) and x.grad and y.grad
try:
    (x + y).log()
except ValueError as error:
    assert str(error) == "log is not defined at x = -1.0"
else:
    raise AssertionError
rooms = {m.split(".")[1] for m in sys.modules if m.startswith("autograd.")}
assert rooms == {"core"}, rooms
assert "numpy" not in sys.modules
print(computed)
"""


def test_without_any_other_folder_the_core_builds_and_differentiates_every_operation(tmp_path):
    shutil.copytree(CORE, tmp_path / "autograd" / "core", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "autograd" / "__init__.py").touch()
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert not result.stderr
    assert int(result.stdout) == len(DECLARED)
