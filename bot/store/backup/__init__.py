"""Export of all state as JSON lines, and its import."""
