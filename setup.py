"""Installs consonance in place. A package of it cannot be built: models, seeds and macros would be missing."""

from typing import NoReturn

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.sdist import sdist

REFUSAL = "consonance is a dbt project: clone it and run 'make demo', or 'pip install --editable .' in the clone."


class NoWheel(bdist_wheel):
    def run(self) -> NoReturn:
        raise SystemExit(REFUSAL)


class NoSourceDistribution(sdist):
    def run(self) -> NoReturn:
        raise SystemExit(REFUSAL)


setup(cmdclass={"bdist_wheel": NoWheel, "sdist": NoSourceDistribution})
