"""The stubs tell type checkers and editors what the table says; `python tests/test_stubs.py` writes them anew."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import autograd
from autograd.core.table import TABLE
from autograd.fast import description, methods
from autograd.operations import SHIPPED

ROOT = Path(__file__).parents[1]
OVERLAP = "  # pyright: ignore[reportOverlappingOverload] # type: ignore[overload-overlap]"
EITHER = "Value | Number"
ROWS = [TABLE[name] for name in autograd.FUNCTIONS if name in SHIPPED and name != "sum"]
METHODS = '''"""Methods of Value from the table and from around the core. Written by `python tests/test_stubs.py`."""

from typing import Any, TypeAlias

from numpy import bool_, floating, integer

from autograd.core.value import Value

Number: TypeAlias = float | floating[Any] | integer[Any] | bool_

class Methods:
    def refresh(self) -> Value: ...
    def __pos__(self) -> Value: ...
    def __floor__(self) -> Value: ...
    def __ceil__(self) -> Value: ...
    def __trunc__(self) -> Value: ...
    def __lt__(self, other: Value | Number) -> bool: ...
    def __le__(self, other: Value | Number) -> bool: ...
    def __gt__(self, other: Value | Number) -> bool: ...
    def __ge__(self, other: Value | Number) -> bool: ...
    def __bool__(self) -> bool: ...
    def __float__(self) -> float: ...
    def __int__(self) -> int: ...
    def __round__(self, digits: int | None = None) -> float: ...
    @property
    def real(self) -> Value:
        """The value itself, which NumPy's functions of complex numbers ask for."""

    def conjugate(self) -> Value:
        """The value itself, which NumPy's functions of complex numbers ask for."""

'''
FUNCTIONS = '''"""The public names and their types. Written by `python tests/test_stubs.py`."""
# ruff: noqa: RUF022

from collections.abc import Iterable
from typing import overload

