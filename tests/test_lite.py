"""Notebooks in the browser: a JupyterLite site is built, and there `import autograd` finds this package."""

import importlib.util
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from wasm import PYODIDE, in_pyodide, run_in_pyodide

ROOT = Path(__file__).parents[1]


def build():
    specification = importlib.util.spec_from_file_location("build_lite", ROOT / ".github/lite/build.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def wheel(tmp_path):
    """A wheel of both packages, made without any build tool."""
    path = tmp_path / "glassgrad-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for package in ("autograd", "nn"):
            for file in sorted((ROOT / package).rglob("*")):
                if file.is_file() and "__pycache__" not in file.parts:
                    archive.write(file, file.relative_to(ROOT))
        info = "glassgrad-0.1.0.dist-info"
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: glassgrad\nVersion: 0.1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


HIPS = {"name": "autograd", "version": "1.7.0", "file_name": "autograd-1.7.0.whl", "imports": ["autograd"],
        "depends": ["numpy"], "install_dir": "site", "sha256": "0", "package_type": "package"}  # fmt: skip


def test_pyodides_list_of_packages_has_ours_in_the_place_of_the_other_autograd(wheel):
    numpy = {**HIPS, "name": "numpy", "imports": ["numpy"], "file_name": "numpy.whl"}
    lock = {"info": {"python": "3.14"}, "packages": {"autograd": HIPS, "numpy": numpy}}
    made = build().with_wheel(lock, wheel, f"../../pypi/{wheel.name}", "https://host/")
    assert made["info"] == lock["info"]
    assert set(made["packages"]) == {"numpy", "glassgrad"}
    assert made["packages"]["numpy"]["file_name"] == "https://host/numpy.whl"
    assert made["packages"]["glassgrad"]["imports"] == ["autograd", "nn"]
    assert lock["packages"]["autograd"] == HIPS


@in_pyodide
def test_pyodide_imports_ours_without_an_installation_where_it_ships_the_other_autograd(wheel, tmp_path):
    lock = json.loads((PYODIDE / "pyodide-lock.json").read_text())
    lock["packages"]["autograd"] = HIPS
    made = build().with_wheel(lock, wheel, str(wheel), depends=())
    (tmp_path / "pyodide-lock.json").write_text(json.dumps(made))
    program = "import autograd, nn\nf'{autograd.__file__} {autograd.tanh(0.0)} {nn.MLP(2, [1], seed=0)}'"
    found = run_in_pyodide(program, tmp_path, lockFileURL=str(tmp_path / "pyodide-lock.json"))
    assert "site-packages/autograd/__init__.py 0.0 MLP" in found


def test_the_site_is_built_with_the_wheel_and_the_notebooks(tmp_path):
    pytest.importorskip("jupyterlite_pyodide_kernel")
    pyodide = tmp_path / "pyodide"
    pyodide.mkdir()
    (pyodide / "pyodide.mjs").touch()
    (pyodide / "pyodide-lock.json").write_text(json.dumps({"info": {}, "packages": {"autograd": HIPS}}))
    site = tmp_path / "site"
    command = [sys.executable, str(ROOT / ".github/lite/build.py"), str(site), "--pyodide", str(pyodide)]
    built = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert not built.returncode, built.stderr + built.stdout
    settings = json.loads((site / "jupyter-lite.json").read_text())["jupyter-config-data"]
    assert settings["settingsOverrides"]["@jupyterlab/apputils-extension:themes"]["adaptive-theme"]
    [kernel] = settings["litePluginSettings"].values()
    lock = json.loads((site / kernel["loadPyodideOptions"]["lockFileURL"]).read_text())
    assert list(lock["packages"]) == ["glassgrad"]
    file = site / "static/pyodide" / lock["packages"]["glassgrad"]["file_name"]
    assert {"autograd/__init__.py", "nn/__init__.py"} <= set(zipfile.ZipFile(file).namelist())
    assert (site / kernel["pyodideUrl"]).exists()
    assert {"comm", "glassgrad"} <= set(json.loads((site / "pypi/all.json").read_text()))  # without another host
    notebooks = {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert notebooks == {path.name for path in (site / "files").glob("*.ipynb")}
    assert "%pip" not in "".join((site / "files" / name).read_text() for name in notebooks)


def test_texts_of_a_notebook_become_strings_as_jupyterlites_table_of_contents_reads_them():
    output = {"output_type": "display_data", "data": {"text/html": ["<b>", "x</b>"], "application/json": {"a": [1]}}}
    stream = {"output_type": "stream", "text": ["a\n", "b"]}
    cells = [{"cell_type": "code", "source": ["x\n", "y"], "outputs": [output, stream]}, {"source": "# z"}]
    [first, second] = json.loads(build().joined(json.dumps({"cells": cells})))["cells"]
    assert (first["source"], second["source"]) == ("x\ny", "# z")
    assert first["outputs"][0]["data"] == {"text/html": "<b>x</b>", "application/json": {"a": [1]}}
    assert first["outputs"][1]["text"] == "a\nb"
