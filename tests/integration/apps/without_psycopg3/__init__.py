"""A folder to put in front of the others on the path."""
