#!/usr/bin/env python3
"""Work out what sandboxes cost on nodes and behind them, from recorded runs and measured rates.

usage: at-scale.py LOG_PARSER TRACE_FORWARDER [--starts N] [--into README]

The sizes are those of one container's run, from create to delete, with debug logging and tracing on: the logs, spans and
frames in Tests/RealRuns, put through both tools. The rates are the figures in Tests/Benchmarks/README.md and
examples/clickhouse/README.md. How many sandboxes start is the one assumption: --starts a day on each node. --into replaces
what is between the marks of a file.
"""

import argparse
import gzip
import http.server
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
RUNS = REPOSITORY / "Tests" / "RealRuns"
MARKS = ("<!-- scale: begin -->", "<!-- scale: end -->")
DAY = 86_400
NODES = (1, 100, 10_000)
# The forwarder's defaults, from its --help: the disk that the spool may take, and what queries know.
SPOOL = 1 << 30
QUERY_SPANS = 400_000
# journald's default, from journald.conf(5): messages of one service in 30 seconds.
JOURNAL_BURST, JOURNAL_INTERVAL = 10_000, 30


def figure(path: pathlib.Path, pattern: str) -> float:
    match = re.search(pattern, path.read_text())
    if match is None:
        raise SystemExit(f"at-scale: {path} has no figure like {pattern!r}: measure it first")
    return float(match.group(1).replace(",", ""))


def logs(log_parser: str) -> dict[str, int]:
    inputs = [RUNS / "full-run.devlog", RUNS / "console.log"]
    output = subprocess.run([log_parser, "--output-format", "ndjson", *inputs], check=True, capture_output=True).stdout
    return {
        "records": output.count(b"\n"), "log bytes": sum(path.stat().st_size for path in inputs), "ndjson": len(output),
        "ndjson gzip": len(gzip.compress(output, 6, mtime=0)),
    }


class Collector(http.server.BaseHTTPRequestHandler):
    sizes: list[int] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Collector.sizes.append(len(body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def run(forwarder: str, folder: str, *options: str) -> tuple[subprocess.Popen, str]:
    """Start a forwarder on a spool in the folder; returns it and the address of its metrics or receiver."""
    log = open(os.path.join(folder, "log"), "w+")
    process = subprocess.Popen(
        [forwarder, "--vsock=false", "--jaeger-receiver", "off", "--user", "root", "--spool-dir", os.path.join(folder, "spool"),
         "--metrics", "127.0.0.1:0", *options], stderr=log, stdout=subprocess.DEVNULL)
    while True:
        text = pathlib.Path(log.name).read_text()
        if "the forwarder is ready" in text:
            return process, text
        if process.poll() is not None:
            raise SystemExit(f"at-scale: the forwarder ended: {text}")
        time.sleep(0.05)


def metric(address: str, name: str) -> float:
    with urllib.request.urlopen(f"http://{address}/metrics") as answer:
        text = answer.read().decode()
    return sum(float(value) for value in re.findall(rf"(?m)^kata_forwarder_{name}(?:\{{.*\}})? (\S+)$", text))


def wait_for(address: str, name: str, value: int) -> None:
    deadline = time.monotonic() + 120
    while metric(address, name) < value:
        if time.monotonic() > deadline:
            raise SystemExit(f"at-scale: {name} is {metric(address, name):.0f} after 120 s, not {value}")
        time.sleep(0.05)


def shim_spans() -> bytes:
    """The shim's spans, which are recorded as Jaeger's JSON, as an OTLP request."""
    trace = json.loads((RUNS / "full-run.jaeger.json").read_text())["data"][0]
    spans = []
    for span in trace["spans"]:
        parents = [reference["spanID"] for reference in span["references"]]
        spans.append({
            "traceId": span["traceID"].rjust(32, "0"), "spanId": span["spanID"].rjust(16, "0"), "name": span["operationName"],
            **({"parentSpanId": parents[0].rjust(16, "0")} if parents else {}), "kind": 1,
            "startTimeUnixNano": str(span["startTime"] * 1000),
            "endTimeUnixNano": str((span["startTime"] + span["duration"]) * 1000),
            "attributes": [{"key": tag["key"], "value": {"stringValue": str(tag["value"])}} for tag in span["tags"]],
        })
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "kata"}}]}
    return json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}).encode()


def spans(forwarder: str) -> dict[str, int]:
    with tempfile.TemporaryDirectory() as folder:
        process, text = run(
            forwarder, folder, "--socket-path", os.path.join(folder, "agents.sock"), "--otlp-receiver", "127.0.0.1:0",
            "--otlp-endpoint", "http://127.0.0.1:9", "--stop-timeout", "100ms")
        metrics, otlp = (re.search(rf"\b{name}=(\S+)", text).group(1) for name in ("metrics", "otlp"))
        frames = (RUNS / "full-run.frames").read_bytes()
        with socket.socket(socket.AF_UNIX) as agent:
            agent.connect(os.path.join(folder, "agents.sock_10240"))
            agent.sendall(frames)
        body = shim_spans()
        request = urllib.request.Request(f"http://{otlp}/v1/traces", body, {"Content-Type": "application/json"})
        urllib.request.urlopen(request).close()
        expected = frame_count(frames) + body.count(b'"spanId"')
        wait_for(metrics, "spool_appended_spans_total", expected)
        spool = int(metric(metrics, "exporter_lag_bytes"))
        process.send_signal(signal.SIGTERM)
        process.wait()
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        process, text = run(forwarder, folder, "--otlp-receiver", "off", "--otlp-endpoint", f"http://127.0.0.1:{server.server_port}")
        metrics = re.search(r"\bmetrics=(\S+)", text).group(1)
        wait_for(metrics, "spans_exported_total", expected)
        process.send_signal(signal.SIGTERM)
        process.wait()
        server.shutdown()
    return {"spans": expected, "agent spans": frame_count(frames), "frames": len(frames), "spool": spool, "otlp": sum(Collector.sizes)}


