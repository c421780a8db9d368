-- One row is one column of the export: its item, and what its instrument says of it, one of seeds/ or one of the study.
with columns as (
    select distinct column_name, instrument, item
    from temp.answers
    where column_name is not null
),

known_items as (
    select instrument, item, scale, is_reversed from source.reference.instrument_items
    union
    select instrument, item, scale, is_reversed from source.anonymized.anon_instrument_items
),

known_scales as (
    select instrument, scale, cast(answer_min as double) as answer_min, cast(answer_max as double) as answer_max
    from source.reference.instrument_scales
    union
    select instrument, scale, answer_min, answer_max from source.anonymized.anon_instrument_scales
),

items as (
    select
        items.instrument,
        items.item,
        string_agg(items.scale || case when items.is_reversed then ' (reversed)' else '' end, ', ' order by items.scale) as scales,
        min(scales.answer_min) as answer_min,
        max(scales.answer_max) as answer_max
    from known_items as items
    inner join known_scales as scales
        on scales.instrument = items.instrument and scales.scale = items.scale
    group by items.instrument, items.item
)

select
    columns.column_name,
    columns.item,
    items.scales,
    items.answer_min,
    items.answer_max,
    coalesce(instruments.name, columns.instrument) as name,
    instruments.citation,
    case when instruments.may_print_items then texts.text end as text
from columns
left join items on items.instrument = columns.instrument and items.item = columns.item
left join source.reference.instruments as instruments on instruments.instrument = columns.instrument
left join source.reference.instrument_item_texts as texts
    on texts.instrument = columns.instrument and texts.item = columns.item and texts.language = 'en'
order by columns.column_name
