"""`python -m bi_mcp` is `bi-mcp`."""

from __future__ import annotations

from bi_mcp.cli import main

main()
