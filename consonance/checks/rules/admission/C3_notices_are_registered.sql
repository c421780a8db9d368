-- relation: vault.raw.consent_events
-- what: Every consent event names a notice that is registered in notices.csv with its SHA-256.
-- example: A ledger line with form_version "v2", which notices.csv does not list.
-- why: People consent to a text. If the text is not fixed, editing a form changes what earlier consents mean (C3; seen with REDCap).
-- remedy: Register the notice in notices.csv with the SHA-256 of its file, and load again.
select 'raw.consent_events.form_version' as place, events.ledger_line
from vault.raw.consent_events as events
left join vault.raw.notices on notices.form_version = events.form_version
where not coalesce(regexp_full_match(lower(notices.sha256), '[0-9a-f]{64}'), false)
