"""The event ``withdrawn`` of somebody who is erased: it enters the ledger as every other event does."""

from __future__ import annotations

from datetime import datetime

from consonance.consent.ledger import load_ledger
from consonance.consent.ledger_file import ConsentEvent, append_to_file
from consonance.consent.notices import load_notices
from consonance.erasure.record import ErasureRecord
from consonance.study.folder import Study
from consonance.study.tombstones import label
from consonance.study.vault import open_study

LAST_EVENT = """
    select event, form_version
    from vault.raw.consent_events
    where participant_code = $name
    order by occurred_at desc, ledger_line desc
    limit 1
"""


def enter_withdrawal(study: Study, erased: ErasureRecord) -> None:
    """Add the event to ``consents.csv`` under the participant's token, and load it, unless it is there already.

    A replay adds none: the ledger of a restored study has the event, or ``consents.csv`` was not restored.

    Raises:
        BadTable: ``consents.csv`` or ``notices.csv`` cannot be used.
        StoreError, VaultKeyError: the vault cannot be opened.
    """
    with open_study(study) as connection:
        for file in erased.study_files.lines:
            # Counts of rejected lines are by file: the next load counts them again.
            connection.execute("delete from vault.raw.survey_rejects where file = $file", {"file": file})
        if erased.requested_at:
            registered = load_notices(connection, study)
            load_ledger(connection, study, registered)
            name = label(erased.tokens[0])
            last = connection.execute(LAST_EVENT, {"name": name}).fetchall()
            if last and last[0][0] != "withdrawn":
                moment = datetime.fromisoformat(erased.requested_at)
                append_to_file(
                    study.consents_path, [ConsentEvent(name, "withdrawn", (), last[0][1], moment, None, None)]
                )
                load_ledger(connection, study, registered)
        connection.execute("checkpoint vault")
