"""What `fer data check` does: a face set in, what is wrong with it out."""
