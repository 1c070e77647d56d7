"""A Chromium that is driven over its pipe: real keys and clicks, sizes, colour schemes, pictures.

Unlike `browser.drive` one browser serves many tests, and what a script returns may be a promise.
"""

import base64
import itertools
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from typing import Any, NoReturn

import pytest
from browser import browser

fcntl = pytest.importorskip("fcntl", reason="the browser is driven over descriptors that a process inherits on POSIX")

OPTIONS = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update "
    "--disable-sync --disable-extensions --hide-scrollbars --remote-debugging-pipe about:blank"
).split()
# The browser reads its commands from descriptor 3 and answers on 4.
BETWEEN = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
)
KEYS = {"Enter": ("\r", 13), "Tab": ("", 9), " ": (" ", 32), "Escape": ("", 27), "Backspace": ("", 8)}
KEYS |= {
    key: ("", code)
    for code, key in zip(range(33, 41), "PageUp PageDown End Home ArrowLeft ArrowUp ArrowRight ArrowDown".split())
}


class Tab:
    """One page of a browser of its own; `errors` is what it reported since it was opened."""

    def __init__(self):
        program = browser()  # or the test is skipped, before anything is opened
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        commands, answers = os.pipe(), os.pipe()
        self.numbers, self.buffer, self.errors = itertools.count(1), b"", []
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 20) for end in (commands[0], answers[1])]

        # A process between sets them: a `preexec_fn` would fork, which libraries with threads warn of.
        self.process = subprocess.Popen(
            [sys.executable, "-c", BETWEEN, *map(str, ends), program, *OPTIONS, f"--user-data-dir={self.folder.name}"],
            pass_fds=ends,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for end in (*ends, commands[0], answers[1]):
            os.close(end)
        self.write, self.read = commands[1], answers[0]
        self.session = ""
        targets = self.send("Target.getTargets")["targetInfos"]
        target = next(info["targetId"] for info in targets if info["type"] == "page")
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.send(f"{domain}.enable")

    def _give_up(self) -> NoReturn:
        self.close()
        pytest.skip("the browser does not run here")

    def _receive(self, seconds: float = 60.0) -> dict:
        end = time.monotonic() + seconds
        while b"\0" not in self.buffer:
            if not select.select([self.read], [], [], max(0.0, end - time.monotonic()))[0]:
                raise TimeoutError("the browser does not answer")
            chunk = os.read(self.read, 1 << 16)
            if not chunk:
                self._give_up()
            self.buffer += chunk
        message, _, self.buffer = self.buffer.partition(b"\0")
        told = json.loads(message)
        if told.get("method") == "Runtime.exceptionThrown":
            details = told["params"]["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description", details["text"]))
        if told.get("method") == "Log.entryAdded" and told["params"]["entry"]["level"] == "error":
            self.errors.append(told["params"]["entry"]["text"])
        return told

    def send(self, method: str, **params: Any) -> dict:
        """What the browser answers to a command of its protocol."""
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        try:
            os.write(self.write, json.dumps(message).encode() + b"\0")
        except BrokenPipeError:
            self._give_up()
        while True:
            told = self._receive()
            if told.get("id") == number:
                assert "error" not in told, f"{method}: {told.get('error')}"
                return told["result"]

    def open(self, address: str) -> None:
        """Load an address from afresh, and wait until it has."""
        self.send("Page.navigate", url="about:blank")
        self.errors.clear()
        self.send("Page.navigate", url=address)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def run(self, script: str) -> Any:
        """What an expression is worth in the page, as JSON; a promise is awaited."""
        answer = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        details = answer.get("exceptionDetails")
        assert not details, details.get("exception", {}).get("description", details["text"])
        return answer["result"].get("value")

    def wait(self, condition: str, seconds: float = 20.0) -> None:
        """Until a condition holds in the page."""
        end = time.monotonic() + seconds
        while not self.run(f"Boolean({condition})"):
            assert time.monotonic() < end, f"never came true: {condition}"
            time.sleep(0.02)

    def press(self, *keys: str) -> None:
        """Press keys one after the other where the focus is."""
        for key in keys:
            shift = key.startswith("Shift+")
            name = key.removeprefix("Shift+")
            text, code = KEYS.get(name, (name, ord(name.upper()) if len(name) == 1 else 0))
            common = {"key": name, "windowsVirtualKeyCode": code, "modifiers": 8 * shift}
            self.send("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **common)
            self.send("Input.dispatchKeyEvent", type="keyUp", **common)

    def type(self, text: str) -> None:
        """Type a text where the focus is."""
        self.send("Input.insertText", text=text)

    def click(self, selector: str, dx: float = 0.5, dy: float = 0.5) -> None:
        """Click on an element, in the middle unless told otherwise."""
        box = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            " e.scrollIntoView({block: 'center'}); const b = e.getBoundingClientRect();"
            " return [b.left, b.top, b.width, b.height]; })()"
        )
        point = {"x": box[0] + dx * box[2], "y": box[1] + dy * box[3], "button": "left", "clickCount": 1}
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, **point)

    def size(self, width: int, height: int, scale: float = 1.0) -> None:
        """Make the window that large."""
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False
        )

    def scheme(self, name: str) -> None:
        """Prefer "light" or "dark"."""
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def picture(self, path: Any) -> None:
        """A PNG of what the window shows."""
        data = self.send("Page.captureScreenshot", format="png")["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def close(self) -> None:
        """End the browser."""
        self.process.terminate()
        self.process.wait(20)
        os.close(self.write)
        os.close(self.read)
        self.folder.cleanup()
