"""A file of 10 MiB as a data URL, in and out."""
