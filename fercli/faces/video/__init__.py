"""Reading videos frame by frame, tracking faces, detecting cuts, and writing mp4 files."""
