"""The declared relations of the non-interference test: what is changed, and must change nothing right of the wall.

``declared.py`` lists them. Each is applied by the SQL file of its name to a second vault. All but ``identities`` are tried
on a sample of the study (``sample.py``), whose models are made by the statements that dbt ran (``replay.py``).
"""
