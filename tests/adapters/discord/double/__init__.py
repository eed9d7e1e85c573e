"""A double of Discord on the wire, for features that SimCord lacks: REST with nonces, rate limits and lost answers
(`service`), the gateway with identify, resume and reconnect (`gateway`), and a judge of requests (`openapi`)."""
