"""The terminal as a channel: a first session, the demo and its sample papers."""
