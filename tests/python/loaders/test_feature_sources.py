"""Each source of feature tables in its true layout, and a source that is added as the docs show it."""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from backports import zstd
from conftest import SmallStudy
from rich.console import Console

from consonance.cli.load_report import print_file
from consonance.study import feature_sources
from consonance.study.dbt_command import PROJECT
from loaders import feature_columns
from loaders.catalogue import BadArchive, add_archive
from loaders.feature_columns import COLUMNS, plain
from loaders.feature_numbers import features
from loaders.load_report import FileReport

ONE, TWO, THREE = (digit * 22 for digit in "123")
MBID = "0dad432b-16cc-4bf0-8961-fd31d124b01b"
DOCS = PROJECT / "docs" / "features.md"


def add(small: SmallStudy, tmp_path: Path, source: str, content: str | bytes, name: str = "t.csv") -> FileReport:
    """The report of a table that was added to the study."""
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    add_archive(small.study, file, source)
    (report,) = [one for one in small.load().catalogue if one.file == f"catalogue/{source}/{name}"]
    assert report.rows_in == report.landed + report.rejected == report.landed + sum(report.reasons.values())
    return report


def tracks(small: SmallStudy, columns: str) -> list[tuple[Any, ...]]:
    return small.vault(f"select {columns} from catalogue.music.source_tracks order by source_id, track_no")


def values(small: SmallStudy) -> list[tuple[Any, ...]]:
    return small.vault("select track_no, feature, value from catalogue.music.source_values order by all")


def test_muse(small: SmallStudy, tmp_path: Path) -> None:
    header = "lastfm_url,track,artist,seeds,number_of_emotion_tags,valence_tags,arousal_tags,dominance_tags,mbid,spotify_id,genre"
    report = add(
        small, tmp_path, "muse",
        f"{header}\n"
        f'https://www.last.fm/music/a/_/b,"Left, Bank",Nora Quist,[\'aggressive\'],6,4.55,5.273125,5.69,{MBID},{ONE},rap\n'
        "https://www.last.fm/music/a/_/c,Paper Boats,The Lantern Parade,['x'],1,7.1,3.2,6.5,,,\n"
        "https://www.last.fm/music/a/_/d,,,['x'],1,7.1,3.2,6.5,,,\n"
        f"https://www.last.fm/music/a/_/e,Again,Nora Quist,['x'],1,19,3,,,{ONE},\n",
    )  # fmt: skip
    assert (report.landed, report.reasons) == (2, {"no_track": 1, "repeated_track": 1})
    assert report.doubts == {"unreadable valence_tags": 1}
    assert tracks(small, "spotify_id, recording_mbid::varchar, artist, title, title_key, album_key") == [
        (ONE, MBID, "Nora Quist", "Left, Bank", "leftbank", None),
        (None, None, "The Lantern Parade", "Paper Boats", "paperboats", None),
    ]
    assert values(small)[:3] == [(1, "arousal_tags", 5.273125), (1, "dominance_tags", 5.69), (1, "valence_tags", 4.55)]


def test_deezer_mood(small: SmallStudy, tmp_path: Path) -> None:
    report = add(
        small, tmp_path, "deezer_mood",
        "dzr_sng_id,MSD_sng_id,MSD_track_id,valence,arousal,artist_name,track_name\n"
        "532954,SOVLGJY12A8C13FBED,TRMQDRV128F92F3B60,-1.5,2.75,Calexico,Crystal Frontier\n"
        "533164,SOGXFIF12A58A78CC4,TRUZJSB128F42A6E2C,0.09,-0.05,,Big Boss Man\n",
    )  # fmt: skip
    assert (report.landed, report.reasons) == (1, {"no_names": 1})
    assert values(small) == [(1, "arousal_lyrics_audio", 2.75), (1, "valence_lyrics_audio", -1.5)]


def test_tables_of_reccobeats_have_the_spotify_id_in_a_link(small: SmallStudy, tmp_path: Path) -> None:
    add(
        small, tmp_path, "reccobeats",
        "id,href,isrc,acousticness,danceability,energy,instrumentalness,liveness,loudness,speechiness,tempo,valence\n"
        f"878dadea-33c5-4c08-bdb9-e2b117475a99,https://open.spotify.com/track/{ONE},us-rc1-20-00001,0.1,0.5,0.6,0,0.1,-5,0.1,120,0.8\n"
        f"878dadea-33c5-4c08-bdb9-e2b117475a98,https://open.spotify.com/track/{TWO},odd,0.1,0.5,0.6,0,0.1,-5,0.1,120,0.8\n",
    )  # fmt: skip
    assert tracks(small, "spotify_id, isrc") == [(ONE, "USRC12000001"), (TWO, None)]


