"""What Paperboy answers over HTTP: probes, metrics, a front page, and whatever platforms mount."""
