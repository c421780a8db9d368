"""What a person has looked at and allowed: ``reviewed.yml``."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import yaml

from consonance.study.errors import ConsonanceError

REVIEWED = Path(__file__).with_name("reviewed.yml")
# How a condition begins among the values that a choice chooses; and what a review says that covers all of them.
CONDITION, ANY_CONDITION = "the", "any condition"


def digest_of(text: str) -> str:
    """What a review names: the first 12 hex digits of the SHA-256 of what was read."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


class BadReview(ConsonanceError):
    """``reviewed.yml`` cannot be used."""


@dataclass(frozen=True)
class Review:
    """Why some columns may decide which rows or values there are.

    Attributes:
        keys: (column, use, model).
        kinds: What the columns may say of a participant.
        digest: Of what is written there.
        values: The columns right of the wall and arguments of functions whose values they may choose, too; or
            ``ANY_CONDITION``.
    """

    keys: frozenset[tuple[str, str, str]]
    kinds: frozenset[str]
    digest: str
    reason: str
    values: frozenset[str] = frozenset()

    def covers(self, value: str) -> str:
        """The entry of ``values`` that names ``value``; empty if none does."""
        entry = ANY_CONDITION if value.startswith(f"{CONDITION} '") else value
        return entry if entry in self.values else ""


@dataclass(frozen=True)
class Reviews:
    """What a person has looked at and allowed.

    Attributes:
        uses: What may decide which rows or values there are.
        functions: Function to digest: as it was read.
        macros: Macro to (digest, reason): SQL that the checker does not read.
        code: Python that draws what must be random, or closes connections, as ``module`` or ``module:function``, to (digest, reason).
        memories: Model to the reason why it may read what it was before.
        chance: File that draws at random, or writes keys of participants, to the reason why it may.
        given: Model of the vault to (digest, reason): it may be read for other purposes than its rows were given for.
    """

    uses: Sequence[Review]
    functions: Mapping[str, str]
    macros: Mapping[str, tuple[str, str]]
    code: Mapping[str, tuple[str, str]]
    memories: Mapping[str, str]
    chance: Mapping[str, str]
    given: Mapping[str, tuple[str, str]]

    def of(self, key: tuple[str, str, str]) -> Review | None:
        """The review of a column in a use of a model."""
        return next((review for review in self.uses if key in review.keys), None)

    @classmethod
    def read(cls, path: Path = REVIEWED) -> Reviews:
        """The reviews in a YAML file.

        Raises:
            BadReview: an entry lacks a part, or says a thing twice.
        """
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        uses: list[Review] = []
        known: set[tuple[str, str, str]] = set()
        try:
            for entry in content["uses"]:
                reason = " ".join(entry["reason"].split())
                for column, (model, kinds) in product(entry["columns"], entry["models"].items()):
                    for kind in kinds:
                        if (column, kind, model) in known or not reason:
                            raise BadReview(
                                f"{path.name} reviews {column} / {kind} / {model} twice, or without a reason.",
                                "Keep one entry, with a reason.",
                            )
                        known.add((column, kind, model))
                keys = {
                    (column, use, model)
                    for column, (model, used) in product(entry["columns"], entry["models"].items())
                    for use in used
                }
                parts = (frozenset(keys), frozenset(entry["kinds"]), str(entry["digest"]), reason)
                uses.append(Review(*parts, values=frozenset(entry.get("values", ()))))
            functions = {name: str(digest) for name, digest in content["functions"].items()}
            macros, code, given = (
                {entry[of]: (str(entry["digest"]), " ".join(entry["reason"].split())) for entry in content[part]}
                for part, of in (("macros", "macro"), ("code", "code"), ("given", "model"))
            )
            memories, chance = (
                {entry[of]: " ".join(entry["reason"].split()) for entry in content[part]}
                for part, of in (("memories", "model"), ("chance", "file"))
            )
        except (KeyError, TypeError, AttributeError):
            raise BadReview(
                f"An entry of {path.name} lacks a part.",
                "A use has columns, kinds, digest, reason and models; a function has its digest; a macro has macro, digest and "
                "reason, and so have code and given; a memory has model and reason, and chance has file and reason.",
            ) from None
        return cls(uses, functions, macros, code, memories, chance, given)
