"""The errors that people are meant to read."""


class ConsonanceError(Exception):
    """Something a person can correct: what happened, and what to do about it.

    The text never quotes a participant's content, a key, or a message of DuckDB's (its messages
    quote the row that caused the error).
    """

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what} {remedy}")
        self.what = what
        self.remedy = remedy
