"""Logging in to a Bitrix24 portal: OAuth, where tokens are kept, and how several processes share them."""
