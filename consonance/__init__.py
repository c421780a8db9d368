"""The command line: parses, reports, and leaves the work to the packages below it."""
