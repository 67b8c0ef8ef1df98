"""Fit a network to a face set: augmentation, optimisers and schedules, device and precision, the loop."""
