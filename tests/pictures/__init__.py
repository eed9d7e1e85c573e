"""Pictures of messages as people see them, made of what is really sent: `make pictures`."""
