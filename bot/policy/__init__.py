"""Pure decisions: what goes into which message and when, what a failure means. No I/O, no clock."""
