"""Pictures in, 48×48 faces out. The only room that knows facenet-pytorch and OpenCV."""
