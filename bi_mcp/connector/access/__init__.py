"""Access: which source a request may ask, by the settings that it carries."""
