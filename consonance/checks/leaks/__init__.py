"""What the leak scan is made of.

``sought`` says what is searched for, ``places`` where, ``contents`` reads files whatever their suffix or packing,
``tokens`` finds whole tokens in a text.
"""