def test_published_tables_keep_the_names_beside_the_spotify_id(small: SmallStudy, tmp_path: Path) -> None:
    kaggle = (
        "id,name,album,album_id,artists,artist_ids,duration_ms,danceability,key,mode,time_signature\n"
        f'{ONE},Testify,The Battle,{THREE},"[\'Rage Against The Machine\', ""Destiny\'s Child""]","[\'x\']",210133,0.47,7,1,4.0\n'
    )
    tidytuesday = (
        "track_id,track_name,track_artist,track_popularity,track_album_id,track_album_name,playlist_name,playlist_id,danceability,duration_ms\n"
        f"{TWO},Memories,Maroon 5,67,{THREE},Memories,Pop Remix,37i9dQZF1DXcZDD7cfEKhW,0.726,162600\n"
    )
    add(small, tmp_path, "spotify_archive", kaggle, "a.csv")
    add(small, tmp_path, "spotify_archive", tidytuesday, "b.csv")
    assert tracks(small, "spotify_id, artist_keys, title, album, length_ms") == [
        (
            ONE,
            ["destinyschild", "rageagainstthemachine", "rageagainstthemachinedestinyschild"],
            "Testify",
            "The Battle",
            210133,
        ),
        (TWO, ["maroon5"], "Memories", "Memories", 162600),
    ]


# Exportify's headings: names, and the twelve features in their order.
EXPORTIFY = {
    "English": "Track URI,Track Name,Artist Name(s),Danceability,Energy,Key,Loudness,Mode,Speechiness,Acousticness,Instrumentalness,Liveness,Valence,Tempo,Time Signature",
    "German": "Track-URI,Track-Name,Künstlername(n),Tanzbarkeit,Energie,Tonart,Lautstärke,Modus,Sprachanteil,Akustik,Instrumentalität,Lebendigkeit,Valenz,Tempo,Taktart",
    "Spanish": "URI de la canción,Nombre de la canción,Nombre(s) del artista,Bailabilidad,Energía,Tonalidad,Volumen,Modo,Hablado,Acústica,Instrumentalidad,Vivacidad,Valencia,Tempo,Compás",
    "French": "URI du titre,Nom du titre,Nom(s) de l'artiste,Danseabilité,Énergie,Tonalité,Volume sonore,Mode,Parlabilité,Acoustique,Instrumental,Vivacité,Valence,Tempo,Mesure",
    "Italian": "URI della traccia,Nome della traccia,Nome dell'artista,Ballabilità,Energia,Chiave,Volume,Modalità,Linguaggio parlato,Acustica,Strumentalità,Vivacità,Valenza,Tempo,Battuta",
    "Dutch": "Nummer URI,Nummernaam,Naam van artiest,Dansbaarheid,Energie,Toonsoort,Luidheid,Modus,Spraakzaamheid,Akoestiek,Instrumentaliteit,Levendigheid,Valentie,Tempo,Maatstreep",
    "Portuguese": "URI da faixa,Nome da faixa,Nome(s) do artista,Dançabilidade,Energia,Tonalidade,Volume,Modo,Oralidade,Acústica,Instrumentalidade,Vivacidade,Valência,Tempo,Compasso",
    "Swedish": "Låtens URI,Låtens namn,Artistens namn,Dansbarhet,Energi,Tonart,Ljudstyrka,Läge,Talighet,Akustik,Instrumentalhet,Livlighet,Valens,Tempo,Taktart",
    "Arabic": "رابط الأغنية (URI),اسم الأغنية,أسماء الفنانين,قابلية الرقص,الطاقة,المفتاح,مستوى الصوت,النمط,محتوى الكلام,الطابع الصوتي,الطابع الآلي,الحيوية,الإيجابية,الإيقاع,توقيع الزمن",
    "Japanese": "トラックURI,トラック名,アーティスト名,ダンサビリティ,エネルギー,キー,ラウドネス,モード,スピーチ性,アコースティック性,インストゥルメンタル性,ライブ感,感情値,テンポ,拍子",
    "Turkish": "Parça URI,Parça Adı,Sanatçı Adı,Dans Edilebilirlik,Enerji,Ton,Ses Seviyesi,Mod,Konuşma Oranı,Akustiklik,Enstrümantalite,Canlılık,Duygusallık,Tempo,Ölçü İşareti",
}
SPOTIFY = ("danceability", "energy", "musical_key", "loudness", "mode", "speechiness", "acousticness", "instrumentalness", "liveness", "valence", "tempo", "time_signature")  # fmt: skip


