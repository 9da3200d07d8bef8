"""A conversation with each version of each vendor client, against a double."""
