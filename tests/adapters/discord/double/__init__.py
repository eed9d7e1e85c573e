"""Discord at the level of the wire: what SimCord leaves out. REST with nonces, buckets, limits and lost answers
(`service`), and the gateway with hello, identify, resume and reconnect (`gateway`)."""
