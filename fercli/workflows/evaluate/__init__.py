"""What `fer eval` does: a trained network and a face set in, figures out."""
