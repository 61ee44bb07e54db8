"""Signing in: the OAuth server for MCP clients, and the pages for people."""
