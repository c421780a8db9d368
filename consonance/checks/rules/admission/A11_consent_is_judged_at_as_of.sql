-- relation: vault.raw.study
-- what: The vault judges consent at the as_of of study.yml; if that is empty, at the moment of the last load.
-- example: as_of is eleven weeks before the load, so that the withdrawals of these weeks do not count.
-- why: as_of decides whose consent counts. What is judged at another moment is judged by other consents.
-- remedy: Run 'consonance load', then 'dbt run'. If the rule fails again, look at as_of and loaded_at in loaders/load.py.
select 'raw.study.as_of' as place, 'is not the moment that study.yml says (see loaders/load.py)' as detail
from vault.raw.study as study
cross join {settings} as settings
where study.as_of <> coalesce(settings.as_of, study.loaded_at)
union all
select 'raw.study.loaded_at', 'is not the moment of the last load (see loaders/load.py)'
from vault.raw.study as study
cross join (
    select
        max(moment) filter (where kind = 'load_started') as last_begun,
        max(moment) filter (where kind = 'load_started' and entry_no < last_finished) as last_finished_load
    from (
        select *, max(entry_no) filter (where kind = 'load_finished') over () as last_finished
        from vault.raw.audit_log
    ) as entries
) as loads
-- A load that was interrupted may have been noted or not.
where study.loaded_at not between loads.last_finished_load - interval 1 hour and loads.last_begun + interval 1 hour
