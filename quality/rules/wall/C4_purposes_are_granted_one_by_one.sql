-- relation: warehouse.marts.plays
-- what: Podcasts, audiobooks, private sessions and what tells age, gender or country are there only of participants who granted that purpose.
-- example: An episode of someone who grants listening_history alone.
-- why: Whoever agrees to one thing has not agreed to the next (data minimisation).
-- remedy: dbt run. If it stays, look at models/reconciled/play_fates.sql and functions/consented_country.sql, is_abroad.sql.
with last_events as (
    select
        participant_code,
        max_by({'event': event, 'purposes': purposes}, (occurred_at, ledger_line)) as last
    from vault.raw.consent_events, vault.raw.study
    where occurred_at <= as_of
    group by participant_code
),
granted as (
    select keyring.pseudonym, last_events.last.purposes as purposes
    from last_events
    inner join vault.raw.keyring on keyring.participant_code = last_events.participant_code
)
select plays.play_id
from warehouse.marts.plays as plays
left join granted on granted.pseudonym = plays.participant_id
where
    (plays.content_type in ('episode', 'audiobook') and not coalesce(list_contains(granted.purposes, 'podcasts_audiobooks'), false))
    or (plays.is_private_session and not coalesce(list_contains(granted.purposes, 'private_sessions'), false))
    or (coalesce(plays.country, cast(plays.is_abroad as varchar)) is not null and not coalesce(list_contains(granted.purposes, 'demographics'), false))
union all
select null
from warehouse.marts.participants as participants
left join granted on granted.pseudonym = participants.participant_id
where
    coalesce(participants.age_band, participants.gender, participants.country) is not null
    and not coalesce(list_contains(granted.purposes, 'demographics'), false)
