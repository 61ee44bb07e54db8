"""Secrets: private files, the keyring, named secrets, references to them, and where they may travel."""
