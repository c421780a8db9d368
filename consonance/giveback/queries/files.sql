-- One row is one file of the participant's donations, as the last load read it.
select
    coalesce(member, file) as file,
    case when member is not null then file end as donation,
    status,
    rows_in,
    landed,
    rejected,
    reason
from vault.raw.load_accounting
where participant_code = $code
order by file, member
