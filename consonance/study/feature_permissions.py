"""The study's own permissions to use values of features: from ``study.yml`` into the vault, and for reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import duckdb

from consonance.consent.rules import with_rules
from consonance.study.feature_sources import FeatureSource
from consonance.study.folder import Study
from consonance.study.schema import insert_row
from consonance.study.settings import BadSettings, FeaturePermission

USES = {"train": "train models with", "redistribute": "show in releases"}


@dataclass(frozen=True)
class NotedPermission:
    """A permission as the last load noted it.

    Attributes:
        source, scope, reference, expires: As in ``study.yml``.
        is_expired: Whether its last day was over, in UTC, at the study's ``as_of``: then it does not count.
    """

    source: str
    scope: str
    reference: str
    expires: str | None
    is_expired: bool

    @property
    def what(self) -> str:
        """The permission in words, for the operator."""
        if self.is_expired:
            return (
                f"The permission to {USES[self.scope]} values of {self.source} ended on {self.expires}, before as_of:"
                " it does not count."
            )
        until = f" until {self.expires}" if self.expires else ""
        return f"The study may {USES[self.scope]} values of {self.source}{until} ({self.reference})."

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def note_permissions(
    connection: duckdb.DuckDBPyConnection, study: Study, permissions: tuple[FeaturePermission, ...], as_of: datetime
) -> list[NotedPermission]:
    """Note in the vault what ``study.yml`` permits, instead of what was noted before.

    Args:
        connection: With the vault attached for writing.
        study: For the message.
        permissions: Of ``study.yml``.
        as_of: The study's, in UTC without an offset.

    Raises:
        BadSettings: a reference looks like an address or a telephone number, which no warehouse may have.
    """
    for number, permission in enumerate(permissions, start=1):
        ((is_address,),) = connection.execute(
            with_rules(
                "select {{ looks_like_an_address('reference') }} or {{ looks_like_a_telephone_number('reference') }}"
                " from (select $reference as reference)"
            ),
            {"reference": permission.reference},
        ).fetchall()
        if is_address:
            raise BadSettings(
                f"reference of feature_permissions (entry {number}) in {study.settings_path} looks like an address or a telephone number.",
                "Name the document and its date, not a person's address.",
            )
    connection.begin()
    connection.execute("delete from vault.raw.feature_permissions")
    for permission in permissions:
        insert_row(
            connection,
            "feature_permissions",
            source_id=permission.source,
            scope=permission.scope,
            reference=permission.reference,
            expires_on=permission.expires and permission.expires.isoformat(),
            is_expired=permission.expires is not None and permission.expires < as_of.date(),
        )
    connection.commit()
    return noted_permissions(connection)


def noted_permissions(connection: duckdb.DuckDBPyConnection) -> list[NotedPermission]:
    """What the last load noted, in order of source, scope and last day."""
    rows = connection.execute(
        """
        select distinct source_id, scope, reference, expires_on, is_expired
        from vault.raw.feature_permissions
        order by source_id, scope, expires_on nulls last, reference
        """
    ).fetchall()
    return [NotedPermission(*row) for row in rows]


def with_permissions(source: FeatureSource, permissions: Sequence[NotedPermission]) -> dict[str, bool]:
    """What values of ``source`` may be used for, by its licence or by a permission of the study that counts."""
    counting = {one.scope for one in permissions if one.source == source.source_id and not one.is_expired}
    return {
        "may_train_models": source.may_train_models or "train" in counting,
        "may_redistribute": source.may_redistribute or "redistribute" in counting,
    }
