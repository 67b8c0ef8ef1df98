"""A record of what the program does, to hold a refactoring against: see `__main__`."""