'''


def documented(head, row, indent=""):
    """The head of a function and its help, but for the example, whose last digit the platform may choose."""
    text = description(row).partition("\n>>>")[0].rstrip()
    lines = [f'"""{text}', '"""']
    return "\n".join([indent + head, *(f"{indent}    {line}".rstrip() for line in "\n".join(lines).splitlines())])


def typed(row, types, result):
    """The head of a function whose operands have these types; where a Value makes the difference it must be given."""
    optional = {x for x, kind in zip(row.operands, types) if x in row.defaults and kind != "Value"}
    operands = [f"{x}: {kind}{' = ...' * (x in optional)}" for x, kind in zip(row.operands, types)]
    return f"def {row.name}({', '.join(operands)}) -> {result}:"


def heads(row):
    """The ways to call a function: it gives a Value as soon as one operand is one, and else a float."""
    if row.lists:
        narrow, wide = (
            [f"Iterable[{kind}]" if x in row.lists else kind for x in row.operands] for kind in ("Number", EITHER)
        )
        return [
            typed(row, ["Iterable[Value]", *wide[1:]], "Value"),
            typed(row, narrow, "float"),
            typed(row, wide, "Value"),
        ]
    n = len(row.operands)
    ways = [["Number"] * i + ["Value"] + [EITHER] * (n - i - 1) for i in range(n)]
    return [*(typed(row, way, "Value") for way in ways), typed(row, ["Number"] * n, "float")]


def methods_stub():
    """Every method that a row gives to Value, under NumPy's name as well."""
    parts = []
    for row in (TABLE[name] for name in TABLE if name in SHIPPED):
        for method in methods(row.name):
            others = [f"{x}: Value | Number{' = ...' * (x in row.defaults)}" for x in row.operands[1:]]
            parts.append(documented(f"def {method}({', '.join(['self', *others])}) -> Value:", row, "    "))
    return METHODS + "\n".join(parts) + "\n"


def functions_stub():
    """The names of `autograd/__init__.py`, from where they are at home, and the functions of the table."""
    homes = {
        "autograd.core.methods": "Number",
        "autograd.core.table": "Table",
        "autograd.core.value": "OPERATIONS Value",
        "autograd.operations": "log_softmax primitive softmax sum zero_grad",
        **{f"autograd.{home}": names for home, names in autograd._HOMES.items()},
    }
    parts = [FUNCTIONS]
    for home, names in sorted(homes.items()):
        parts += [f"from {home} import {name} as {name}\n" for name in names.split()]
    parts.append("\n__version__: str\nFUNCTIONS: tuple[str, ...]\nPRIMITIVES: Table\n")
    parts.append(f"__all__ = {json.dumps(autograd.__all__)}\n\n")
    for row in ROWS:
        first, *more = heads(row)
        parts.append(f"@overload\n{documented(first, row)}\n")
        parts += [f"@overload\n{head} ...{OVERLAP * (bool(row.lists) and 'float' in head)}\n" for head in more]
    return "".join(parts)


STUBS = {"autograd/__init__.pyi": functions_stub, "autograd/core/methods.pyi": methods_stub}


def meaning(source):
    """What a stub declares, however it is laid out."""
    lines = [re.sub(r"\s+", " ", line) for line in ast.unparse(ast.parse(source)).split("\n\n")]
    imports = sorted(
        f"{node.module} {alias.name} {alias.asname}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    )
    return imports, [line for line in lines if not line.startswith("from ")]


@pytest.mark.parametrize("stub", STUBS)
def test_the_stubs_are_those_of_the_table(stub):
    assert meaning((ROOT / stub).read_text()) == meaning(STUBS[stub]()), "run `python tests/test_stubs.py`"


def test_the_stub_has_every_public_name():
    tree = ast.parse((ROOT / "autograd/__init__.pyi").read_text())
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    names |= {a.asname or a.name for node in tree.body if isinstance(node, ast.ImportFrom) for a in node.names}
    assert {*autograd.__all__, "compile"} <= names


RIGHT = """
from autograd import Value, clip, compile, grad, logsumexp, mean, sum, tanh, weighted_sum
from typing import assert_type

x = Value(0.5)
some: list[Value | float] = [x, 2.0]
assert_type(tanh(x), Value)
assert_type(tanh(1), float)
assert_type(x.tanh(), Value)
assert_type(x.clip(0, x), Value)
assert_type(x.arctan2(2.0), Value)
assert_type(clip(1.0, x, 2), Value)
assert_type(clip(1.0, 0.0, 2), float)
assert_type(mean([1.0, 2]), float)
assert_type(mean(some), Value)
assert_type(weighted_sum([x, x], [1.0, 2.0], x), Value)
assert_type(2 * x + 1, Value)
"""
WRONG = """
from autograd import Value, logsumexp, tanh
x = Value(0.5)
tanh("a")
tanh([x])
x.tanh(1)
x.tnah()
x.maximum("a")
logsumexp(x)
tanh()
x + "a"
"""


@pytest.mark.parametrize("checker", ["pyright", "mypy"])
def test_type_checkers_know_results_and_see_wrong_operands(tmp_path, checker):
    command = shutil.which(checker, path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    if not command:
        pytest.skip(f"no {checker}")
    (tmp_path / "right.py").write_text(RIGHT)
    (tmp_path / "wrong.py").write_text(WRONG)
    python = ["--pythonpath", sys.executable] if checker == "pyright" else ["--python-executable", sys.executable]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MYPYPATH": str(ROOT)}
    told = subprocess.run(
        [command, *python, "right.py", "wrong.py"], cwd=tmp_path, env=environment, capture_output=True, text=True
    ).stdout
    found = {(file, int(line)) for file, line in re.findall(r"(right|wrong)\.py:(\d+)(?::\d+)?(?: -|:) error", told)}
    assert found == {("wrong", line) for line in range(4, 4 + 8)}, told


def test_jedi_completes_functions_and_methods():
    jedi = pytest.importorskip("jedi")
    code = "from autograd import Value, tanh\nx = Value(1.0)\ny = tanh(x)\ny.arc"
    project = jedi.Project(ROOT)
    names = {found.name for found in jedi.Script(code, project=project).complete()}
    assert {"arctan", "arcsinh", "arctan2"} <= names
    assert "tanh" in {found.name for found in jedi.Script("import autograd\nautograd.ta", project=project).complete()}


if __name__ == "__main__":
    for stub, made in STUBS.items():
        (ROOT / stub).write_text(made())
    subprocess.run([sys.executable, "-m", "ruff", "format", "-q", *STUBS], cwd=ROOT, check=True)
