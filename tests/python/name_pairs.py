"""Labelled pairs of song names, made by rule: one song spelled in two ways, and songs that only look alike.

Each pair is a catalogue of its own: what is found is all that the catalogue has.

What counts as another recording: a live, acoustic, instrumental, karaoke or demo version, a remix, a cover, another
speed, another part. What does not: remasters, editions, edits for radio, mono and stereo, guests, spelling.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import duckdb

from loaders.track_names import with_track_names

# (script, artist, title, album)
SONGS = (
    ("Latin", "The Lantern Parade", "Paper Boats", "River Songs"),
    ("Latin", "Björk & Sigrún", "Jóga á sunnudegi", "Vespertíð"),
    ("Latin", "Florence Vale", "Don't Look Back, Annie", "Attic Tapes"),
    ("Latin", "AC/PD", "You're Always on My Side", "Powerline"),
    ("Latin", "Earth, Wind & Rain", "September Evening", "Gratitude"),
    ("Latin", "Beyoncía", "Hållo (I Miss You)", "Lémonade"),
    ("Latin", "Ke$ho", "Tick Tock Goes the Night", "Animal Farm"),
    ("Latin", "Łukasz Żółć", "Za chwilę dalszy ciąg", "Gęś"),
    ("Latin", "Simon and Garnet", "Bridge under Quiet Water", "Bookstands"),
    ("Latin", "Ines Fischer", "Fire on the Ufier Shore", "Final Figures"),
    ("Latin", "Étienne d'Arc", "L'été à Saint-Malo", "Côte d'Émeraude"),
    ("Cyrillic", "Земляника", "Группа крыльев", "Ночной поезд"),
    ("Cyrillic", "Иван Ёлкин", "Чёрный чай", "Весна"),
    ("Cyrillic", "Ольга Зайцева", "Подмосковные утра", "Избранное"),
    ("Greek", "Μαρία Καλλή", "Το τραγούδι της θάλασσας", "Άνοιξη"),
    ("Greek", "Νίκος Αγγέλου", "Μισιρλούδι", "Ρεμπέτικα"),
    ("Japanese", "夜明けの歌", "夜に駆けだす", "はじまり"),
    ("Japanese", "ずっと雨", "秒針を噛むころ", "ガガガ通り"),
    ("Japanese", "アイロンクラブ", "レコードがタリン", "ガラス"),
    ("Korean", "푸른밤", "첫눈처럼 너에게", "겨울 이야기"),
    ("Korean", "이하늘", "좋은 하루", "팔레트 보라"),
    ("Chinese", "周杰轮", "青花茶碗", "我很开心"),
    ("Hebrew", "עידן רז", "קיץ אחרון", "שירים"),
    ("Arabic", "فيروزة", "نسم علينا الصباح", "أغاني"),
    ("Devanagari", "लता देवी", "मेरे सपनों का राजा", "गीत"),
)

# By case: the same song in other words. {t} the title.
SAME = {
    "remaster": ("{t} - Remastered 2011", "{t} (2009 Remaster)", "{t} - Remaster", "{t} [Remastered]", "{t} - 2015 Digital Remaster", "{t} - 2011 Remastered Version"),
    "two labels": ("{t} - Bonus Track - Remastered 2011", "{t} - Single Version - Mono (2009 Remaster)", "{t} | Official Video"),
    "year": ("{t} (2011)", "{t} [1987]"),
    "edition": ("{t} (Album Version)", "{t} - Bonus Track", "{t} - Original Version", "{t} - 25th Anniversary Edition"),
    "deluxe": ("{t} (Deluxe)", "{t} (Deluxe Edition)", "{t} - Deluxe Version", "{t} [Super Deluxe Edition]"),
    "single version": ("{t} - Single Version", "{t} (Single Version)"),
    "edit": ("{t} - Radio Edit", "{t} (Single Edit)", "{t} - Edit"),
    "mono and stereo": ("{t} - Mono", "{t} (Stereo Mix)", "{t} - Mono / Remastered 2014"),
    "explicit": ("{t} (Explicit)", "{t} [Clean]"),
    "guest in the title": ("{t} (feat. Nora Quist)", "{t} [ft. Nora Quist & Ben]", "{t} feat. Nora Quist", "{t} (with Nora Quist)"),
    "from a film": ('{t} (From "The Long Night")', "{t} - From the Film Soundtrack"),
    "case": ("{u}", "{l}"),
    "accents": ("{a}",),
    "Unicode forms": ("{d}", "{k}"),
    "full width": ("{w}",),
    "quotes and dashes": ("{q}", "“{t}”", "«{t}»", "‘{t}’"),
    "spaces": ("  {t}  ", "{t} ()", "{n}"),
}  # fmt: skip

# By case: another recording.
OTHER = {
    "a version in a label": ("{t} | Live at the Harbour", "{t} (Live Album Version)", "{t} - Acoustic Album Version", "{t} (From Live at the Harbour)", "{t} (with Choir, Live)", "{t} [feat. Nora Quist, Remix]"),
    "live": ("{t} - Live", "{t} (Live at the Harbour)", "{t} - Live / Remastered 2012", "{t} (En vivo)", "{t} - Ao Vivo"),
    "acoustic": ("{t} - Acoustic", "{t} (Acoustic Version)", "{t} (Unplugged)", "{t} (Stripped)"),
    "instrumental": ("{t} (Instrumental)", "{t} - Instrumental Version", "{t} - A Cappella"),
    "karaoke": ("{t} (Karaoke Version)", "{t} - Karaoke", "{t} (Originally Performed by Nora Quist) [Karaoke Version]"),
    "remix": ("{t} - DJ Kolb Remix", "{t} (Club Mix)", "{t} - Extended Mix", "{t} (feat. Nora Quist) - DJ Kolb Remix", '{t} (12" Mix)', "{t} - VIP"),
    "sped up": ("{t} - Sped Up", "{t} (Sped Up Version)", "{t} (Nightcore)"),
    "slowed": ("{t} (Slowed + Reverb)", "{t} - Slowed", "{t} (Slowed Down)"),
    "re-recorded": ("{t} (Re-Recorded)", "{t} (Nora's Version)", "{t} - Rerecorded", "{t} (Re-Recorded / Remastered)"),
    "demo": ("{t} - Demo", "{t} (Demo Version)", "{t} (Early Take)"),
    "another arrangement": ("{t} (Piano Version)", "{t} (Orchestral Version)"),
    "cover": ("{t} (Nora Quist Cover)", "{t} (Tribute to Nora Quist)", "{t} - Cover Version"),
    "part": ("{t}, Pt. 2", "{t} II", "{t} (Reprise)", "{t} - Interlude"),
    "language": ("{t} (Spanish Version)", "{t} - Deutsche Version"),
    "another title": ("Not {t}", "{t} Tonight"),
}  # fmt: skip

# Titles that only look as if they had a label; each is a song of its own.
LOOKALIKES = (
    "Live Forever", "Alive", "Olive Tree", "Mixed Emotions", "In the Mix", "Demolition", "Instrumental", "Acoustic",
    "Left Bank", "Gift Wrap", "Feather", "Cover Me", "Remaster", "Extended Play", "Single Ladies at Sea", "Radio, Radio",
    "Edit Undo", "Version of Me", "1999", "22", "???", "(Untitled)", "...", "✝", "夜", "首", "첫눈", "Δ", "Part 2", "Part 3",
    "(Don’t Fear) The Sower", "Video Tape", "Mono", "Stereo", "Explicit", "Bonus", "Original", "Clip", "Lyrics",
)  # fmt: skip

# Titles of punctuation and signs alone.
SIGNS = ("???", "!!!", "...", "(((", "+", "$$$", "#", "%", "—", "♥", "☆☆☆", "?!", "***", "°", "<3", "・・・", "。。。")

WIDE = {ord(narrow): chr(ord(narrow) + 0xFEE0) for narrow in map(chr, range(0x21, 0x7F))}
HALF_WIDTH = {
    ord(wide): narrow
    for wide, narrow in zip(
        "アイウカガキクコタリルレロン",
        ["ｱ", "ｲ", "ｳ", "ｶ", "ｶﾞ", "ｷ", "ｸ", "ｺ", "ﾀ", "ﾘ", "ﾙ", "ﾚ", "ﾛ", "ﾝ"],
        strict=True,
    )
}
TYPED = {"'": "’", "-": "–", '"': "”"}


class Pair(NamedTuple):
    """Two ways to name a song (artist, title, album), and whether they name one recording."""

    case: str
    script: str
    left: tuple[str, str, str]
    right: tuple[str, str, str]
    is_same: bool


def pairs() -> Iterator[Pair]:
    """Every song with every variant of it, with artists in other spellings, and with songs that look like it."""
    for script, artist, title, album in SONGS:
        plain = (artist, title, album)
        for cases, is_same in ((SAME, True), (OTHER, False)):
            for case, patterns in cases.items():
                for pattern in patterns:
                    if (written := _written(pattern, title)) != title:
                        yield Pair(case, script, (artist, written, album), plain, is_same)
        for wrong in _mistyped(title):
            yield Pair("typing error in the title", script, (artist, wrong, album), plain, True)
        for wrong in _mistyped(artist):
            yield Pair("typing error in the artist", script, (wrong, title, album), plain, True)
        yield from _compilations(script, artist, title, album)
        for together in (" & ", " and ", " x ", " X ", " × ", " + ", ", "):
            credit = (f"{artist}{together}Nora Quist", title, album)
            yield Pair("and, x, comma", script, credit, (f"{artist} & Nora Quist", title, album), True)
        for case, spelled in _artists(artist):
            yield Pair(case, script, (spelled, title, album), plain, True)
        for other_script, other, _, _ in SONGS:
            if other_script == script and other != artist:
                yield Pair("another artist", script, (other, title, album), plain, False)
    for number, title in enumerate(LOOKALIKES):
        yield Pair("looks like a label", "Latin", ("Nora Quist", title, ""), ("Nora Quist", title, "X"), True)
        for other in LOOKALIKES[:number]:
            yield Pair("looks like a label", "Latin", ("Nora Quist", title, ""), ("Nora Quist", other, ""), False)
    for number, title in enumerate(SIGNS):
        yield Pair("signs alone", "none", ("Nora Quist", title, ""), ("NORA QUIST", f" {title} ", "X"), True)
        yield Pair("signs alone", "none", (title, "Paper Boats", ""), (title, "Paper Boats (Explicit)", "X"), True)
        for other in SIGNS[:number]:
            yield Pair("signs alone", "none", ("Nora Quist", title, ""), ("Nora Quist", other, ""), False)
            yield Pair("signs alone", "none", (title, "Paper Boats", ""), (other, "Paper Boats", ""), False)


def matched(connection: duckdb.DuckDBPyConnection, labelled: Sequence[Pair], threshold: float) -> set[int]:
    """The places of the pairs that are matched, the right side of each being all that a catalogue of its own has."""
    connection.execute("create table names (pair integer, artist varchar, title varchar, album varchar)")
    for side in ("left", "right"):
        connection.execute("delete from names")
        connection.executemany(
            "insert into names values (?, ?, ?, ?)",
            [[number, *getattr(pair, side)] for number, pair in enumerate(labelled)],
        )
        keys = with_track_names("{{ with_name_keys('names', 'pair', 'artist', 'title', 'album') }}")
        connection.execute(f"create table {side}_keys as select *, null::bigint as length_ms from ({keys})")
    # Each pair is a source of its own.
    asked = "(select *, pair as asked_id, pair as source_id from left_keys)"
    named = "(select *, pair as named_id, pair as source_id, 0.0 as score from right_keys)"
    found = connection.execute(
        with_track_names(
            f"select asked_id, confidence from ({{{{ matched_by_names('{asked}', '{named}') }}}}) as matches"
        )
    ).fetchall()
    return {pair for pair, confidence in found if confidence >= threshold}


def _written(pattern: str, title: str) -> str:
    decomposed = unicodedata.normalize("NFD", title)
    # Elsewhere the marks are letters of their own.
    letters_have_accents = unicodedata.name(next(filter(str.isalpha, title))).split()[0] in (
        "LATIN",
        "GREEK",
        "CYRILLIC",
    )
    return pattern.format(
        t=title,
        u=title.upper(),
        l=title.lower(),
        w=title.translate(WIDE),
        q=title.translate(str.maketrans(TYPED)),
        a="".join(letter for letter in decomposed if unicodedata.category(letter) != "Mn")
        if letters_have_accents
        else title,
        d=decomposed,
        k=title.replace("fi", "ﬁ").translate(HALF_WIDTH),
        n=title.replace(" ", "\u00a0"),
    )


def _mistyped(title: str) -> Iterator[str]:
    """A letter too few, one twice, two exchanged; short titles are left alone, where each letter counts."""
    middle = len(title) // 2
    if sum(letter.isalpha() for letter in title) >= 10 and title[middle : middle + 2].isalpha():
        yield title[:middle] + title[middle + 1 :]
        yield title[: middle + 1] + title[middle:]
        yield title[:middle] + title[middle + 1] + title[middle] + title[middle + 2 :]


def _compilations(script: str, artist: str, title: str, album: str) -> Iterator[Pair]:
    """A compilation in the history, whose artist is nobody; the catalogue names the true one. Only the album tells."""
    for nobody in (
        "Various Artists",
        "Various",
        "Verschiedene Interpreten",
        "Artistes Variés",
        "Varios Artistas",
        "V.A.",
    ):
        yield Pair("compilation", script, (nobody, title, album), (artist, title, album), True)
    yield Pair("compilation", script, ("Various Artists", title, f"{album} (Deluxe)"), (artist, title, album), True)
    yield Pair("compilation", script, ("Various Artists", title, "Harbour Hits"), (artist, title, album), False)
    yield Pair("compilation", script, ("Various Artists", title, ""), (artist, title, ""), False)
    yield Pair("compilation", script, ("Various Artists", f"{title} - Live", album), (artist, title, album), False)


def _artists(artist: str) -> Iterator[tuple[str, str]]:
    yield "guest in the artist", f"{artist} feat. Nora Quist"
    yield "guest in the artist", f"{artist}, Nora Quist"
    yield "case", artist.upper()
    if artist.startswith("The "):
        yield "The", artist.removeprefix("The ")
    else:
        yield "The", f"The {artist}"
    for word, sign in ((" & ", " and "), (" and ", " & ")):
        if word in artist:
            yield "and, x, comma", artist.replace(word, sign)
