"""Networks as files that run without this program: written, quantised, and compared with the original."""
