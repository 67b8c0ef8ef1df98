"""The face detector: MTCNN (Zhang et al. 2016), batched over many pictures, with facenet-pytorch's networks."""
