"""Videos: read as frames with times, faces tracked from frame to frame, cuts detected, mp4 files written."""
