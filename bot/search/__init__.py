"""On-demand search: an index of every paper that was seen or remembered. A view on Redis that can be rebuilt."""
