"""The report of a study: what its reports of emotion and its music have to do with each other.

``statistics`` computes, and knows nothing of pages.
"""
