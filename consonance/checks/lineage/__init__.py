"""The static check of the privacy wall (rule L1): no way from identified data to a released column
but through a function of ``functions/``. It reads SQL, never data."""
