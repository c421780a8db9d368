"""The figures of the attacks as a table of the warehouse: ``audit.privacy_risk``."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path

import duckdb

from consonance.checks.risk.attacks import NothingToAttack, RiskReport
from consonance.checks.risk.thresholds import Figure
from consonance.study.errors import ConsonanceError
from consonance.study.folder import Study
from consonance.study.store_errors import NoRight, StoreInUse
from consonance.study.vault import lock_down, session_settings

TABLE = Path(__file__).with_name("privacy_risk.sql")


class NotRecorded(ConsonanceError):
    """The figures cannot be written to the warehouse."""


def record(report: RiskReport, study: Study) -> None:
    """Write the figures to ``audit.privacy_risk`` of the study's warehouse, in place of older ones.

    Raises:
        NothingToAttack: there is no warehouse.
        NotRecorded: another program has it open.
    """
    if not study.warehouse_path.exists():
        raise NothingToAttack(f"{study.warehouse_path} does not exist.", "Run 'dbt run' first.")
    parameters = json.dumps(report.parameters)
    names = [field.name for field in fields(Figure)]
    try:
        connection = duckdb.connect(str(study.warehouse_path), config=session_settings())
    except duckdb.IOException as error:
        if denied := NoRight.said_by(str(error), study.warehouse_path):
            raise NotRecorded(denied.what, denied.remedy) from None
        in_use = StoreInUse.said_by(str(error), study.warehouse_path)
        what = in_use.what if in_use else f"{study.warehouse_path} cannot be written."
        raise NotRecorded(what, "Close the session that has it open, and attack again.") from None
    with connection:
        lock_down(connection, [])
        connection.begin()
        connection.execute(TABLE.read_text(encoding="utf-8"))
        connection.executemany(
            f"insert into audit.privacy_risk ({', '.join(names)}, parameters) values ({', '.join('?' * (len(names) + 1))})",
            [[*asdict(figure).values(), parameters] for figure in report.figures],
        )
        connection.commit()
