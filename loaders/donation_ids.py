"""Who is meant by the ids of a donation tool: the participant codes themselves, or what ``donation_ids.csv`` says."""

from __future__ import annotations

from collections.abc import Mapping

from consonance.study.codes import NO_CODE, is_code
from consonance.study.folder import Study
from consonance.study.tables import TableReader

COLUMNS = ("tool_id", "participant_code")


def read_donation_ids(study: Study) -> Mapping[str, str]:
    """The participant code of each id that the operator has entered; none if there is no such table.

    Raises:
        BadTable: a line cannot be used.
    """
    if not study.donation_ids_path.is_file():
        return {}
    reader = TableReader(study.donation_ids_path)
    codes: dict[str, str] = {}
    for line, row in reader.rows(COLUMNS):
        if not row["tool_id"]:
            reader.fault(line, "has no tool_id")
        if not is_code(row["participant_code"]):
            reader.fault(line, NO_CODE)
        if codes.setdefault(row["tool_id"], row["participant_code"]) != row["participant_code"]:
            reader.fault(line, "gives a tool_id that stands above to somebody else")
    reader.close()
    return codes
