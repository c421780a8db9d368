-- relation: vault.raw.history_doubts
-- what: No listening history is in the vault under two participant codes, and no participant has the history of two Spotify accounts, unless study.yml says that this is correct.
-- example: The same zip in the folders of P007 and P008; a second export of one Spotify account under another code.
-- why: A person who is entered twice counts as two persons. If one of the two withdraws, the data of the other stays.
-- remedy: 'consonance doctor' lists the codes. Withdraw the wrong one, or list both in study.yml under one_history. Then load again.
select 'raw.history_doubts.participant_code' as place, participant_code, other_code
from vault.raw.history_doubts as doubts
where not is_decided
