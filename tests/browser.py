"""Run pages in a headless Chromium, and scripts there or in Node; where none is installed, the test is skipped."""

import html
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
from typing import Any

import pytest

BROWSERS = "chromium chromium-browser google-chrome google-chrome-stable chrome microsoft-edge".split()
QUIET = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update "
    "--disable-sync --disable-quic --disable-extensions --disable-features=IsolateSandboxedIframes "
    "--enable-logging=stderr --virtual-time-budget=10000"
).split()


def browser() -> str:
    """The path of a browser."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        pytest.skip("no Chromium is installed")
    return found


def dom(page: str, fragment: str = "", width: int = 1280, dark: bool = False) -> tuple[str, list[str]]:
    """The page's document after its scripts have run, and what the console said."""
    program = browser()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = pathlib.Path(folder, "page.html")
        path.write_text(page, encoding="utf-8")
        options = [*QUIET, f"--user-data-dir={folder}/profile", f"--window-size={width},900"]
        options += ["--blink-settings=preferredColorScheme=0"] * dark
        done = subprocess.run(
            [program, *options, "--dump-dom", f"{path.as_uri()}{fragment}"], capture_output=True, timeout=120
        )
    document, log = done.stdout.decode(), done.stderr.decode(errors="replace")
    if "</html>" not in document:
        pytest.skip(f"the browser does not run here: {log[-200:]}")
    return document, [line for line in log.splitlines() if ":CONSOLE" in line]


def drive(page: str, script: str, **options: Any) -> Any:
    """What a script returns that runs when the page has loaded, as JSON; fails when the page reports an error."""
    watch = (
        "<script>const errors = []; addEventListener('error', (e) => errors.push(String(e.message)));"
        "addEventListener('unhandledrejection', (e) => errors.push(String(e.reason)));</script>"
    )
    report = (
        "<script>addEventListener('load', () => { let answer; try { answer = (() => {%s})(); }"
        " catch (e) { errors.push(String(e)); } const pre = document.createElement('pre'); pre.id = 'answer';"
        " pre.textContent = JSON.stringify({ answer, errors }); document.body.append(pre); });</script>"
    )
    page = page.replace("<head>", "<head>" + watch, 1).replace("</body>", report % script + "</body>")
    document, console = dom(page, **options)
    found = re.search(r'<pre id="answer">(.*?)</pre>', document, re.S)
    assert found, console
    told = json.loads(html.unescape(found[1]))
    assert told["errors"] == []
    assert console == []
    return told["answer"]


def evaluate(script: str) -> Any:
    """What a script returns, as JSON, in Node or else in a browser."""
    node = shutil.which("node")
    if not node:
        return drive("<html><head></head><body></body></html>", script)
    wrapped = f"console.log(JSON.stringify((() => {{{script}}})()))"
    done = subprocess.run([node, "-"], input=wrapped.encode(), capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)
