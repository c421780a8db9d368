"""The study that a release is made of: the vault as it is, without those who do not agree, with new secrets.

A release is not a renamed part of the warehouse. dbt builds it from a copy of the vault in which only those who agree
to the tier have a consent, and in which everyone has a new pseudonym, a new shift and a new secret for the ids of their
records. So what is proven for the wall is proven for the release, and no logic is written twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import duckdb

from consonance.consent.state import LEDGER_STATE
from consonance.release.generalisation import NEEDED, Generalisation, generalise
from consonance.release.parameters import small_group
from consonance.release.register import Member
from consonance.study.dbt_command import run_dbt
from consonance.study.errors import ConsonanceError
from consonance.study.folder import Study
from consonance.study.keyring import draw_pseudonym, draw_secret, draw_shift
from consonance.study.vault import attach_to_read, open_study, session_settings

TIERS = ("controlled", "public")


class NothingToPublish(ConsonanceError):
    """Nobody, or too few, agree to the tier."""


class ShiftsUsedUp(ConsonanceError):
    """A participant has been in so many releases that every shift has been used."""


def purpose_of(tier: str) -> str:
    """The purpose that a participant must grant to be in a release of ``tier``."""
    return f"sharing_{tier}"


def too_few_for_the_public_tier() -> NothingToPublish:
    """The error when those who agree are a small group themselves."""
    return NothingToPublish(
        f"Too few participants with plays grant {purpose_of('public')}: each cell of the public tier needs more than {small_group()} persons.",
        "Publish to the controlled tier, or wait for more participants.",
    )


def draw_members(study: Study, tier: str) -> list[Member]:
    """Keep the consent of those who agree to ``tier`` only, and give everyone in the vault new secrets.

    Args:
        study: A copy, made to be changed.
        tier: Of the release. Of those who agree to the public tier and not to the controlled one, up to
            20 persons (``small_group``) are left out.

    Returns:
        Those who agree, with their pseudonyms and shifts in the release.

    Raises:
        NothingToPublish: nobody agrees, or to the public tier too few.
        ShiftsUsedUp: see there.
    """
    with open_study(study) as connection:
        persons = connection.execute(
            f"select participant_no, participant_code, purposes from ({LEDGER_STATE}) order by participant_no"
        ).fetchall()
        agreeing = _agreeing(persons, tier)
        # A few who are in the public tier alone would be its difference from the rows of the controlled tier.
        if tier == "public" and 0 < len(agreeing - _agreeing(persons, "controlled")) <= small_group():
            agreeing &= _agreeing(persons, "controlled")
        if not agreeing:
            raise NothingToPublish(
                f"Nobody grants {purpose_of(tier)}: there is nothing to publish.",
                f"Add {purpose_of(tier)} to the purposes in consents.csv for those who agree to it. Then 'consonance load'.",
            )
        if tier == "public" and len(agreeing) <= small_group():
            raise too_few_for_the_public_tier()
        used = connection.execute(
            "select participant_no, pseudonym, shift_weeks from vault.raw.keyring union all select participant_no, pseudonym, shift_weeks from vault.raw.release_keyring"
        ).fetchall()
        names = {pseudonym for _, pseudonym, _ in used}
        members = []
        secrets = []
        for participant_no, code, _ in persons:
            name = draw_pseudonym(names)
            names.add(name)
            try:
                shift = draw_shift({weeks for number, _, weeks in used if number == participant_no})
            except IndexError:
                raise ShiftsUsedUp(
                    "A participant has been in so many releases that no unused shift is left.",
                    "Publish less often, or widen MAX_SHIFT_WEEKS in consonance/study/keyring.py.",
                ) from None
            secrets.append([participant_no, code, name, shift, draw_secret()])
            if participant_no in agreeing:
                members.append(Member(participant_no, name, shift))
        connection.execute(
            "delete from vault.raw.consent_events where not list_contains($codes, participant_code)",
            {"codes": [code for participant_no, code, _ in persons if participant_no in agreeing]},
        )
        connection.execute("delete from vault.raw.keyring")
        connection.executemany("insert into vault.raw.keyring values (?, ?, ?, ?, ?)", secrets)
        # From here on every value of a feature is resolved among the sources that may be redistributed
        # (models/features/feat_source_permissions.sql).
        connection.execute("delete from vault.raw.feature_use; insert into vault.raw.feature_use values ('release')")
        connection.execute("checkpoint vault")
    return members


def _agreeing(persons: Iterable[tuple[int, str, list[str]]], tier: str) -> set[int]:
    return {number for number, _, purposes in persons if purpose_of(tier) in purposes}


def build(
    study: Study, workspace: Path, members: list[Member], tier: str, progress: Callable[[str], None]
) -> tuple[list[Member], Generalisation | None]:
    """Let dbt build the warehouse of ``study``: for the controlled tier with demographics that are k-anonymous.

    How coarse they must be is known of a few models; so these are built before all others.

    Args:
        study: Of ``draw_members``; its vault is changed.
        workspace: Where dbt's ``target`` and ``logs`` go.
        members: Those who agree to the tier.
        tier: Of the release.
        progress: Reports what is going on, in a few words.

    Returns:
        Those of ``members`` who occur in a release of ``tier``: in the public one whoever has a counted
        play, so that the certificate counts the same persons as the tables do. How coarse demographics are; ``None`` for
        the public tier, and if nobody occurs.

    Raises:
        DbtFailed: it ended with an error.
        NotAnonymous: see there.
    """
    if tier == "public":
        progress("building the warehouse of the release (dbt run)")
        run_dbt(study, "run", workspace=workspace)
        return _of(members, study, "select participant_id from made.marts.participants where counted_plays > 0"), None
    progress("making demographics k-anonymous")
    run_dbt(study, "run", "--no-write-json", "--select", *(f"+{name}" for name in NEEDED), workspace=workspace)
    there = _of(members, study, "select participant_id from made.anonymized.anon_participants")
    if not there:
        return [], None
    demographics = generalise(study)
    progress("building the warehouse of the release (dbt run)")
    run_dbt(study, "run", workspace=workspace)
    return there, demographics


def _of(members: list[Member], study: Study, query: str) -> list[Member]:
    """Those of ``members`` whose pseudonyms ``query`` finds in the warehouse ``made`` of ``study``."""
    with duckdb.connect(config=session_settings()) as connection:
        attach_to_read(connection, study.warehouse_path, "made")
        there = {name for (name,) in connection.execute(query).fetchall()}
    return [member for member in members if member.pseudonym in there]
