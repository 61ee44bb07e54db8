"""A process that appends to a journal. Started as a script: appending.py PATH NAME COUNT"""

from __future__ import annotations

import sys
from pathlib import Path

from bi_mcp.history.journal import Journal

journal = Journal(Path(sys.argv[1]), most_bytes=20_000, kept=50)
for number in range(int(sys.argv[3])):
    journal.append([{"by": sys.argv[2], "number": number, "text": "x" * 200}])
