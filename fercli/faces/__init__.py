"""Pictures in, 48×48 faces out. Only this package uses facenet-pytorch and OpenCV."""
