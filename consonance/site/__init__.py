"""What people read in a browser or print: the docs site and the templates of every page."""
