"""Pictures of messages as people see them, rendered from the real payloads: `make pictures`."""
