"""Applications as people write them: not a word of greenpg in them, the server by libpq's own variables."""
