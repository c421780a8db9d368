"""Keyed tokens: they stand for a participant, a donation or a line where these may not be named.

The key is drawn once for each vault and never leaves it (``raw.secrets``). Without the key a token looks like random
symbols, so nobody can find the code by trying a list of codes.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field

import duckdb


@dataclass(frozen=True)
class Tokens:
    """Makes tokens under one vault's key."""

    _key: bytes = field(repr=False)

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection) -> Tokens:
        """The tokens of the attached ``vault``, whose tables are laid out."""
        ((secret,),) = connection.execute("select secret from vault.raw.secrets where name = 'tokens'").fetchall()
        return cls(bytes.fromhex(secret))

    def token(self, kind: str, text: str) -> str:
        """HMAC-SHA256 (RFC 2104) of ``text``, in hex; tokens of different kinds cannot be compared."""
        return hmac.digest(self._key, f"{kind}\0{text}".encode(), "sha256").hex()

    def participant(self, code: str) -> str:
        """The token of a participant code: 32 hex digits (128 bits)."""
        return self.token("participant", code)[:32]

    def donation(self, sha256: str) -> str:
        """The token of a donation's hash."""
        return self.token("donation", sha256)


def draw_token_key(connection: duckdb.DuckDBPyConnection) -> None:
    """Draw the key of the attached ``vault``, 256 random bits, unless it has one."""
    connection.execute(
        "insert into vault.raw.secrets values ('tokens', $secret) on conflict do nothing",
        {"secret": secrets.token_hex(32)},
    )
