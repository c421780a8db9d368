"""Releases: built from the data of those who agreed to them, checked, published in one step.

``publish`` does the whole, in a ``workspace``. ``making`` builds the study that a release
is made of, ``generalisation`` makes its demographics coarser, ``package`` writes its rows, ``description`` its codebook,
``certificate`` its certificate. ``release_checks`` lists the checks, ``register`` is the release register of the vault.
"""
