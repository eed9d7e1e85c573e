"""HTTP: probes, metrics, the front page, and the pages that platforms mount."""