def frame_count(frames: bytes) -> int:
    count = position = 0
    while position < len(frames):
        position += 8 + int.from_bytes(frames[position:position + 8], "big")
        count += 1
    return count


def size(value: float) -> str:
    for limit, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= limit:
            return f"{value / limit:,.1f} {unit}"
    return f"{value:,.0f} B"


def rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:,.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("log_parser")
    parser.add_argument("trace_forwarder")
    parser.add_argument("--starts", type=int, default=1000)
    parser.add_argument("--into", type=pathlib.Path)
    arguments = parser.parse_args()
    starts = arguments.starts
    one = {**logs(arguments.log_parser), **spans(arguments.trace_forwarder)}
    benchmarks, store = HERE / "README.md", REPOSITORY / "examples" / "clickhouse" / "README.md"
    read = 1e6 * figure(benchmarks, r"--output-format ndjson \{log\}` \| [\d.]+ s \| ([\d,]+)")
    shapes = figure(benchmarks, r"--output-format ndjson \{console\}` \| ([\d.]+) s") / figure(
        benchmarks, r"--output-format ndjson \{part\}` \| ([\d.]+) s")
    relay = figure(benchmarks, r"relay, 1 agent \| ([\d,]+) spans/s")
    load = figure(store, r"load-logs\.sql`[^|]*\|[^|]*\|[^|]*\| ([\d,]+)")
    row = figure(store, r"([\d.]+) bytes a row")
    reading = one["ndjson"] / (read / shapes)
    relaying = one["spans"] / relay
    lines = [
        f"One start, from create to delete: {one['records']} records in {size(one['log bytes'])} of logs, {one['spans']} spans, "
        f"{one['agent spans']} of them in {size(one['frames'])} of agents' frames.", "",
        f"| {starts:,} starts a day on each node | " + " | ".join(f"{nodes:,} node{'s' if nodes > 1 else ''}" for nodes in NODES) + " |",
        "|---|" + "---|" * len(NODES),
    ]

    def add(name: str, value, *, total: bool = True) -> None:
        lines.append(f"| {name} | " + " | ".join(value(starts * (nodes if total else 1)) for nodes in NODES) + " |")

    add("records a day", lambda n: f"{n * one['records']:,}")
    add("records a second, on average", lambda n: rate(n * one["records"] / DAY))
    add("ndjson a day", lambda n: size(n * one["ndjson"]))
    add("the same, compressed by gzip", lambda n: size(n * one["ndjson gzip"]))
    add(f"rows in ClickHouse a day, at {row:.1f} bytes", lambda n: size(n * one["records"] * row))
    add("processors that loading these rows takes", lambda n: f"{n * one['records'] / DAY / load:.3f}")
    add("spans a day", lambda n: f"{n * one['spans']:,}")
    add("spans a second, on average", lambda n: rate(n * one["spans"] / DAY))
    add("OTLP over the network a day", lambda n: size(n * one["otlp"]))
    add("on each node: processor time of reading, a day", lambda n: f"{n * reading:.1f} s", total=False)
    add("on each node: of relaying, a day", lambda n: f"{n * relaying:.1f} s", total=False)
    add("on each node: written to the spool a day", lambda n: size(n * one["spool"]), total=False)
    burst = JOURNAL_BURST / one["records"]
    outage = SPOOL / (starts * one["spool"] / DAY) / 3600
    window = QUERY_SPANS / (starts * one["spans"]) * 24
    ingest = load * 2 / (starts * one["records"] / DAY)
    day = {nodes: nodes * starts for nodes in NODES}
    many = day[NODES[2]]
    stored, arriving = many * one["records"] * row, many * (one["ndjson"] + one["otlp"]) / DAY
    lines += [
        "", "Limits, in the order in which they are reached:", "",
        f"1. **journald**: its default is {JOURNAL_BURST:,} messages of a service in {JOURNAL_INTERVAL} s. With debug logging, {burst:.0f} starts on a node within {JOURNAL_INTERVAL} s "
        "exceed it. `--stats` counts the suppressed messages; raise `RateLimitBurst=`.",
        f"2. **The page of traces**: queries cover {QUERY_SPANS:,} spans of one node, the last {window:.0f} hours. For a longer time or more nodes, use a collector with Jaeger or another store.",
        f"3. **The spool**: while the collector is unreachable, 1 GiB lasts {outage:.0f} hours. Then agents wait, or the oldest spans are deleted (`--spool-full`).",
        f"4. **One store**: two processors load the records of {ingest:,.0f} nodes into ClickHouse, without queries at the same time.",
        f"5. **A node's processor**: one is fully used at {1 / (relaying + reading):,.0f} starts a second.",
        "", "What to add:", "",
        "- One node needs nothing else: the journal, the log parser and the forwarder's page.",
        f"- {NODES[1]} nodes need one store: {rate(day[NODES[1]] * one['records'] / DAY)} records a second are {100 * day[NODES[1]] * one['records'] / DAY / load:.1f} % of what one processor loads.",
        f"- {NODES[2]:,} nodes send {size(arriving)} a second on average, uncompressed, and fill a disk of 10 TB with records in {10e12 / stored:.0f} days. They need the same tables "
        "on a cluster, behind a queue such as Kafka that evens out bursts.",
    ]
    text = "\n".join(lines)
    if arguments.into is None:
        print(text)
        return
    readme = arguments.into.read_text()
    before, rest = readme.split(MARKS[0])
    arguments.into.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{rest.split(MARKS[1])[1]}")


if __name__ == "__main__":
    main()
