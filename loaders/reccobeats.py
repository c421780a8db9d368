"""ReccoBeats' free API: audio features, ISRC and length of tracks, by their Spotify ids.

Nothing but the ids is sent: no cookie, no password, no name of this program. A track that the service does not know is
missing in its answer. Documentation: https://reccobeats.com/docs/documentation/request-and-response.
"""

from __future__ import annotations

import ipaddress
import logging
import math
import os
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.exceptions import InvalidJSONError
from urllib3.exceptions import InvalidHeader, MaxRetryError
from urllib3.util import Retry

from consonance.study.errors import ConsonanceError
from loaders.feature_numbers import features

SOURCE = "reccobeats"
BASE_URL = "https://api.reccobeats.com"
# For tests: another place that speaks the same.
URL_VARIABLE = "CONSONANCE_RECCOBEATS_URL"
# The service takes so many ids in one request.
BATCH = 40
ENDPOINTS = ("/v1/audio-features", "/v1/track")
# Seconds to connect, and seconds without a byte of the answer.
TIMEOUT = (10.0, 30.0)
# The service is asked again after 0, 2, 4, … 120 seconds, or after what it says in Retry-After.
PATIENCE = Retry(total=8, status_forcelist=(408, 429, *range(500, 600)), backoff_factor=1, backoff_jitter=1)
# Who is to wait longer than so many seconds stops, and the fetch goes on another time.
LONGEST_WAIT = 900.0

# The service's names of features, and ours (seeds/audio_features.csv).
FEATURES = {
    **{
        name: name
        for name in (
            "acousticness", "danceability", "energy", "instrumentalness", "liveness", "loudness", "speechiness", "tempo",
            "valence",
        )
    },
    "key": "musical_key",
    "mode": "mode",
}  # fmt: skip
TRACK_LINK = re.compile(r"https://open\.spotify\.com/track/([0-9A-Za-z]{22})")
ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
# No track is longer than a day.
LONGEST_TRACK_MS = 86_400_000


class BadAddress(ConsonanceError):
    """The address that is set for tests must not be asked."""


class NotAnswered(ConsonanceError):
    """The service did not answer; it may at another time."""


class Refused(ConsonanceError):
    """The service answered that it takes no such request."""


@dataclass(frozen=True)
class Track:
    """What the service says about one track. ``values``: by our name of the feature."""

    isrc: str | None = None
    length_ms: int | None = None
    values: Mapping[str, float] = field(default_factory=dict)


