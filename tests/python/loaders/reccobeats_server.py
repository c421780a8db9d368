"""A service that speaks like ReccoBeats, on this machine: what it knows, how it fails, and what it was asked."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

# For so long it keeps a client waiting that is to give up, in seconds.
TOO_LONG = 1.5
FAULTS = ("429", "429 Retry-After", "500", "503 Retry-After", "cut", "cut without length", "garbage", "no list", "late")


@dataclass
class Service:
    """What the service does, and a record of what it was asked.

    Attributes:
        known: What it says of each track that it knows, by Spotify id: the features' answer and the track's.
        faults: The faults of the first requests, in order; an empty string is none.
        fault_rate: How often a later request fails.
        random: Which of them fail, and how.
        kill_after: Answers (complete ones) after which the process ``client`` is killed.
        answered: By path, how often each id was asked in a request that was answered completely.
        queries, headers: Of every request.
    """

    known: dict[str, tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    fault_rate: float = 0.0
    random: random.Random = field(default_factory=lambda: random.Random(7))
    retry_after: str = "1"
    kill_after: list[int] = field(default_factory=list)
    client: int | None = None
    answered: dict[str, Counter[str]] = field(
        default_factory=lambda: {"/v1/audio-features": Counter(), "/v1/track": Counter()}
    )
    failed: Counter[str] = field(default_factory=Counter)
    queries: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""
    answers: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def know(self, spotify_id: str, isrc: str | None = None, length_ms: int | None = None, **values: Any) -> None:
        """Let it know a track."""
        common = {"id": f"uuid-of-{spotify_id}", "href": f"https://open.spotify.com/track/{spotify_id}", "isrc": isrc}
        self.known[spotify_id] = (common | values, common | {"trackTitle": "A Track", "durationMs": length_ms})

    def next_fault(self) -> str:
        if self.faults:
            return self.faults.pop(0)
        return self.random.choice(FAULTS) if self.random.random() < self.fault_rate else ""

    def note_answer(self, path: str, ids: list[str]) -> None:
        """Note an answer before it is sent: whoever has got it finds it noted."""
        with self.lock:
            self.answered[path].update(ids)
            self.answers += 1

    def kill_client(self) -> None:
        """Kill the client if it is to be killed after the answers that it has got."""
        with self.lock:
            if self.client and self.kill_after and self.answers >= self.kill_after[0]:
                del self.kill_after[0]
                os.kill(self.client, signal.SIGKILL)
                self.client = None


@contextmanager
def serving(service: Service) -> Iterator[Service]:
    """Run ``service`` on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = parse_qs(parts.query)
            ids = query.get("ids", [""])[0].split(",")
            with service.lock:
                service.queries.append((parts.path, query))
                service.headers.append(dict(self.headers))
                fault = service.next_fault()
                service.failed[fault] += 1
            content = [service.known[one][parts.path == "/v1/track"] for one in ids if one in service.known]
            body = json.dumps({"content": content}).encode()
            if not fault:
                service.note_answer(parts.path, ids)
                self.answer(200, body)
                service.kill_client()
            elif fault == "late":
                time.sleep(TOO_LONG)
                self.close_connection = True
            elif fault == "cut":
                self.answer(200, body, cut=True)
            elif fault == "cut without length":
                self.answer(200, body[:-9], with_length=False)
            elif fault in ("garbage", "no list"):
                self.answer(200, b"<html>Well\xff" if fault == "garbage" else b'{"content": {"a": 1}}')
            elif fault == "redirect":
                self.answer(302, b"", Location=f"{service.url}/elsewhere")
            else:
                status, *with_header = fault.split()
                self.answer(
                    int(status), b'{"error": "x"}', **({"Retry-After": service.retry_after} if with_header else {})
                )

        def answer(self, status: int, body: bytes, cut: bool = False, with_length: bool = True, **headers: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Set-Cookie", "who=you")
            for name, value in headers.items():
                self.send_header(name, value)
            if with_length:
                self.send_header("Content-Length", str(len(body)))
            else:
                self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if cut else body)
            self.close_connection = cut or not with_length

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """A client that gave up, or was killed, is no error."""

    server = Server(("127.0.0.1", 0), Handler)
    service.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
