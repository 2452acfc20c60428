"""Drives headless Chromium through its debugging pipe; no driver, no network."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--enable-unsafe-swiftshader",
    "--remote-debugging-pipe",
]

# Clicks every number of a page: its card tells a formula and leads to a row of the manifest.
EVERY_NUMBER = """(() => {
  document.querySelectorAll('details').forEach((part) => { part.open = true; });
  const wrong = [], card = document.querySelector('#card');
  const numbers = [...document.querySelectorAll('a.num')];
  for (const link of numbers) {
    link.click();
    const row = card.querySelector('.from a');
    const told = !card.hidden && card.querySelector('.formula')?.textContent;
    if (!told || !row || !document.querySelector(row.hash)?.matches('tr'))
      wrong.push(`${link.closest('figure, li, p')?.textContent.slice(0, 60)}: ${link.textContent}`);
    link.click();
    if (!card.hidden) wrong.push(`${link.textContent} does not close`);
  }
  const bare = [...document.querySelectorAll('table.grid td[data-v]:not([data-v=""])')]
    .filter((cell) => !cell.querySelector('a.num')).map((cell) => cell.textContent);
  return [numbers.length, wrong, bare];
})()"""
# What a sheet of A4 with the page's margins shows across, in CSS pixels.
PAPER = 688
OFF_PAPER = """(() => {
  document.querySelectorAll('details').forEach((part) => { part.open = true; });
  return [...document.querySelectorAll('main *')]
    .filter((part) => part.checkVisibility() && !part.closest('svg, .chart'))
    .filter((part) => part.getBoundingClientRect().right > innerWidth + 1)
    .map((part) => `${part.tagName} ${part.textContent.slice(0, 60)}`);
})()"""


def find_chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return next((path for path in map(shutil.which, names) if path), None)


class Browser:
    """One page in one browser."""

    def __init__(self, profile: Path) -> None:
        program = find_chromium()
        assert program is not None
        here_in, there_out = os.pipe()
        there_in, here_out = os.pipe()
        # The pipe is read on descriptor 3 and written on 4, so a shell has to put them there.
        plumbing = f'exec "$0" "$@" 3<&{there_in} 4>&{there_out}'
        self._process = subprocess.Popen(
            ["bash", "-c", plumbing, program, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(there_in, there_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(there_in)
        os.close(there_out)
        self._in, self._out = here_in, here_out
        self._buffer = b""
        self._number = 0
        self.messages: list[str] = []
        self.requests: list[str] = []
        target = self._call("Target.createTarget", {"url": "about:blank"})["targetId"]
        attached = self._call("Target.attachToTarget", {"targetId": target, "flatten": True})
        self._session: str | None = attached["sessionId"]
        still = {"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]}
        self._call("Emulation.setEmulatedMedia", still)
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")

    _session: str | None = None

    def __enter__(self) -> Browser:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._process.poll() is None:
            self._session = None
            self._call("Browser.close")
            self._process.wait(timeout=20)
        os.close(self._in)
        os.close(self._out)

    def _call(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params or {}}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                result: dict[str, Any] = answer["result"]
                return result
            self._note(answer)

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._in], [], [], 40)
            assert ready, "the browser is silent"
            piece = os.read(self._in, 1 << 20)
            assert piece, "the browser is gone"
            self._buffer += piece
        raw, self._buffer = self._buffer.split(b"\0", 1)
        message: dict[str, Any] = json.loads(raw)
        return message

    def _note(self, event: dict[str, Any]) -> None:
        name, params = event.get("method"), event.get("params", {})
        if name == "Runtime.exceptionThrown":
            self.messages.append(str(params["exceptionDetails"]))
        elif name == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
            self.messages.append(str(params["args"]))
        elif name == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.messages.append(str(params["entry"]))
        elif name == "Network.requestWillBeSent":
            url = params["request"]["url"]
            if not url.startswith(("data:", "blob:")):
                self.requests.append(url)

    def size(self, width: int, height: int = 900) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self._call("Emulation.setDeviceMetricsOverride", size)

    def dark(self, on: bool) -> None:
        features = [
            {"name": "prefers-color-scheme", "value": "dark" if on else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        self._call("Emulation.setEmulatedMedia", {"features": features})

    def open(self, page: Path) -> None:
        self.messages.clear()
        self.requests.clear()
        self._call("Page.navigate", {"url": page.as_uri()})
        self.wait("document.documentElement?.dataset.state === 'ready'")

    def wait(self, condition: str, seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while not self.value(f"Boolean({condition})"):
            assert time.monotonic() < end, f"never came true: {condition}; {self.messages}"
            time.sleep(0.05)

    def value(self, script: str) -> Any:
        answer = self._call(
            "Runtime.evaluate",
            {"expression": script, "returnByValue": True, "awaitPromise": True},
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def point_at(self, selector: str) -> None:
        """Move the pointer onto the middle of an element."""
        self.value(f"document.querySelector({json.dumps(selector)}).scrollIntoView()")
        box = self.value(
            f"(() => {{ const b = document.querySelector({json.dumps(selector)})"
            ".getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        for step in (3, 0):
            place = {"type": "mouseMoved", "x": box[0] - step, "y": box[1]}
            self._call("Input.dispatchMouseEvent", place)

    def key(self, name: str) -> None:
        """Press a key, such as "ArrowDown" or "Enter"."""
        for kind in ("keyDown", "keyUp"):
            press: dict[str, Any] = {"type": kind, "key": name, "code": name}
            if name == "Enter":
                press |= {"text": "\r", "windowsVirtualKeyCode": 13}
            self._call("Input.dispatchKeyEvent", press)

    def picture(self, path: Path, *, whole: bool = False, selector: str = "") -> None:
        params: dict[str, Any] = {"format": "png", "captureBeyondViewport": whole or bool(selector)}
        if selector:
            box = self.value(
                f"(() => {{ const b = document.querySelector({json.dumps(selector)})"
                ".getBoundingClientRect(); return {x: b.x + scrollX, y: b.y + scrollY, "
                "width: b.width, height: b.height, scale: 1}; })()"
            )
            params["clip"] = box
        elif whole:
            height = self.value("document.documentElement.scrollHeight")
            width = self.value("innerWidth")
            params["clip"] = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        path.write_bytes(base64.b64decode(self._call("Page.captureScreenshot", params)["data"]))

    def numbers(self) -> tuple[int, list[str], list[str]]:
        """Click every number; return how many, those that tell too little, those without a link."""
        many, wrong, bare = self.value(EVERY_NUMBER)
        return many, wrong, bare

    def off_paper(self) -> list[str]:
        """Return what a printed sheet would cut off at its right."""
        self.size(PAPER)
        self._call("Emulation.setEmulatedMedia", {"media": "print"})
        found: list[str] = self.value(OFF_PAPER)
        self._call("Emulation.setEmulatedMedia", {"media": ""})
        self.dark(False)
        self.size(1280)
        return found

    def pdf(self, path: Path) -> None:
        answer = self._call("Page.printToPDF", {"printBackground": True})
        path.write_bytes(base64.b64decode(answer["data"]))