class ReccoBeats:
    """The service, asked over one connection.

    Args:
        base_url: Its address without a path.
        patience: How often, and after what time, a request that failed is repeated.
        timeout: Seconds to connect, and seconds without a byte.
        waits: Is called before each wait, with its seconds and the reason in a few words.
    """

    def __init__(
        self,
        base_url: str = BASE_URL,
        *,
        patience: Retry = PATIENCE,
        timeout: tuple[float, float] = TIMEOUT,
        waits: Callable[[float, str], None] = lambda seconds, why: None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._patience = patience
        self._timeout = timeout
        self._waits = waits
        self._session = _session()

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).netloc

    def tracks(self, spotify_ids: Collection[str]) -> dict[str, Track]:
        """What the service knows about at most ``BATCH`` tracks, by Spotify id; unknown tracks are missing.

        Raises:
            NotAnswered: every attempt failed, or the service asks to wait for long.
            Refused: it answered that it takes no such request.
        """
        measured, facts = (dict(self._items(path, spotify_ids)) for path in ENDPOINTS)
        return {
            track: Track(
                isrc=_isrc(measured.get(track, {})) or _isrc(facts.get(track, {})),
                length_ms=_length_ms(facts.get(track, {})),
                values=dict(_values(measured.get(track, {}))),
            )
            for track in measured.keys() | facts.keys()
        }

    def _items(self, path: str, spotify_ids: Collection[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Each item of an answer with the Spotify id that it is about; items about anything else are left out."""
        for item in self._content(path, spotify_ids):
            found = TRACK_LINK.fullmatch(str(item.get("href"))) if isinstance(item, dict) else None
            if found and found[1] in spotify_ids:
                yield found[1], item

    def _content(self, path: str, spotify_ids: Collection[str]) -> list[Any]:
        """The list of one answer. What is no such list, is cut off, or comes too late is a failed request."""
        attempts = self._patience
        while True:
            retry_after = None
            try:
                # A redirect would take the ids to somebody else.
                response = self._session.get(
                    self.base_url + path,
                    params={"ids": ",".join(spotify_ids)},
                    timeout=self._timeout,
                    allow_redirects=False,
                )
                if response.status_code == requests.codes.ok:
                    return _listed(response)
                if not attempts.is_retry("GET", response.status_code):
                    raise Refused(
                        f"{self.host} refused the request (status {response.status_code}).",
                        "Look at its documentation: the service may have changed. What it answered before is kept.",
                    )
                why = f"status {response.status_code}"
                retry_after = _retry_after(attempts, response)
            except requests.RequestException as error:
                # The text of the error is not passed on: it quotes the ids.
                why = _reason(error)
            try:
                attempts = attempts.increment("GET", path)
            except MaxRetryError:
                raise NotAnswered(
                    f"{self.host} did not answer {len(attempts.history) + 1} times, the last time with: {why}.",
                    "What it answered before is kept. Run the command again later: it goes on from there.",
                ) from None
            self._wait(retry_after or attempts.get_backoff_time(), why)

    def _wait(self, seconds: float, why: str) -> None:
        if seconds > LONGEST_WAIT:
            raise NotAnswered(
                f"{self.host} asks to wait {math.ceil(seconds / 60)} minutes.",
                "What it answered before is kept. Run the command again after that: it goes on from there.",
            )
        self._waits(seconds, why)
        time.sleep(seconds)


def service_url() -> str:
    """Where the service is: ``BASE_URL``, or for tests what ``URL_VARIABLE`` says.

    Raises:
        BadAddress: it is not on this machine, and would be asked without encryption.
    """
    url = os.environ.get(URL_VARIABLE) or BASE_URL
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(parts.hostname)):
        return url
    raise BadAddress(
        f"${URL_VARIABLE} is not an address that may be asked.",
        "Unset it. Without encryption (http) only a service on this machine is asked.",
    )


def _is_this_machine(host: str | None) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _session() -> requests.Session:
    session = requests.Session()
    session.headers["Accept"] = "application/json"
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # Without this, a password that ~/.netrc has for the host would be sent.
    session.auth = lambda request: request
    # Its warnings quote the address, and so the ids.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    return session


def _listed(response: requests.Response) -> list[Any]:
    content = response.json()
    if not isinstance(content, dict) or not isinstance(content.get("content"), list):
        raise InvalidJSONError("no list of tracks")
    return list(content["content"])


def _retry_after(attempts: Retry, response: requests.Response) -> float | None:
    try:
        return attempts.get_retry_after(response.raw)
    except InvalidHeader:
        return None


def _reason(error: requests.RequestException) -> str:
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "no connection that can be trusted"
    if isinstance(error, InvalidJSONError):
        return "an answer that cannot be read"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return "an answer that was cut off"


def _values(item: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The values that are possible, by our names; anything else is no value."""
    for name, feature in FEATURES.items():
        value, known = item.get(name), features()[feature]
        if isinstance(value, int | float) and not isinstance(value, bool) and known.least <= value <= known.most:
            yield feature, float(value)


def _isrc(item: Mapping[str, Any]) -> str | None:
    isrc = str(item.get("isrc")).replace("-", "").upper()
    return isrc if ISRC.fullmatch(isrc) else None


def _length_ms(item: Mapping[str, Any]) -> int | None:
    length = item.get("durationMs")
    return length if type(length) is int and 0 < length <= LONGEST_TRACK_MS else None
