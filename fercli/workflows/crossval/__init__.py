"""What `fer crossval` does: folds of a face set, one run folder each, pooled into the papers' tables."""
