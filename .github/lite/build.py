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
SETTINGS = {"@jupyterlab/apputils-extension:themes": {"adaptive-theme": True}}  # light or dark as the reader prefers
KERNEL = "@jupyterlite/pyodide-kernel-extension:kernel"
OF_KERNEL = ["comm"]  # what the kernel imports and neither brings nor finds in Pyodide


def main(site: Path, pyodide: Path | None) -> None:
    """Build the wheel and the site, and let the site's Python know the wheel."""
    with tempfile.TemporaryDirectory() as folder:
        made, contents = Path(folder) / "wheel", Path(folder) / "contents"
        run("pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(made), str(ROOT), *OF_KERNEL)
        contents.mkdir()
        for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
            (contents / notebook.name).write_text(joined(notebook.read_text(encoding="utf-8")), encoding="utf-8")
        (Path(folder) / "overrides.json").write_text(json.dumps(SETTINGS))
        command = ["--contents", str(contents), "--output-dir", str(site.resolve())]
        command += [option for wheel in made.iterdir() for option in ("--piplite-wheels", str(wheel))]
        run("jupyter", "lite", "build", *command, cwd=folder)
    [wheel] = (site / "pypi").glob("glassgrad-*.whl")
    settings: dict = {"loadPyodideOptions": {"lockFileURL": "./static/pyodide/pyodide-lock.json"}}
    home, others = site / "static/pyodide", ""
    if pyodide:
        shutil.copytree(pyodide, home, dirs_exist_ok=True)
        settings |= {"pyodideUrl": "./static/pyodide/pyodide.mjs", "disablePyPIFallback": True}
        lock = json.loads((home / "pyodide-lock.json").read_text())
    else:
        from jupyterlite_pyodide_kernel.constants import PYODIDE_CDN_URL

        home.mkdir(parents=True, exist_ok=True)
        others = f"{PYODIDE_CDN_URL}/"
        with urllib.request.urlopen(f"{others}pyodide-lock.json") as answer:
            lock = json.load(answer)
    lock = with_wheel(lock, wheel, f"../../pypi/{wheel.name}", others)
    (home / "pyodide-lock.json").write_text(json.dumps(lock))
    config = site / "jupyter-lite.json"
    written = json.loads(config.read_text())
    plugins = written["jupyter-config-data"].setdefault("litePluginSettings", {})
    plugins[KERNEL] = {**plugins.get(KERNEL, {}), **settings}
    config.write_text(json.dumps(written, indent=2))


def joined(notebook: str) -> str:
    """A notebook whose texts are strings, not lists of lines: JupyterLite's table of contents reads no others."""
    content = json.loads(notebook)
    for cell in content["cells"]:
        cell["source"] = "".join(cell["source"])
        for output in cell.get("outputs", []):
            texts = output.get("data", {})
            texts.update({kind: "".join(lines) for kind, lines in texts.items() if isinstance(lines, list)})
            if "text" in output:
                output["text"] = "".join(output["text"])
    return json.dumps(content, ensure_ascii=False)


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
