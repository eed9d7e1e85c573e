"""The loops that take a paper from its source to a channel."""
