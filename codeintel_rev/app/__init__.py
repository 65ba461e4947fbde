"""Composition: concrete stores meet ports here."""
