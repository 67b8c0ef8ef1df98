"""Predictions in, figures and plots out. Knows no torch, no data set, no network."""
