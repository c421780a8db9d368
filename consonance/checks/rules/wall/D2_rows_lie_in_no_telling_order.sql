-- relation: unordered
-- what: The rows of every table lie in order of participant_id or, in a table without persons, of its columns from left to right.
-- example: The first appearances of the participants in marts.emotion_reports follow the list of their codes; the tracks lie in the order in which they were first heard.
-- why: Whoever knows the list of codes, or who was enrolled first, would read off a table who is who (D2). Pseudonyms are drawn at random: their order tells nothing.
-- remedy: dbt run. If it stays, look at macros/row_order.sql, and at whatever else wrote that table.
select place
from {unordered} as unordered
