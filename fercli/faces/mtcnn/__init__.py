"""The face detector: MTCNN (Zhang et al. 2016) over many pictures at once, with facenet-pytorch's networks."""
