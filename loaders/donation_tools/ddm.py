"""DDM, the Data Donation Module of the University of Zurich: JSON of its donations API, and of the download of one participant.

Source: uzh/ddm, ``ddm/apis/views.py`` and ``serializers.py`` (commits 129e44d, 26f31ce), ``ddm/datadonation/views.py``
(1cb8fe8). The API of the first versions (15087199) gave no participants: such a file is not read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from loaders.archive import Member
from loaders.donation_tools.documents import Share, as_member, share_of, written

START = re.compile(rb'\s*(?:\{\s*"blueprints"\s*:\s*\{|\[\s*\{\s*"blueprint_id"\s*:)')
# What stands for a donation to which the participant did not agree: whatever is in it is not read.
NOTHING = b"[]"


def shares_in(document: Any) -> list[Share]:
    """What each participant donated: a list of rows for each blueprint."""
    members: dict[str, list[Member]] = {}
    for blueprint, donation in _donations(document):
        theirs = members.setdefault(_participant(donation), [])
        rows = written(donation.get("data")) if donation.get("consent") is True else NOTHING
        theirs.append(as_member(blueprint, len(theirs), rows))
    return [share_of(tool_id, theirs) for tool_id, theirs in members.items()]


def without(document: Any, tool_ids: Collection[str]) -> Any:
    """The document without the donations of ``tool_ids``; ``None`` if there are no others in it."""
    if isinstance(document, list):
        return [entry for entry in document if _participant(_donation(entry)) not in tool_ids] or None
    blueprints = {
        number: blueprint
        | {"donations": [one for one in _list(blueprint, "donations") if _participant(one) not in tool_ids]}
        for number, blueprint in _blueprints(document).items()
    }
    is_empty = not any(blueprint["donations"] for blueprint in blueprints.values())
    return None if is_empty else document | {"blueprints": blueprints}


def _donations(document: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """(name of the blueprint, donation) of all that is in the document."""
    if isinstance(document, list):
        for entry in document:
            yield _name(entry, _dict(entry).get("blueprint_id")), _donation(entry)
        return
    for number, blueprint in _blueprints(document).items():
        for donation in _list(blueprint, "donations"):
            yield _name(blueprint, number), _dict(donation)


def _blueprints(document: Any) -> dict[str, dict[str, Any]]:
    return {number: _dict(blueprint) for number, blueprint in _dict(_dict(document).get("blueprints")).items()}


def _donation(entry: Any) -> dict[str, Any]:
    return _dict(_dict(entry).get("donation"))


def _participant(donation: Any) -> str:
    participant = _dict(donation).get("participant")
    return participant if isinstance(participant, str) else ""


def _name(blueprint: Any, number: object) -> str:
    return f"blueprint {number} {_dict(blueprint).get('blueprint_name', '')}".rstrip()


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any, key: str) -> list[Any]:
    found = _dict(value).get(key)
    return found if isinstance(found, list) else []
