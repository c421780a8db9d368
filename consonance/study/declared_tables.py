"""What ``stores.yml`` may declare of a table and of a column, and what a declaration must not leave out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from consonance.study.errors import ConsonanceError

STORES = Path(__file__).with_name("stores.yml")

Privacy = Literal["direct", "quasi", "open"]
Text = Literal["words", "uri", "title", "names", "given"]

# What a column says of a participant, and the class that it has for that. The check of the wall goes by these kinds:
# rows may be joined by an identity, and a function accepts kinds.
IDENTITIES = frozenset({"person", "donation", "member", "row"})
KINDS: Mapping[str, Privacy] = {
    **dict.fromkeys(IDENTITIES, "direct"),
    **dict.fromkeys(("pseudonym", "shift", "secret", "user_name", "file", "text"), "direct"),
    **dict.fromkeys(("birth_year", "gender", "country", "zone", "moment", "consent_day"), "quasi"),
    **dict.fromkeys(("uri", "title", "isrc", "platform", "reason"), "quasi"),
    **dict.fromkeys(("question", "answer", "reference", "export_key"), "quasi"),
    # Which package or file a row is from, and which notice was shown: both tell about when.
    **dict.fromkeys(("package", "notice"), "quasi"),
}
# How columns are called that number rows, lines, files or donations. The operator has these in files of their own, so
# that such a number finds a row of a person again. What this program numbers itself is none of it.
NUMBERS = re.compile(r"(?:.*_)?(?:line|no|number|place|position|index|id)")
OWN_NUMBERS = frozenset({"release_no", "entry_no"})
# How columns are called that describe the file, the package or the form that a row is from.
DESCRIPTIONS = re.compile(
    r"(?:.*_)?(?:count|counts|keys|fields|rows|lines|files|bytes|size|version|format|layout|vintage)"
)
OWN_DESCRIPTIONS = frozenset({"erased_rows", "software_version"})
MOMENTS = re.compile(r"date|time")
IN_A_LIST = re.compile(r"check \(\w+ in \((.+?)\)\)")


class BadDeclaration(ConsonanceError):
    """``stores.yml`` declares a column that cannot be as it says."""


# Of these, what a table of nobody has not.
OF_PERSONS = frozenset({"person", "donation", "member", "pseudonym", "shift", "user_name"})


@dataclass(frozen=True)
class Column:
    """One column as ``stores.yml`` declares it; the head of that file says what each attribute means.

    Raises:
        BadDeclaration: it has no class of privacy, or not that of its kind, or does not say what kind of text it has.
    """

    name: str
    type: str
    privacy: Privacy
    text: Text | None = None
    key: str | Mapping[str, str] | None = None
    uri: str | None = None
    uri_kinds: str = ""
    counted_by: str | None = None
    licensed: bool = False
    kind: str = ""
    says: str = ""
    purpose: str | None = None
    unless: str = "false"
    enrolled: str | None = None
    words: Sequence[str] | str | None = None
    pattern: str | None = None
    words_of: str | None = None

    def __post_init__(self) -> None:
        if self.privacy not in get_args(Privacy):
            raise BadDeclaration(
                f"{STORES.name}: {self.name} has no class of privacy.", f"It is one of {', '.join(get_args(Privacy))}."
            )
        if KINDS.get(self.kind, "open") != self.privacy or (self.kind and self.kind not in KINDS):
            raise BadDeclaration(
                f"{STORES.name}: {self.name} is {self.privacy}, which is not the class of its kind '{self.kind}'.",
                f"KINDS in {Path(__file__).name} has the class of each kind.",
            )
        if self.type.startswith("varchar") != (self.text in get_args(Text)):
            raise BadDeclaration(
                f"{STORES.name}: {self.name}: a varchar needs the attribute text, and no other type has it.",
                f"text is one of {', '.join(get_args(Text))}.",
            )
        if (self.kind == "title" or self.text == "title") and not (self.kind == self.text and self.key):
            raise BadDeclaration(
                f"{STORES.name}: {self.name} is called a title, and is no key of a play.",
                "What somebody typed, such as the name of a playlist, is kind: text, text: given. It passes nowhere.",
            )
        lists = [self.words, self.pattern, self.words_of, IN_A_LIST.search(self.type)]
        if sum(bool(one) for one in lists) != (self.text == "words"):
            raise BadDeclaration(
                f"{STORES.name}: {self.name} does not say on which list its words are, or has a list and no words.",
                "Words have one of words, pattern, words_of, or a check in their type; no other text has any.",
            )

    @property
    def is_number(self) -> bool:
        """Whether it is called as what numbers rows, and is a whole number."""
        return bool(NUMBERS.fullmatch(self.name)) and self.type.split()[0] in (
            "smallint",
            "integer",
            "bigint",
            "hugeint",
        )

    def keys(self, kind: str = "") -> str | None:
        """The key of the export it is taken from, in files of ``kind``."""
        return self.key if self.key is None or isinstance(self.key, str) else self.key.get(kind)


@dataclass(frozen=True)
class Table:
    """One table as ``stores.yml`` declares it; the head of that file says what each attribute means.

    Raises:
        BadDeclaration: it is in the vault and does not say whose its rows are, or says what cannot be; or an open column
            of a table with data of persons numbers rows, or does not say what it says.
    """

    database: str
    schema: str
    name: str
    row: str
    columns: Mapping[str, Column]
    constraints: tuple[str, ...] = ()
    owner: str | None = None
    nobody: str | None = None
    purpose: str | None = None
    enrolled: str | None = None
    landed_by: str | None = None

    def __post_init__(self) -> None:
        if self.database != "vault" and (self.owner or self.of_persons):
            raise BadDeclaration(
                f"{STORES.name}: {self.place} has rows of participants, and {self.database} has no persons.",
                "Declare the table in vault.raw.",
            )
        if self.database == "vault":
            _check_owner(self)
        if self.database != "vault" or all(column.privacy != "direct" for column in self.columns.values()):
            return
        for column in self.columns.values():
            if column.privacy != "open":
                continue
            if column.is_number and column.name not in OWN_NUMBERS:
                raise BadDeclaration(
                    f"{STORES.name}: {self.name}.{column.name} is open, and numbers rows.",
                    "What numbers the rows, lines or files of an input is direct, kind row: the operator has these too.",
                )
            if DESCRIPTIONS.fullmatch(column.name) and column.name not in OWN_DESCRIPTIONS:
                raise BadDeclaration(
                    f"{STORES.name}: {self.name}.{column.name} is open, and describes what its rows are from.",
                    "What describes a file, a package or a form is quasi, kind package or notice: these change with the years, so it "
                    "tells about when.",
                )
            if not column.says and column.text != "words" and not column.type.startswith("boolean"):
                raise BadDeclaration(
                    f"{STORES.name}: {self.name}.{column.name} is open, in a table with data of persons.",
                    "Say in the attribute says what it says, if that narrows down nobody; else give it its kind.",
                )
            if self.owner and (column.text not in (None, "words") or MOMENTS.match(column.type)):
                raise BadDeclaration(
                    f"{STORES.name}: {self.name}.{column.name} is open, and is a moment of a participant, or a text that is on no list.",
                    "A moment is quasi, kind moment. A text has words, pattern or words_of, or the kind of what it says.",
                )

    @property
    def of_persons(self) -> list[str]:
        """Its columns that say whose a row is, or what of theirs."""
        return [column.name for column in self.columns.values() if column.kind in OF_PERSONS]

    @property
    def place(self) -> str:
        return f"{self.database}.{self.schema}.{self.name}"

    def ddl(self) -> str:
        """The statements that make it, if it is not there."""
        lines, sequences = [], []
        for column in self.columns.values():
            default = ""
            if column.counted_by:
                sequence = f"{self.database}.{self.schema}.{column.counted_by}"
                sequences.append(f"create sequence if not exists {sequence};\n")
                default = f" default nextval('{sequence}')"
            lines.append(f"    {column.name} {column.type}{default}")
        lines += [f"    {constraint}" for constraint in self.constraints]
        return "".join(sequences) + f"create table if not exists {self.place} (\n" + ",\n".join(lines) + "\n);\n"


def _check_owner(table: Table) -> None:
    """Check that a table of the vault says whose its rows are.

    Raises:
        BadDeclaration: it does not, or what it says cannot be.
    """
    say = (
        "Write 'owner: ' and the column that says whose a row is; or, if no row belongs to a participant, 'nobody: ' "
        "and whose or what the rows are instead."
    )
    if bool(table.owner) == bool(table.nobody):
        raise BadDeclaration(f"{STORES.name}: the table {table.name} does not say whose its rows are.", say)
    if table.nobody and table.of_persons:
        raise BadDeclaration(
            f"{STORES.name}: the rows of {table.name} are said to be of nobody, but it has the column {table.of_persons[0]}.",
            say,
        )
    if table.owner:
        column = table.columns.get(table.owner)
        if column is None or column.kind != "person" or not column.type.startswith(("integer", "varchar")):
            raise BadDeclaration(
                f"{STORES.name}: {table.owner} cannot be the owner of {table.name}: it is no column of the kind person, with the number "
                "or the code of a participant.",
                say,
            )
        _check_purpose(table)


def _check_purpose(table: Table) -> None:
    """Check that a table with rows of participants says for which purpose it has them.

    Raises:
        BadDeclaration: it does not, or a column that may single a participant out does not.
    """
    say = "Write 'purpose: ' and the purpose; or 'enrolled: ' and why the study has this of everybody who takes part."
    if bool(table.purpose) == bool(table.enrolled):
        raise BadDeclaration(f"{STORES.name}: {table.name} does not say for which purpose its rows were given.", say)
    if table.purpose and not table.landed_by:
        raise BadDeclaration(
            f"{STORES.name}: {table.name} does not say which files decide what lands in it.",
            "Write 'landed_by: ' and the files: they have to ask for the purpose.",
        )
    if table.enrolled and any(one.kind in ("donation", "member") for one in table.columns.values()):
        raise BadDeclaration(
            f"{STORES.name}: {table.name} holds what a donation brought, and does not say for which purpose.",
            "Write 'purpose: ' and the purpose: the rows are erased when it is taken back.",
        )
    for column in table.columns.values() if table.enrolled else ():
        if column.privacy == "quasi" and bool(column.purpose) == bool(column.enrolled):
            raise BadDeclaration(
                f"{STORES.name}: {table.name}.{column.name} does not say for which purpose it was given.", say
            )
