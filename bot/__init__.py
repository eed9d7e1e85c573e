"""Paperboy's core: detects papers, matches them and passes cards to platforms. It imports no platform."""
