"""Whether the mixed models of the report agree with R's lme4 and lmerTest, to three digits.

.venv/bin/python benchmarks/agreement_with_r.py [STUDY]

Compares on lme4's own sleepstudy (Belenky and others 2003), on a small synthetic study, and on the marts of STUDY if
one is given. On Debian: apt-get install --no-install-recommends r-base-core r-cran-lme4 r-cran-lmertest. Exit status:
0 if all agree, 1 if not, 2 if R is missing and nothing was compared.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

PROJECT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(PROJECT), str(PROJECT / "tests" / "python" / "report")]

from small_studies import small_study  # noqa: E402

from consonance.report.statistics.association import model_columns  # noqa: E402
from consonance.report.statistics.mixed_model import fit_mixed_model  # noqa: E402
from consonance.report.statistics.results import Question  # noqa: E402
from consonance.report.statistics.rows import rows_of  # noqa: E402

SCRIPT = Path(__file__).with_suffix(".R")
DIGITS = 3
QUESTIONS = {
    "music → report, valence": Question("music_to_report", "reported_valence", "mean_valence", "before_60m"),
    "music → report, energy and arousal": Question("music_to_report", "reported_arousal", "mean_energy", "before_60m"),
    "report → next music, valence": Question("report_to_music", "mean_valence", "reported_valence", "after_60m"),
}


def r(*arguments: str) -> str:
    done = subprocess.run(["Rscript", "--vanilla", str(SCRIPT), *arguments], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"R failed: {done.stderr.strip()}")
    return done.stdout


def data_sets(folder: Path, study: str | None) -> Iterator[tuple[str, pd.DataFrame, str]]:
    """Name, frame (``y``, fixed effects, ``person``) and the column with a slope for each person."""
    file = folder / "sleepstudy.csv"
    r("data", str(file))
    sleep = pd.read_csv(file)
    yield (
        "sleepstudy",
        pd.DataFrame({"y": sleep["Reaction"], "Days": sleep["Days"], "person": sleep["Subject"]}),
        "Days",
    )
    sources = {"20 synthetic persons": small_study(20, seed=1)[0]}
    if study:
        with duckdb.connect(str(Path(study) / "warehouse.duckdb"), read_only=True) as connection:
            sources[Path(study).name] = connection.execute("select * from marts.emotion_windows").df()
    for name, windows in sources.items():
        for asked, question in QUESTIONS.items():
            rows = rows_of(windows, question)
            columns, _ = model_columns(rows, question)
            frame = pd.concat(
                [rows["y"], columns.drop(columns="constant"), rows["participant_id"].rename("person")], axis=1
            )
            yield f"{name}: {asked}", frame, "within"


def ours(frame: pd.DataFrame, slope: str) -> pd.DataFrame:
    """Our estimates in the form of R's."""
    fixed = frame.drop(columns=["y", "person"])
    exog = np.column_stack([np.ones(len(frame)), fixed]).astype(float)
    codes = pd.factorize(frame["person"])[0]
    fit = fit_mixed_model(frame["y"].to_numpy(float), exog, frame[slope].to_numpy(float), codes)
    if fit is None:
        raise SystemExit("Our model did not converge.")
    fixed_rows = zip(fit.coefficients, np.sqrt(np.diag(fit.covariance)), fit.df, strict=True)
    (intercept, both), (_, slopes) = fit.random_covariance
    random_rows = [(value, np.nan, np.nan) for value in (intercept, slopes, both, fit.residual_variance)]
    return pd.DataFrame([*fixed_rows, *random_rows], columns=["estimate", "error", "df"])


def main() -> int:
    if not shutil.which("Rscript"):
        print("R is missing (no Rscript): nothing was compared.")
        return 2
    differs = 0
    print(
        "| data | reports, persons | largest relative difference: fixed effects, errors, variances | degrees of freedom: ours, R's |"
    )
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        for name, frame, slope in data_sets(Path(scratch), sys.argv[1] if len(sys.argv) > 1 else None):
            file = Path(scratch) / "frame.csv"
            frame.to_csv(file, index=False)
            terms = " + ".join(column for column in frame if column not in ("y", "person"))
            theirs = pd.read_csv(io.StringIO(r("fit", str(file), f"y ~ {terms} + ({slope} | person)")))
            theirs.columns = pd.Index(["kind", "name", "estimate", "error", "df"])
            found = ours(frame, slope)
            fixed = (theirs["kind"] == "fixed").to_numpy()
            gap = (found["estimate"] - theirs["estimate"]).abs()
            residual = theirs["estimate"].iloc[-1]
            # An estimate near zero has no digits of its own: it is compared in units of its error, a variance in units
            # of the residual's.
            shares = (
                (gap[fixed] / np.maximum(theirs["estimate"].abs(), theirs["error"])[fixed]).max(),
                ((found["error"] - theirs["error"]).abs() / theirs["error"])[fixed].max(),
                (gap[~fixed] / np.maximum(theirs["estimate"].abs()[~fixed], 0.01 * residual)).max(),
            )
            differs += max(shares) >= 0.5 * 10.0**-DIGITS
            df = tuple(one.loc[theirs["name"] == slope, "df"].iloc[0] for one in (found, theirs))
            print(
                f"| {name} | {len(frame):,}, {frame['person'].nunique()} | {', '.join(f'{share:.0e}' for share in shares)} "
                f"| {df[0]:.1f}, {df[1]:.1f} |"
            )
    print(f"\nTo {DIGITS} digits: {'all agree' if not differs else f'{differs} differ'}.")
    return 1 if differs else 0


if __name__ == "__main__":
    sys.exit(main())
