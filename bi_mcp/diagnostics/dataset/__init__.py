"""Checks of a dataset beside the table behind it."""
