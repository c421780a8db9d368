-- relation: vault.raw.extended_plays
-- what: Every landed play has a time and a length of 0 to 10^12 milliseconds.
-- example: A play of -5 ms, or one that ends nowhere in time.
-- why: The loader rejects such rows with a reason; one in the vault means that it did not look.
-- remedy: Report it as a fault of the loader; load the inbox into a fresh vault once it is mended.
select member_id, row_no
from vault.raw.extended_plays as plays
where ts is null or ms_played is null or ms_played not between 0 and 1000000000000
