"""Columns that identify a participant, by name and by content: they are never read as answers."""

from __future__ import annotations

import re

# Names of columns, in lower case and without anything that is no letter. Qualtrics, m-Path, LimeSurvey and REDCap write
# some of them; the others are what people call such columns.
NAMES = frozenset((
    "ipaddress", "ipaddr", "ip", "locationlatitude", "locationlongitude", "latitude", "longitude", "lat", "lon", "lng", "gps",
    "recipientemail", "recipientfirstname", "recipientlastname", "externalreference", "email", "emailaddress", "mail",
    "firstname", "lastname", "surname", "fullname", "name", "initials", "vorname", "nachname", "prenom", "nom",
    "phone", "phonenumber", "telephone", "mobile", "telefon", "handy", "address", "street", "adresse", "strasse", "city",
    "zip", "zipcode", "postcode", "postalcode", "plz", "birthday", "birthdate", "dateofbirth", "dob", "geburtsdatum",
    "useragent", "deviceid", "refurl", "connectionid", "accountcode", "redcapsurveyidentifier", "username", "userid",
))  # fmt: skip
# Greater numbers are no answers: postal codes, telephone numbers, years. functions/survey_answer.sql passes none of them.
GREATEST = 999


def identifies_by_name(column: str) -> bool:
    """Whether a column of this name holds what identifies people, whatever the file."""
    return re.sub(r"[\W\d_]+", "", column.casefold()) in NAMES
