-- relation: vault.raw.rejected_rows
-- what: Every column that consonance/study/stores.yml calls words has words of its closed list alone: reasons, kinds, sources, purposes.
-- example: The reason "not_a_number: I felt sad" of a rejected answer.
-- why: Words of closed lists are printed by 'consonance load', and no erasure searches them. What a participant gave must not be in them.
-- remedy: Look at the files that the finding names, or else at what writes the table: write a word of the list, and nothing of the input. A new word belongs on the list in consonance/study/stores.yml. Then load into a new vault.
{%- for list in closed_lists %}
select
    '{{ list.relation.partition('.')[2] }}.{{ list.column }}' as place,
    'has something else than words of its list{{ ' (see ' ~ list.landed_by ~ ')' if list.landed_by else '' }}' as detail
from {{ list.relation }} as words
where
    {{ list.column }} is not null
    {%- if list.pattern %}
    and not regexp_full_match({{ list.column }}, '{{ list.pattern }}')
    {%- elif list.is_list %}
    and not list_has_all({{ list.words }}, {{ list.column }})
    {%- else %}
    and not list_contains({{ list.words }}, {{ list.column }})
    {%- endif %}
union all
{%- endfor %}
select '' as place, '' as detail where false
