"""bi-mcp: Bitrix24 BI connections for assistants, terminals and Python."""

__version__ = "0.1.0"
