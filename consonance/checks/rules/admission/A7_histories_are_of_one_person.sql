-- relation: vault.raw.history_doubts
-- what: No listening history lies under two participant codes, and nobody's is of two accounts, unless study.yml says that this is right.
-- example: The same zip in the folders of P007 and P008; another request of the same account under a second code.
-- why: Somebody who was entered twice counts as two persons, and what one of them withdraws the other still gives.
-- remedy: 'consonance doctor' names the codes. Withdraw the wrong one, or write into study.yml, under one_history, that both are right, and load again.
select participant_code, other_code
from vault.raw.history_doubts as doubts
where not is_decided
