"""The static check of the privacy wall (rule L1): identified data reaches a released column only through a
function of ``functions/``. It reads SQL, never data.

What it looks at: ``project`` (dbt's manifest and compiled SQL), ``jinja``. How SQL is read: ``syntax`` (DuckDB's tree),
``known`` (the part of SQL that is read), ``account``, ``scope``, ``expressions``, ``sources``, ``statement``, with
``reading`` as the result. What is asked: ``layers``, ``flow`` and ``labels``, ``declassifiers`` with ``closed_results``, ``purposes``,
``permissions``, ``unread_sql``, ``variables``, ``implicit_uses`` with ``reviews``, and ``policy`` for the whole, with ``report`` as the result.
"""
