"""From files to the vault: donated exports, the consent ledger, enrolment, surveys, the catalogue."""
