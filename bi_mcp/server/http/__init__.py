"""Serving a team over HTTP: rules for starting, access, health, an orderly end, and what replicas share.

Loaded only by `bi-mcp serve --http`.
"""
