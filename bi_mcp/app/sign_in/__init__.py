"""People who sign in to a hosted server with Bitrix24: their clients, their portal logins, and where both are kept. Knows no MCP."""
