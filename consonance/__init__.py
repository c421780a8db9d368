"""consonance: what the command line drives. See README.md, "Where things are"."""
