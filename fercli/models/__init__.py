"""Networks: the architectures, the catalogue that builds them by name, and their weights."""
