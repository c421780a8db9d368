"""The study folder: which file is where, its settings and key, its stores and their schema, the audit log, dbt on it."""
