"""Erasing what consent no longer covers: a participant who withdraws, rows whose purpose was taken back."""
