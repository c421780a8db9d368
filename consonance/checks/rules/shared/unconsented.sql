-- One row is one participant in one column of a table, and a purpose that the table declares and they have not granted.
select persons.place, persons.needs as detail, persons.is_every_row
from {persons} as persons
left join {what_the_ledger_grants} as granted on granted.pseudonym = persons.participant_id
where not coalesce(len(list_intersect(granted.purposes, persons.purposes)) > 0, false)