@pytest.mark.parametrize("language", EXPORTIFY)
def test_exportify_in_its_languages(small: SmallStudy, tmp_path: Path, language: str) -> None:
    numbers = (0.11, 0.12, 5, -7.5, 1, 0.13, 0.14, 0.15, 0.16, 0.17, 98.5, 4)
    row = f'spotify:track:{ONE},Song,"Tyler\\, The Creator, Nora",' + ",".join(map(str, numbers))
    report = add(small, tmp_path, "spotify_archive", f"{EXPORTIFY[language]}\n{row}\n")
    assert report.is_whole
    assert small.values(", ".join(SPOTIFY)) == [(ONE, *numbers)]
    assert tracks(small, "title, artist") == [("Song", "Tyler, The Creator, Nora")]


def test_every_heading_means_one_thing_and_every_feature_is_known() -> None:
    declared = yaml.safe_load(COLUMNS.read_text(encoding="utf-8"))
    meanings: dict[str, set[str]] = {}
    for what, headings in declared["any"].items():
        for heading in (what, *headings):
            meanings.setdefault(plain(heading), set()).add(what)
    assert {heading: what for heading, what in meanings.items() if len(what) > 1} == {}
    known = {*feature_columns.IDENTIFIERS, *features(), "known_by"}
    assert set(declared["any"]) <= known
    for source, columns in declared["maps"].items():
        assert set(columns) <= known and source in feature_sources.known_sources()


def test_a_table_of_the_study_may_name_tracks_in_any_way(small: SmallStudy, tmp_path: Path) -> None:
    report = add(
        small, tmp_path, "study_features",
        "isrc;recording_mbid;artist;title;mood_happy;tempo\n"
        "DE-A12-34-56789;;;;0,5;100,5\n"
        f";{MBID};;;0,25;\n"
        ";;Nora;Song;1;90,25\n"
        ";;nora;SONG;0,75;\n"
        ";;Nora;;0,5;\n",
    )  # fmt: skip
    assert (report.landed, report.reasons) == (3, {"no_track": 1, "repeated_track": 1})
    assert tracks(small, "isrc, recording_mbid::varchar, title_key") == [
        ("DEA123456789", None, None), (None, MBID, None), (None, None, "song"),
    ]  # fmt: skip
    assert ("mood_happy", 0.25) in [row[1:] for row in values(small)]


TABLE = f"spotify_id,tempo\n{ONE},98.5\n{TWO},100\n".encode()


def parquet(tmp_path: Path) -> bytes:
    duckdb.sql(
        f"select * from (values ('{ONE}', 98.5::double), ('{TWO}', 100)) as t (spotify_id, tempo)"
    ).write_parquet(str(tmp_path / "made.parquet"))
    return (tmp_path / "made.parquet").read_bytes()


def packed(kind: str, tmp_path: Path) -> bytes:
    if kind == "t.zip":
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
            made.writestr("__MACOSX/._t.csv", b"x")
            made.writestr("data/t.csv", TABLE)
        return archive.getvalue()
    if kind == "t.tar.zst":
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for name, content in (("README", b"x"), ("t.csv", TABLE)):
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
        return zstd.compress(archive.getvalue())
    return {"t.csv.gz": gzip.compress(TABLE), "t.csv.zst": zstd.compress(TABLE)}.get(kind) or parquet(tmp_path)


@pytest.mark.parametrize("kind", ["t.csv.gz", "t.csv.zst", "t.zip", "t.tar.zst", "t.parquet"])
def test_a_table_may_be_packed(small: SmallStudy, tmp_path: Path, kind: str) -> None:
    report = add(small, tmp_path, "study_features", packed(kind, tmp_path), kind)
    assert (report.landed, report.is_whole) == (2, True)
    assert small.values("tempo") == [(ONE, 98.5), (TWO, 100.0)]


