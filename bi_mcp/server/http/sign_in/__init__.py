"""Signing in with Bitrix24: an OAuth 2.1 authorization server for clients, and the pages that people see."""
