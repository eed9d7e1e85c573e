"""A double of Discord on the wire, for what SimCord leaves out: REST with nonces, rate limits and lost answers
(`service`), the gateway with identify, resume and reconnect (`gateway`), and a judge of requests (`openapi`)."""
