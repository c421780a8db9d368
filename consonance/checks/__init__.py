"""Checks: the rules and their checkpoint, column lineage, non-interference, the leak scan, re-identification risk."""
