"""Values and errors that every other part speaks of. Imports nothing of ours."""
