"""A campaign of faults: damaged files, kills, full disks and races, see `__main__`."""
