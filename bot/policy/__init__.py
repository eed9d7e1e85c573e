"""Pure decisions: which papers go into which message and when, and how to handle failures. No I/O, no clock."""
