"""Erasing what consent no longer covers: a participant who withdraws, rows whose purpose was taken back.

``withdrawal`` lists the steps of a withdrawal; every step has a module of its own. ``amendment`` is for
participants who stay.
"""
