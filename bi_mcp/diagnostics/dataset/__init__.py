"""Checks of a dataset against the table behind it."""
