"""Labelled face sets: one loader a file, their splits, the cache. Knows nothing of networks."""
