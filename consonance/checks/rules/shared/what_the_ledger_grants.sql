-- One row is one participant of the keyring whose last line of the ledger counts as a consent, and what it grants. Lines later
-- than `as_of` do not count, but withdrawals do. This reads the ledger by SQL of its own: a mistake in macros/consent.sql,
-- with which models, loads and releases read it, shows as a difference from this.
select
    keyring.participant_code,
    keyring.pseudonym,
    keyring.shift_weeks,
    last_lines.says.purposes,
    last_lines.says.history_from,
    last_lines.says.history_to
from vault.raw.keyring
inner join (
    select
        ledger.participant_code,
        max_by(
            struct_pack(event := ledger.event, purposes := ledger.purposes, history_from := ledger.history_from, history_to := ledger.history_to),
            row(ledger.occurred_at, ledger.ledger_line)
        ) as says
    from vault.raw.consent_events as ledger
    where ledger.event = 'withdrawn' or ledger.occurred_at <= (select max(as_of) from vault.raw.study)
    group by ledger.participant_code
) as last_lines on last_lines.participant_code = keyring.participant_code
where last_lines.says.event in ('granted', 'amended')
