"""A Chromium that tests drive through a pipe, with the protocol of its developer tools: pages as a person sees them.

https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync",
    "--disable-component-update", "--disable-extensions", "--remote-debugging-pipe",
)  # fmt: skip


class Browser:
    """One tab.

    Attributes:
        requests: The addresses that were asked for since the last ``open``.
        messages: What was written to the console as a warning or an error meanwhile, and errors that nothing caught.
    """

    def __init__(self, read: int, write: int) -> None:
        self._read, self._write, self._buffer, self._number = read, write, b"", 0
        self.requests: list[str] = []
        self.messages: list[str] = []
        self._loaded = False
        target = self._call("Target.createTarget", {"url": "about:blank"})["targetId"]
        self._session = self._call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def width(self, width: int, height: int = 900) -> None:
        """Give the page this many pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )

    def open(self, address: str) -> None:
        """Go to ``address`` and wait until it is loaded."""
        self.requests, self.messages, self._loaded = [], [], False
        self.call("Page.navigate", {"url": address})
        while not self._loaded:
            self._receive()

    def ask(self, script: str) -> Any:
        """The value of ``script``, of what it promises if it is a promise."""
        found = self.call("Runtime.evaluate", {"expression": script, "awaitPromise": True, "returnByValue": True})
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def type(self, text: str) -> None:
        """Type ``text`` where the focus is."""
        self.call("Input.insertText", {"text": text})
        for kind in ("keyDown", "keyUp"):  # pages wait for a key
            self.call("Input.dispatchKeyEvent", {"type": kind, "key": "Shift"})

    def wait_for(self, script: str, seconds: float = 20) -> Any:
        """The value of ``script`` as soon as it is true."""
        end = time.monotonic() + seconds
        while not (value := self.ask(script)):
            assert time.monotonic() < end, script
            time.sleep(0.05)
        return value

    def call(self, method: str, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
        """Call a method of the protocol on the tab."""
        return self._call(method, parameters or {}, self._session)

    def _call(self, method: str, parameters: dict[str, Any], session: str | None = None) -> dict[str, Any]:
        self._number += 1
        number = self._number
        message = {"id": number, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while (answer := self._receive()).get("id") != number:
            pass
        assert "error" not in answer, (method, answer)
        return dict(answer["result"])

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            assert select.select([self._read], [], [], 120)[0], "Chromium does not answer"
            part = os.read(self._read, 1 << 16)
            assert part, "Chromium has ended"
            self._buffer += part
        text, _, self._buffer = self._buffer.partition(b"\0")
        message = dict(json.loads(text))
        told = message.get("params", {})
        match message.get("method"):
            case "Page.loadEventFired":
                self._loaded = True
            case "Network.requestWillBeSent":
                self.requests.append(told["request"]["url"])
            case "Runtime.exceptionThrown":
                self.messages.append(str(told["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if told["type"] in ("error", "warning", "assert"):
                self.messages.append(str(told["args"]))
            case "Log.entryAdded" if told["entry"]["level"] in ("error", "warning"):
                self.messages.append(f"{told['entry']['text']} {told['entry'].get('url', '')}".strip())
        return message


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A browser with a fresh ``profile``, which ends with the block."""
    to_read, to_write = os.pipe(), os.pipe()

    def as_three_and_four() -> None:
        os.dup2(to_write[0], 3)
        os.dup2(to_read[1], 4)

    started = subprocess.Popen(
        ["chromium", *FLAGS, f"--user-data-dir={profile}", "about:blank"],
        preexec_fn=as_three_and_four,
        pass_fds=(3, 4),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield Browser(to_read[0], to_write[1])
    finally:
        started.kill()
        started.wait()
        for end in (*to_read, *to_write):
            os.close(end)
