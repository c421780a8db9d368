"""Releases: built of those who agreed to them, held behind a gate of guards, published in one step.

``publish`` is the way through. ``making`` builds the study that a release is made of, ``k_anonymity``
makes its demographics coarser, ``package`` writes its files, ``guards`` says what must hold, ``certificate`` what is told of it, ``guardian`` cleans up after
a publish that was killed.
"""
