"""Exports: data for use outside the study folder, with a dictionary, and an entry of the audit log."""
