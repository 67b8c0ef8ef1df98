"""What `fer train` does: a face set and a recipe in, a run folder out."""
