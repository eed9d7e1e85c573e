"""The files that operators start from: parsed, linted and, as far as a test can, run."""
