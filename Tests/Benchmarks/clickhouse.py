#!/usr/bin/env python3
"""Load ten million records into the tables of examples/clickhouse with chdb, run the example's queries, and report times.

usage: clickhouse.py LOG_PARSER [--records N] [--copies N] [--into README]

A log of N records is generated, read by the log parser, and loaded as its NDJSON. The rest are copies of these rows in the
engine, each of another sandbox and day, so that partitions and dictionaries grow as they would in a store. --into replaces
what is between the marks of the example's README.
"""

import argparse
import datetime
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile
import time

from chdb import session

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLE = HERE.parent.parent / "examples" / "clickhouse"
QUERIES = ["errors", "start-times", "losses"]
MARKS = ("<!-- figures: begin -->", "<!-- figures: end -->")


def statements(name: str, **values: str) -> list[str]:
    text = (EXAMPLE / f"{name}.sql").read_text()
    for key, value in values.items():
        text = text.replace(f"{{{key}:String}}", f"'{value}'")
    return [statement for statement in text.split(";\n") if statement.strip()]


def timed(work) -> tuple[float, float]:
    """Seconds by the clock, and of all processors together: another load on the machine changes the first more."""
    start, before = time.monotonic(), os.times()
    work()
    return time.monotonic() - start, sum(os.times()[:4]) - sum(before[:4])


def row(step: str, count: int, taken: tuple[float, float]) -> str:
    return f"| {step} | {taken[0]:.2f} s | {taken[1]:.2f} s | {count / max(taken[1], 0.01):,.0f} |"


def machine() -> str:
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text()).group(1)) // 1024
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    return (f"{model.group(1) if model else platform.machine()}, {os.cpu_count()} processors, {memory:,} MiB of memory, "
            f"Linux {platform.release()}; load before: {load}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("log_parser")
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--copies", type=int, default=9)
    parser.add_argument("--into", type=pathlib.Path)
    arguments = parser.parse_args()
    where = machine()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as folder:
        work = pathlib.Path(folder)
        log, records = work / "kata.log", work / "records.ndjson"
        with log.open("wb") as out:
            subprocess.run([sys.executable, HERE / "generate-log.py", str(arguments.records)], stdout=out, check=True)
        reading = timed(lambda: subprocess.run(
            [arguments.log_parser, "--output-format", "ndjson", "--output-file", records, log], check=True))
        size = records.stat().st_size
        engine = session.Session(str(work / "database"))
        for statement in statements("tables"):
            engine.query(statement)
        loading = timed(lambda: [engine.query(statement) for statement in statements("load-logs", file=str(records))])
        # The generated log has no starts of the Go runtime: each sandbox gets the three records of one.
        engine.query("""INSERT INTO otel_logs (Timestamp, ServiceName, Body, ResourceAttributes)
            SELECT began + toIntervalMillisecond(cityHash64(sandbox, step.1) % 500 + step.2), 'kata', step.1,
                map('kata.sandbox.id', sandbox)
            FROM (SELECT ResourceAttributes['kata.sandbox.id'] AS sandbox, min(Timestamp) AS began FROM otel_logs GROUP BY sandbox)
            ARRAY JOIN [('VM started', 0), ('Agent started in the sandbox', 500), ('Sandbox is started', 1000)] AS step
            WHERE sandbox != ''""")
        engine.query("CREATE TABLE first ENGINE = MergeTree ORDER BY Timestamp AS SELECT * FROM otel_logs")
        days = int(str(engine.query("SELECT dateDiff('day', min(Timestamp), max(Timestamp)) + 1 FROM first", "TSV")))
        copy = """INSERT INTO otel_logs SELECT * REPLACE (Timestamp + toIntervalDay({days}) AS Timestamp,
            mapApply((name, value) -> (name, if(name = 'kata.sandbox.id', concat(value, '-{n}'), value)), ResourceAttributes)
            AS ResourceAttributes) FROM first"""
        copying = timed(lambda: [
            engine.query(copy.format(n=n, days=days * n)) for n in range(1, arguments.copies + 1)])
        rows = int(str(engine.query("SELECT count() FROM otel_logs", "TSV")))
        sandboxes = int(str(engine.query("SELECT uniqExact(ResourceAttributes['kata.sandbox.id']) FROM otel_logs", "TSV")))
        disk = int(str(engine.query("SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table = 'otel_logs'", "TSV")))
        lines = [
            f"Measured {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC on {where}; "
            f"chdb with ClickHouse {str(engine.query('SELECT version()', 'TSV')).strip()}.", "",
            "| step | time | processor time | rows per processor-second |", "|---|---|---|---|",
            row(f"`kata-log-parser --output-format ndjson`, {arguments.records:,} records", arguments.records, reading),
            row(f"`load-logs.sql`, their {size / 1e6:,.0f} MB", arguments.records, loading),
            row(f"copies of these rows in the engine, to {rows:,} rows of {sandboxes:,} sandboxes", rows - arguments.records, copying),
        ]
        # Each run reads the rows: what an earlier one found out about them is not asked.
        engine.query("SET use_query_condition_cache = 0")
        for name in QUERIES:
            (statement,) = statements(name)
            answers = []
            taken = sorted(timed(lambda: answers.append(engine.query(statement, "JSONEachRow"))) for _ in range(3))
            lines.append(row(f"`{name}.sql`, the median of 3", rows, taken[1]))
            print(f"{name}: {str(answers[0])[:300]}", file=sys.stderr)
        lines += ["", f"The rows take {disk / 1e6:,.0f} MB on disk, {disk / rows:.1f} bytes a row."]
        engine.close()
    text = "\n".join(lines)
    if arguments.into is None:
        print(text)
        return
    readme = arguments.into.read_text()
    before, rest = readme.split(MARKS[0])
    arguments.into.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{rest.split(MARKS[1])[1]}")


if __name__ == "__main__":
    main()
