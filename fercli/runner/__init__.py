"""Run independent tasks whose results are files: in this process, in several, or on a Ray cluster."""
