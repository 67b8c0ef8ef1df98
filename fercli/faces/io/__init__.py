"""Pictures in: files, folders, archives and lists of paths, found and decoded to RGB pixels."""
