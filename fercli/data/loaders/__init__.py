"""Ready to be filled."""
