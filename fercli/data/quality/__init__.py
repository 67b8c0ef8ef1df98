"""How good a face set is: duplicates, leaks between splits, contact sheets to look at, corruptions to measure with."""
