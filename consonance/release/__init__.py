"""Releases: built from the data of those who agreed to them, checked, published in one step.

``publish`` does the whole, in a ``workspace``. ``making`` builds the study that a release
is made of, ``generalisation`` makes its demographics coarser. ``contents`` is the list of what is in a release of each
tier; ``package`` writes its rows from it, with the tables that ``public`` makes; ``description`` writes the codebook and
``certificate`` the certificate. ``release_checks`` lists the checks (here: ``files_agree``, ``linkage``,
``contents_check``), ``register`` is the release register of the vault.
"""
