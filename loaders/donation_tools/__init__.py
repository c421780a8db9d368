"""Files of donation tools: which persons are in them, and what each of them donated.

A donation tool (Port, DDM, OSD2F) extracts tables from an export in the participant's browser, and hands the researcher
files that hold several persons, or name the person in the file name. docs/donations.md says where each layout is documented.
"""
