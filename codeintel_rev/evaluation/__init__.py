"""Retrieval quality: data sets, ranking metrics and the runner."""
