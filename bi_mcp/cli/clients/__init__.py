"""The assistants that bi-mcp adds itself to, and their files."""
