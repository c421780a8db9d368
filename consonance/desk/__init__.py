"""Asking the marts: one query and its answer, or a client in the terminal; of the desk or of a release."""
