"""The one family of errors that people are meant to read."""


class ConsonanceError(Exception):
    """Something a person can put right: what happened, and what to do about it.

    The text never quotes a participant's content, a key, or a message of DuckDB's (its messages
    quote the row they stumbled over).
    """

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what} {remedy}")
        self.what = what
        self.remedy = remedy
