"""What each command does, callable from Python with plain arguments."""
