-- relation: duckdb_settings()
-- what: The connection that has the vault encrypts what it writes to disk in between, reaches no other file, fetches nothing, and logs no statement.
-- example: temp_file_encryption is false, 'for speed': what a query of a large study spills is in the clear.
-- why: What is on the disk in the clear is found in freed blocks, and in copies of the folder, after a withdrawal too.
-- remedy: Look at prepare() and lock_down() in consonance/study/vault.py, and at macros/connections.sql, which says what is right.
select 'settings.duckdb.' || name as place, 'is not as it must be where the vault is attached' as detail
from ({{ unfit_settings(true) }}) as unfit
