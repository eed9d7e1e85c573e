"""A simulated world in which papers appear and upstreams fail, on a clock that runs as fast as possible."""
