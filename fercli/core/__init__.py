"""What every room stands on: errors, labels, the registry, the catalogue's schema, files. Imports no other room."""
