"""Questionnaires as they come: from the files in ``surveys/`` to answers and prompts in the vault.

A map (``survey_map``) says what a file holds. ``tables`` reads the file of each program into one table of text, ``rows``
makes long rows of it, ``judging`` decides which of them land, and ``loading`` lands them. All but the first is SQL.
"""
