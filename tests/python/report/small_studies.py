"""Small studies with known effects, as the frame ``windows`` of consonance/report/statistics: no file, no dbt.

Each person has five prompts a day for two weeks and answers some of them. The music of the hour before goes with the
report, the report with the music of the hour after, and that with the music before the next report; a mood goes with
the mood of the report before. Persons differ in level, in slopes and in how often they answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

DAYS = 14
HOURS = (9, 12, 15, 18, 21)
FIRST_DAY = np.datetime64("2026-03-02T00:00")


@dataclass(frozen=True)
class Planted:
    """What is true of the persons from whom those of a study are drawn.

    Attributes:
        within: Valence of a report per unit of the valence of the music before it, within persons.
        between: The same between persons.
        next_music: Valence of the music after a report per unit of its valence, within persons.
        slope_sd: Standard deviation of the persons' own slopes, of valence and of the null effects.
        next_slope_sd: The same of the other direction.
        hour: How far arousal, and (a third of it) the energy of music, follow the hour of day.
        moody_answers: Change of the chance to answer the next prompt per unit of valence.
        music_sd, mood_sd: How far persons differ in their usual music, and in their usual mood beside what goes with it.
    """

    within: float = 0.3
    between: float = 0.8
    next_music: float = 0.08
    slope_sd: float = 0.25
    next_slope_sd: float = 0.05
    hour: float = 0.3
    moody_answers: float = 0.0
    music_sd: float = 0.08
    mood_sd: float = 0.25


def small_study(persons: int, seed: int, planted: Planted | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """``windows`` (one row per report and window: before_60m, after_60m) and ``prompts`` of one study.

    Null effects: danceability of the music on valence (with slopes of persons around 0), and energy on arousal, which
    both follow the hour.
    """
    planted = planted or Planted()
    people = [_person(f"p{number:03}", np.random.default_rng([seed, number]), planted) for number in range(persons)]
    reports = pd.concat([one for one, _ in people], ignore_index=True)
    sides = []
    for side in ("before", "after"):
        columns = {
            f"{side}_{name}": name
            for name in ("mean_valence", "mean_energy", "mean_danceability", "plays_with_features")
        }
        others = [column for column in reports if str(column).split("_")[0] not in ("before", "after")]
        sides.append(reports[[*others, *columns]].rename(columns=columns).assign(emotion_window=f"{side}_60m"))
    return pd.concat(sides, ignore_index=True), pd.concat([prompts for _, prompts in people], ignore_index=True)


def _person(name: str, random: np.random.Generator, planted: Planted) -> tuple[pd.DataFrame, pd.DataFrame]:
    usual_music = random.normal(0.47, planted.music_sd)
    usual_mood = planted.between * (usual_music - 0.47) + random.normal(0, planted.mood_sd)
    usual_energy, usual_dance, usual_arousal = random.normal(0.6, 0.1), random.normal(0.5, 0.1), random.normal(0, 0.25)
    slope = random.normal(planted.within, planted.slope_sd)
    next_slope = random.normal(planted.next_music, planted.next_slope_sd)
    dance_slope, energy_slope = random.normal(0, planted.slope_sd, 2)
    answering = random.uniform(0.35, 0.85)

    mood, arousal, after, dance = usual_mood, usual_arousal, usual_music, usual_dance
    reports, prompts = [], []
    for day in range(DAYS):
        for hour in HOURS:
            at = FIRST_DAY + np.timedelta64(day, "D") + np.timedelta64(hour * 60 + int(random.integers(0, 90)), "m")
            wave = np.sin(2 * np.pi * (int((at - at.astype("datetime64[D]")) / np.timedelta64(1, "m")) / 60 - 9) / 24)
            prompt_id = f"{name}-{len(prompts):03}"
            if random.random() >= answering + planted.moody_answers * (mood - usual_mood):
                prompts.append((name, prompt_id, at, "unanswered", np.nan))
                continue
            plays = random.poisson(4, 2) * (random.random(2) < 0.75)
            before = usual_music + 0.3 * (after - usual_music) + 0.02 * wave + random.normal(0, 0.1)
            dance = usual_dance + 0.3 * (dance - usual_dance) + random.normal(0, 0.1)
            energy = usual_energy + planted.hour / 3 * wave + random.normal(0, 0.1)
            heard = float(plays[0] > 0)
            mood = (
                usual_mood
                + 0.35 * (mood - usual_mood)
                + heard * (slope * (before - usual_music) + dance_slope * (dance - usual_dance))
                + 0.05 * wave
                + random.normal(0, 0.3)
            )
            arousal = (
                usual_arousal
                + 0.3 * (arousal - usual_arousal)
                + planted.hour * wave
                + heard * energy_slope * (energy - usual_energy - planted.hour / 3 * wave)
                + random.normal(0, 0.3)
            )
            after = (
                usual_music + 0.3 * (before - usual_music) + next_slope * (mood - usual_mood) + random.normal(0, 0.08)
            )
            prompts.append((name, prompt_id, at, "answered", mood))
            reports.append((name, prompt_id, at, mood, arousal, before, energy, dance, plays[0], after, plays[1]))
    columns = [
        "participant_id",
        "report_id",
        "reported_at_local",
        "reported_valence",
        "reported_arousal",
        "before_mean_valence",
        "before_mean_energy",
        "before_mean_danceability",
        "before_plays_with_features",
        "after_mean_valence",
        "after_plays_with_features",
    ]
    frame = pd.DataFrame(reports, columns=columns).assign(
        instrument="affect_grid", after_mean_energy=np.nan, after_mean_danceability=np.nan
    )
    for side in ("before", "after"):
        silent = frame[f"{side}_plays_with_features"] == 0
        frame.loc[silent, [f"{side}_mean_{feature}" for feature in ("valence", "energy", "danceability")]] = np.nan
    frame_of_prompts = pd.DataFrame(
        prompts, columns=["participant_id", "prompt_id", "prompted_at_local", "status", "valence"]
    )
    return frame, frame_of_prompts
