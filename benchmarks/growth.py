"""How time, memory and files grow with a study: the table of docs/growth.md.

    .venv/bin/python benchmarks/growth.py FOLDER --plays 300000 --people 50
    .venv/bin/python benchmarks/growth.py FOLDER --plays 32000000 --people 500
    .venv/bin/python benchmarks/growth.py FOLDER --plays 100000000 --people 1500

The study is made in parts of about a million plays, each of other people, so that making it takes no more memory than
one part. Then each command runs in a process of its own: load, dbt run twice (the first one also matches tracks with
sources of features, which later ones remember), check, attack, withdraw. If a study grows as it should, what is printed
per million plays is the same for every size, but for what each command costs without plays.

FOLDER must not exist yet. It is deleted in the end, unless --keep is given.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import measuring

PROJECT = Path(__file__).resolve().parents[1]
PART = 1_000_000
# Of disk space, for each million plays: donations, stores, and the second vault of checks and of a withdrawal.
GIB_PER_MILLION = 0.7
FILES = ("inbox", "vault.duckdb", "warehouse.duckdb", "analysis.duckdb")


def make_part(folder: Path, part: int, parts: int, people: int, plays: int) -> None:
    """Make one part of the study beside it, and move it in."""
    from consonance.synthetic.study import make_study

    bounds = [number * people // parts for number in (part, part + 1)]
    study, made = folder / "study", folder / "study" if part == 0 else folder / "part"
    make_study(made, people=bounds[1] - bounds[0], plays=plays // parts, plain=True, first=bounds[0] + 1)
    if made == study:
        for survey_map in (study / "surveys" / "maps").glob("*.yml"):
            text = survey_map.read_text(encoding="utf-8")
            survey_map.write_text(text.replace(f"files: {survey_map.stem}.csv", f"files: {survey_map.stem}*.csv"))
        return
    for donations in sorted((made / "inbox").iterdir()):
        if donations.is_dir():
            donations.rename(study / "inbox" / donations.name)
    for table in ("participants.csv", "consents.csv"):
        _, *lines = (made / table).read_text(encoding="utf-8").splitlines(keepends=True)
        with (study / table).open("a", encoding="utf-8") as file:
            file.writelines(line for line in lines if not line.startswith("#"))
    for answers in sorted((made / "surveys").glob("*.csv")):
        answers.rename(study / "surveys" / f"{answers.stem}_{part}.csv")
    shutil.rmtree(made)


def run(command: Sequence[str | Path], folder: Path, memory: str | None) -> dict[str, float]:
    """What a command on the study of ``folder`` costs."""
    return measuring.run(command, folder / "study", **({"CONSONANCE_MEMORY_LIMIT": memory} if memory else {}))


def size_mib(path: Path) -> float:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file()) / 2**20


def measure(folder: Path, people: int, plays: int, memory: str | None) -> None:
    parts = min(people, max(1, round(plays / PART)))
    print(f"Making {plays:,} plays of {people} people in {parts} parts …", flush=True)
    arguments = ["--people", str(people), "--plays", str(plays)]
    for part in range(parts):
        run([sys.executable, __file__, folder, *arguments, "--part", str(part), "--parts", str(parts)], folder, memory)
    consonance, dbt = (Path(sys.executable).with_name(name) for name in ("consonance", "dbt"))
    commands: dict[str, list[str | Path]] = {
        "load": [consonance, "load"],
        "dbt run, first": [dbt, "--quiet", "run"],
        "dbt run": [dbt, "--quiet", "run"],
        "check": [consonance, "check"],
        "attack": [consonance, "attack"],
        "withdraw": [consonance, "withdraw", "D025" if people >= 25 else "D001", "--yes"],
    }
    print("\n| step | seconds | processor s | seconds per million plays | processor s per million | peak, MiB |")
    print("|---|---|---|---|---|---|")
    millions = plays / 1e6
    for step, command in commands.items():
        told = run(command, folder, memory)
        print(
            f"| {step} | {told['seconds']:,.1f} | {told['cpu_s']:,.1f} | {told['seconds'] / millions:.1f} "
            f"| {told['cpu_s'] / millions:.1f} | {told['peak_mib']:,.0f} |",
            flush=True,
        )
        if step == "attack":
            sizes = {name: size_mib(folder / "study" / name) for name in FILES}
    told_sizes = (f"{name} {size:,.0f} ({size / millions:.0f})" for name, size in sizes.items())
    print(f"\nMiB before the withdrawal, and per million plays: {', '.join(told_sizes)}.")
    print("The peak is that of the largest process of a step.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--plays", type=int, default=3_200_000)
    parser.add_argument(
        "--memory", help="what DuckDB may use (CONSONANCE_MEMORY_LIMIT), such as 6GiB; else its default"
    )
    parser.add_argument("--keep", action="store_true", help="leave FOLDER there")
    parser.add_argument("--part", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--parts", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    if arguments.part is not None:
        make_part(folder, arguments.part, arguments.parts, arguments.people, arguments.plays)
        return
    if folder.exists():
        sys.exit(f"{folder} exists. Name a folder that does not exist yet.")
    needed, free = 1 + GIB_PER_MILLION * arguments.plays / 1e6, shutil.disk_usage(folder.parent).free / 2**30
    print(f"Needs {needed:.0f} GiB of disk space at {folder.parent}; {free:.0f} GiB are free.", flush=True)
    if free < needed:
        sys.exit("There is too little free space. Name a folder on another disk.")
    folder.mkdir()
    try:
        measure(folder, arguments.people, arguments.plays, arguments.memory)
    finally:
        if not arguments.keep:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
