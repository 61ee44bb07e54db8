"""Logging in to a Bitrix24 portal: OAuth, and the stores of tokens, which several processes share."""
