"""The maps of a study, and which files of ``surveys/`` each is for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

import yaml

from consonance.study.folder import Study
from loaders.side_files import side_files
from loaders.surveys.survey_map import AS_IT_IS, BadSurveyMap, SurveyMap, known_pattern, read_map

SUFFIXES = (".yml", ".yaml")


@dataclass(frozen=True)
class Maps:
    """The maps of a study, by path, and those that cannot be used, each with the reason."""

    usable: dict[Path, SurveyMap]
    faults: dict[Path, BadSurveyMap]

    @classmethod
    def of(cls, study: Study) -> Maps:
        """Read every map of ``study``."""
        usable, faults = {}, {}
        for path in map_files(study):
            try:
                usable[path] = read_map(path)
            except BadSurveyMap as error:
                faults[path] = error
        return cls(usable, faults)

    def of_file(self, study: Study, file: Path) -> dict[Path, SurveyMap]:
        """The maps that are for ``file``; none for a table that needs none."""
        return {path: one for path, one in self.usable.items() if is_for(one.files, study, file)}

    def participant_columns(self, study: Study, file: Path) -> list[str]:
        """The columns of ``file`` that may have participant codes."""
        return list(
            dict.fromkeys([*(one.participant for one in self.of_file(study, file).values()), AS_IT_IS.participant])
        )

    def fault_of(self, study: Study, file: Path) -> BadSurveyMap | None:
        """Why ``file`` is not read: a map that is for it cannot be used."""
        for path, patterns in self._patterns_of_faults.items():
            if any(is_for(pattern, study, file) for pattern in patterns):
                return self.faults[path]
        return None

    @cached_property
    def _patterns_of_faults(self) -> dict[Path, list[str]]:
        return {path: _pattern_of(path) for path in self.faults}


def questionnaire_files(study: Study) -> list[Path]:
    """Every file in ``surveys/`` that is no map."""
    return [path for path in side_files(study.surveys) if not path.is_relative_to(study.survey_maps)]


def map_files(study: Study) -> list[Path]:
    """The files in ``surveys/maps/`` that may be maps, in order of name."""
    return sorted(path for path in study.survey_maps.glob("*") if path.suffix.lower() in SUFFIXES)


def is_for(pattern: str, study: Study, file: Path) -> bool:
    """Whether a map's ``files`` means ``file`` of the study's ``surveys/``."""
    within = file.relative_to(study.surveys) if file.is_relative_to(study.surveys) else Path(file.name)
    return PurePosixPath(within.as_posix()).match(pattern)


def _pattern_of(path: Path) -> list[str]:
    """What the line ``files`` of a map says that is no map otherwise."""
    try:
        line = re.search(r"^files:.*$", path.read_text(encoding="utf-8"), re.MULTILINE)
        return [known_pattern(str(yaml.safe_load(line[0])["files"]))] if line else []
    except (OSError, ValueError, TypeError, yaml.YAMLError):
        return []
