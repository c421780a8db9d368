"""The computations of the report: functions of pandas frames that return the values of ``results``.

``association.associate(windows, question)`` → ``Association``; ``with_and_without_time`` → ``TimeControl``
``multiple_tests.correct(associations)`` → the same, with corrected p values
``specifications.specification_curve(windows, …)`` → ``SpecificationCurve``
``prediction.predict(examples, outcome, features)`` → ``Prediction``
``power.smallest_effect(effect)`` → ``SmallestEffect``
``attrition.attrition(persons, steps, characteristics)`` → ``Attrition``
``missingness.answers_by_mood(prompts)`` → ``AnswersByMood``; ``compare_flagged(rows, …)`` → ``FlagDifference``

Each may return ``NoResult`` with a reason instead. None depends on the order of rows or on the names of participants.

Frames. ``windows``: a row per report and window, columns ``participant_id, report_id, instrument, reported_at_local,
emotion_window``, reported values, features of the window, and the column that counts plays with a value
(``plays_with_features``). ``examples``: a row per report of one window of ``training_examples``. ``prompts``: a row per
prompt. ``persons``: a row per person enrolled. The functions name the columns that they read.
"""
