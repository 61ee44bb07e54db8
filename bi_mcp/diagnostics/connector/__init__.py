"""Checks of a connector's four endpoints."""
