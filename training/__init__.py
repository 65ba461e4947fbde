"""Rebuilds the files in codeintel_rev/data from public packages."""
