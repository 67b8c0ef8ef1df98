"""What `fer export` does: a trained network in, a file out that runs without this program."""
