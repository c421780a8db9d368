"""The command line: commands, and how they print. The work is done by the packages beside it."""
