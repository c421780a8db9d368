"""What is true of the synthetic study: every relation that is planted in it, as a number.

Tests compare what an analysis finds with these numbers. Nothing that a report says is taken from here.
Reported valence and arousal are on the axis from -1 to 1, features of music between 0 and 1.
"""

from __future__ import annotations

# Within a person, reported valence rises by this much from music of valence 0 to music of valence 1: the mean, weighted
# by play time, of the tracks of at least 30 seconds that ended in the hour before the report. Between persons the mean
# valence of their music says nothing about their mood. Small: music explains 2 % of a person's variance.
VALENCE_WITHIN = 0.2
VALENCE_BETWEEN = 0.0
# Energy of music has no effect on reported arousal, and mood has none on the music that is heard next.
AROUSAL_BY_ENERGY = 0.0
NEXT_MUSIC_BY_MOOD = 0.0

# The time of day moves both reported arousal and the energy of music: by this much above and below the mean, as a
# cosine of the local hour that is highest at PEAK_HOUR. Without control for the hour the two go together.
PEAK_HOUR = 14
AROUSAL_BY_HOUR = 0.3
# The share of tracks for which the more energetic of two is taken is 0.5 plus or minus this.
ENERGY_BY_HOUR = 0.45

# Standard deviations of mood: between persons, between a person's days, between the moments of a day.
PERSON_SPREAD = 0.15
DAY_SPREAD = 0.2
MOMENT_SPREAD = 0.25

# A prompt is answered with the probability ANSWERED, and ANSWERED_BY_VALENCE more for each point of valence at that
# moment: reports in bad mood are missing more often.
ANSWERED = 0.68
ANSWERED_BY_VALENCE = 0.35

# The archive of features has a track with the probability KNOWN, less for rarely heard and for sad music (rarity and
# 1 - valence, both 0 to 1, times these): features are not missing at random.
KNOWN = 0.98
KNOWN_BY_RARITY = -0.35
KNOWN_BY_SADNESS = -0.2

# How many prompts a person gets at most, in the last 300 days of their history: some minutes after listening, and at
# any time of such a day; and how many weekly questionnaires.
PROMPTS_AFTER_LISTENING = 80
OTHER_PROMPTS = 30
WEEKS = 8
