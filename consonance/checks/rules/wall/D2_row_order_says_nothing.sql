-- relation: unordered
-- what: The rows of every table are in the order of participant_id, or of the columns from left to right in a table without persons.
-- example: Participants appear in marts.emotion_reports in the order of their codes; tracks are in the order in which they were first heard.
-- why: Someone who knows the list of codes, or the order of enrolment, could find out from the table who is who (D2). Pseudonyms are random, so their order says nothing.
-- remedy: Run 'dbt run'. If the rule still fails, look at macros/row_order.sql, which every table right of the wall goes through, and at the file named first.
select place
from {unordered} as unordered
