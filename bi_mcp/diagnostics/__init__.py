"""Checks as small functions that return findings. They read, and never write."""
