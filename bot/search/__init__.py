"""On-demand search: an index of all stored papers. It can be rebuilt from Redis."""
