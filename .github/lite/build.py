"""Build the JupyterLite site: the notebooks, run by Python in the browser.

    pip install -e '.[lite]' && python .github/lite/build.py build/site/lite
    python .github/lite/build.py build/lite --pyodide FOLDER

`import autograd` finds glassgrad without any %pip: the wheel lies in the site, and Pyodide's list of packages says that
it is what the name is of (in some releases that was HIPS autograd). With a FOLDER that holds a full Pyodide, the site
needs no other host; otherwise Python itself comes from Pyodide's.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[2]
KERNEL = "@jupyterlite/pyodide-kernel-extension:kernel"


def main(site: Path, pyodide: Path | None) -> None:
    """Build the wheel and the site, and let the site's Python know the wheel."""
    from jupyterlite_pyodide_kernel.constants import PYODIDE_CDN_URL

    with tempfile.TemporaryDirectory() as folder:
        made, contents = Path(folder) / "wheel", Path(folder) / "contents"
        run("pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(made), str(ROOT))
        [wheel] = made.glob("glassgrad-*.whl")
        contents.mkdir()
        for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
            shutil.copy(notebook, contents)
        command = ["--contents", str(contents), "--output-dir", str(site.resolve()), "--piplite-wheels", str(wheel)]
        run("jupyter", "lite", "build", *command, cwd=folder)
    [wheel] = (site / "pypi").glob("glassgrad-*.whl")
    settings: dict = {"loadPyodideOptions": {"lockFileURL": "./static/pyodide/pyodide-lock.json"}}
    home = site / "static/pyodide"
    if pyodide:
        shutil.copytree(pyodide, home, dirs_exist_ok=True)
        settings |= {"pyodideUrl": "./static/pyodide/pyodide.mjs", "disablePyPIFallback": True}
        lock = json.loads((home / "pyodide-lock.json").read_text())
    else:
        home.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(f"{PYODIDE_CDN_URL}/pyodide-lock.json") as answer:
            lock = json.load(answer)
    lock = with_wheel(lock, wheel, f"../../pypi/{wheel.name}", "" if pyodide else f"{PYODIDE_CDN_URL}/")
    (home / "pyodide-lock.json").write_text(json.dumps(lock))
    config = site / "jupyter-lite.json"
    written = json.loads(config.read_text())
    plugins = written["jupyter-config-data"].setdefault("litePluginSettings", {})
    plugins[KERNEL] = {**plugins.get(KERNEL, {}), **settings}
    config.write_text(json.dumps(written, indent=2))


def run(*command: str, cwd: str | None = None) -> None:
    """Run a module of this Python."""
    subprocess.run([sys.executable, "-m", *command], check=True, cwd=cwd)


def with_wheel(lock: dict, wheel: Path, where: str, others: str = "", depends: tuple = ("numpy", "matplotlib")) -> dict:
    """Pyodide's list of packages, in which `autograd` and `nn` are this wheel's, found at `where`.

    `others` is what stands before the file names of all other packages.
    """
    packages = {
        name: {**package, "file_name": others + package["file_name"]}
        for name, package in lock["packages"].items()
        if not {"autograd", "nn"} & {module.partition(".")[0] for module in package["imports"]}
    }
    packages["glassgrad"] = {
        "name": "glassgrad",
        "version": wheel.name.split("-")[1],
        "file_name": where,
        "install_dir": "site",
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "package_type": "package",
        "imports": ["autograd", "nn"],
        "depends": list(depends),
        "unvendored_tests": False,
    }
    return {**lock, "packages": packages}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("site", type=Path, help="the folder to write")
    parser.add_argument("--pyodide", type=Path, help="a folder with a full Pyodide, to be part of the site")
    given = parser.parse_args()
    main(given.site, given.pyodide)
