"""The files that operators deploy with: parsed, linted and, as far as possible, run."""
