"""Thin shells over the pipeline's functions."""
