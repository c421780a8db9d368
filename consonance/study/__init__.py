"""The study folder: which file lies where, its key, its stores and their schema, the audit log, dbt on it."""
