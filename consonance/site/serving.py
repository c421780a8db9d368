"""Serving the docs site on this machine alone, for browsers that open no files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from consonance.study.errors import ConsonanceError

LOOPBACK = "127.0.0.1"


class CannotServe(ConsonanceError):
    """The port is taken."""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing of each request."""


@contextmanager
def site_server(site: Path, port: int) -> Iterator[ThreadingHTTPServer]:
    """A server of the folder ``site`` on loopback; ``serve_forever`` runs it.

    Args:
        site: What is served.
        port: 0 for any that is free.

    Raises:
        CannotServe: see there.
    """
    try:
        server = ThreadingHTTPServer((LOOPBACK, port), partial(_Quiet, directory=str(site)))
    except OSError:
        raise CannotServe(
            f"Port {port} of this machine is in use.", "Name another with --port, or none for a free one."
        ) from None
    with server:
        yield server
