"""What operators see: logs, metrics, error reports, progress."""
