"""What `fer predict` does: pictures and videos in, a row a face out."""
