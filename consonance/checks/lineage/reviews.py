"""What a person has looked at and allowed: ``reviewed.yml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import yaml

from consonance.study.errors import ConsonanceError

REVIEWED = Path(__file__).with_name("reviewed.yml")


class BadReview(ConsonanceError):
    """``reviewed.yml`` cannot be used."""


@dataclass(frozen=True)
class Reviews:
    """What a person has looked at and allowed.

    Attributes:
        uses: (column, use, model) to the reason.
        macros: Macro to (digest, reason): SQL that the checker does not read.
        memories: Model to the reason why it may read what it was before.
    """

    uses: Mapping[tuple[str, str, str], str]
    macros: Mapping[str, tuple[str, str]]
    memories: Mapping[str, str]

    @classmethod
    def read(cls, path: Path = REVIEWED) -> Reviews:
        """The reviews in a YAML file.

        Raises:
            BadReview: an entry lacks a part, or says a thing twice.
        """
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        uses: dict[tuple[str, str, str], str] = {}
        try:
            for entry in content["uses"]:
                reason = " ".join(entry["reason"].split())
                for column, (model, kinds) in product(entry["columns"], entry["models"].items()):
                    for kind in kinds:
                        if (column, kind, model) in uses or not reason:
                            raise BadReview(
                                f"{path.name} reviews {column} / {kind} / {model} twice, or without a reason.",
                                "Keep one entry, with a reason.",
                            )
                        uses[column, kind, model] = reason
            macros = {
                entry["macro"]: (str(entry["digest"]), " ".join(entry["reason"].split())) for entry in content["macros"]
            }
            memories = {entry["model"]: " ".join(entry["reason"].split()) for entry in content.get("memories", ())}
        except (KeyError, TypeError, AttributeError):
            raise BadReview(
                f"An entry of {path.name} lacks a part.",
                "A use has columns, reason and models; a macro has macro, digest and reason; a memory has model and reason.",
            ) from None
        return cls(uses, macros, memories)
