"""Consent: the ledger, what it grants at a moment, the rule of names, notices, forms and receipts."""
