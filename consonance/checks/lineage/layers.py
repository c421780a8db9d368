"""The layers of the warehouse: where their models are, and which layers they may read."""

from __future__ import annotations

from dataclasses import dataclass

VAULT, WAREHOUSE = "vault", "warehouse"
# The first layer right of the wall, and all that are right of it.
WALL = "anonymized"
RIGHT = frozenset({WALL, "sessionized", "features", "marts", "audit"})
SEEDS, MUSIC, RAW = "reference", "music", "raw"
SOURCES = {"vault.raw": RAW, "catalogue.music": MUSIC}


@dataclass(frozen=True)
class Layer:
    """In which database the models of a folder are, and which layers they may read."""

    database: str
    reads: frozenset[str]


LAYERS = {
    "staging": Layer(VAULT, frozenset({RAW})),
    "intermediate": Layer(VAULT, frozenset({"staging", "intermediate", SEEDS})),
    WALL: Layer(WAREHOUSE, frozenset({"staging", "intermediate", WALL, SEEDS})),
    **{name: Layer(WAREHOUSE, RIGHT | {SEEDS, MUSIC}) for name in RIGHT - {WALL}},
    "analysis": Layer(WAREHOUSE, frozenset({"marts", "audit", SEEDS})),
}
MATERIALIZED = {VAULT: frozenset({"view", "table"}), WAREHOUSE: frozenset({"table"})}
