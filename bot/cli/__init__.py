"""The operator's commands: maintenance, backfill, doctor, status."""