REFUSED = {
    "cut off": ("t.csv.gz", gzip.compress(TABLE)[:-9], "study_features", "cannot be unpacked"),
    "no whole Parquet": ("t.parquet", b"PAR1 and no more", "study_features", "no whole Parquet"),
    "another source": ("t.csv", b"dzr_sng_id,MSD_sng_id,valence,arousal,artist_name,track_name\n1,x,0.5,0.5,A,B\n", "study_features", "of deezer_mood.*catalog add deezer_mood"),
    "a dump": ("t.csv", f"mbid,submission_offset,bpm,danceability,onset_rate\n{MBID},0,100,1.2,3\n".encode(), "study_features", "of acousticbrainz_lowlevel.*catalog add acousticbrainz_lowlevel"),
    "other columns": ("t.csv", f"spotify_id,tempo\n{ONE},98.5\n".encode(), "muse", "Known features are valence_tags, arousal_tags, dominance_tags"),
    "wrong delimiter": ("t.csv", f"spotify_id:tempo\n{ONE}:98.5\n".encode(), "study_features", "no column with features"),
    "no key": ("t.csv", b"tempo,valence\n98.5,0.5\n", "study_features", "name no track"),
    "several tables": ("t.zip", b"", "study_features", "several tables"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_table_that_cannot_be_read_is_refused_with_the_remedy(small: SmallStudy, tmp_path: Path, case: str) -> None:
    name, content, source, said = REFUSED[case]
    (tmp_path / name).write_bytes(content)
    if case == "several tables":
        with zipfile.ZipFile(tmp_path / name, "w") as made:
            made.writestr("a.csv", TABLE)
            made.writestr("b.csv", TABLE)
    with pytest.raises(BadArchive, match=said):
        add_archive(small.study, tmp_path / name, source)
    assert not list(small.study.catalogue.rglob("*.*"))


def test_garbage_between_rows_costs_itself(small: SmallStudy, tmp_path: Path) -> None:
    good = [f"{number:022d},{60 + number}" for number in range(90)]
    bad = ["\x00"[:0] + "?" * 30, "1,2,3,4,5", ',"', "x", "", f"{ONE},fast", f"{TWO},-1", ";;;", "no id,100", "é,ü"]
    lines = [line for place in range(10) for line in (*good[place * 9 : place * 9 + 9], bad[place].replace('"', "'"))]
    report = add(small, tmp_path, "study_features", "\n".join(["spotify_id,tempo", *lines, ""]))
    assert report.landed == 90
    assert report.reasons == {"bad_line": 1, "no_track": 6, "no_value": 2}


def test_dumps_in_the_folder_of_tables_are_not_passed_over_in_silence(small: SmallStudy) -> None:
    folder = small.study.catalogue / "musicbrainz_canonical"
    folder.mkdir()
    (folder / "dump.tar.zst").write_bytes(b"x")
    (report,) = small.load().catalogue
    assert report.not_read == "no_table_of_features" and "catalog add musicbrainz_canonical" in report.advice[0]


def test_a_source_is_added_as_the_docs_show_it(
    small: SmallStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = DOCS.read_text(encoding="utf-8").split("## Add a source", 1)[1]
    row, mapped, table, command, printed = re.findall(r"```\w+\n(.*?)```", section, re.DOTALL)
    seed, columns = tmp_path / "feature_sources.csv", tmp_path / "feature_columns.yml"
    seed.write_text(feature_sources.SOURCES.read_text(encoding="utf-8") + row, encoding="utf-8")
    columns.write_text(COLUMNS.read_text(encoding="utf-8") + "\n" + mapped, encoding="utf-8")
    monkeypatch.setattr(feature_sources, "SOURCES", seed)
    monkeypatch.setattr(feature_columns, "COLUMNS", columns)
    feature_columns.declared.cache_clear()
    try:
        *_, source, name = command.split()
        report = add(small, tmp_path, source, table, name)
    finally:
        feature_columns.declared.cache_clear()
    console = Console(file=io.StringIO(), width=200)
    print_file(report, console)
    assert console.file.getvalue() == printed  # type: ignore[attr-defined]
    assert tracks(small, "source_id, artist, title_key, length_ms") == [
        (source, "The Lantern Parade", "paperboats", 181000)
    ]
    assert values(small) == [(1, "tempo", 98.5)]
