"""The application that the server and the commands share: its portals, secrets and confirmations. Knows no MCP."""
