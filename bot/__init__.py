"""Paperboy's core: detects papers, matches them and hands cards to platforms, of which it knows none."""
