"""CPU seconds and peak memory of a process that loads a CSV of a million rows and twelve columns: `python -m benchmarks.file_load`."""

from __future__ import annotations

import csv
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROWS = 1_000_000
NAMES = [
    "id",
    "day",
    "moment",
    "carrier",
    "origin",
    "dest",
    "distance",
    "delay",
    "price",
    "note",
    "flag",
    "ratio",
]


def write_table(file: Path) -> None:
    """Write the same table each time."""
    chance = random.Random(1)  # noqa: S311 - nothing secret
    with file.open("w", newline="", encoding="utf-8") as opened:
        table = csv.writer(opened)
        table.writerow(NAMES)
        for number in range(ROWS):
            day = f"2024-{number % 12 + 1:02}-{number % 28 + 1:02}"
            moment = f"{day} {number % 24:02}:{number % 60:02}:00"
            delay = chance.choice(["", chance.randint(-20, 200)])
            numbers = [chance.randint(100, 3000), delay, f"{chance.random() * 1000:.2f}"]
            texts = [f"some text here {number}", "true", f"{chance.random():.6f}"]
            table.writerow(
                [number, day, moment, chance.choice(["UA", "AA", "B6"]), "JFK", "LAX", *numbers, *texts]
            )


def load(file: Path) -> None:
    """Load the table in this process and print what it took."""
    from bi_mcp.connector.files import open_files
    from bi_mcp.connector.options import SourceOptions

    begun = time.process_time()
    source = open_files(file, SourceOptions())
    (table,) = source.tables()
    columns = source.columns(table)
    spent = time.process_time() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    source.close()
    print(f"{len(columns)} columns, {spent:.1f} CPU seconds, peak of the process {peak:.0f} MB")


def main() -> None:
    if sys.argv[1:]:
        load(Path(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "table.csv"
        write_table(file)
        subprocess.run([sys.executable, "-m", "benchmarks.file_load", str(file)], check=True)  # noqa: S603 - our own module


if __name__ == "__main__":
    main()
