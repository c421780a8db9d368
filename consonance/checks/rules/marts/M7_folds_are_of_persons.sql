-- relation: warehouse.marts.training_examples
-- what: The fold of every training example is that of its participant, and is made of their pseudonym alone.
-- example: Two examples of one participant are in two folds.
-- why: A model that has seen other reports of a person recognises the person. What it then predicts of this person says nothing of others.
-- remedy: Look at the macro fold_of in macros/folds.sql.
select 'marts.training_examples.fold' as place, report_id
from warehouse.marts.training_examples
where fold is distinct from (md5_number_lower(participant_id) // 2) % 5
