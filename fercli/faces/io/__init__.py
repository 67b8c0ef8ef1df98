"""Finding pictures and videos in files, folders, archives and lists, and reading pictures as RGB pixels."""
