"""What `fer predict` does: pictures in, a row a face out."""
