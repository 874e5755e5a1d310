"""What is measured, with which commands, and which bars it must clear: the one table that run-bench reads.

In commands, {parser} and {codecs} stand for the binaries under test, {log} for the generated log, {shuffled} for its lines
in random order, {part} for its first fifth, {part_shuffled} for that in random order, {part_0} to {part_4} for its records
dealt out to five files, {part_ndjson} for that fifth as NDJSON, {console}, {slog} and so on for as many records in other
shapes, {journal} for a journal file of 20,000 entries, {small} for a log of 40,000 records, {port} for the port of a sink,
{folder} for a temporary folder and {formats} for the repository's formats/.
"""
from typing import NamedTuple

ONE = "{parser} --threads 1 --temp-dir {folder} --output-format "


BINARIES = {"parser": "kata-log-parser", "forwarder": "kata-trace-forwarder", "codecs": "trace-benchmark"}


class Command(NamedTuple):
    """One command line. `reads` names the input whose bytes give its MB/s; `repeat` runs make one measurement."""
    name: str
    line: str
    reads: str = ""
    repeat: int = 1


# Each round of a group runs all of its commands once, and the next round runs them in reverse order.
GROUPS = {
    "formats": [
        Command("json", ONE + "json {log}", "log"),
        Command("csv", ONE + "csv {log}", "log"),
        Command("logfmt", ONE + "logfmt {log}", "log"),
        Command("ndjson", ONE + "ndjson {log}", "log"),
        Command("pretty", ONE + "pretty {log}", "log"),
        Command("text", ONE + "text {log}", "log"),
        Command("toml", ONE + "toml {log}", "log"),
        Command("xml", ONE + "xml {log}", "log"),
        Command("yaml", ONE + "yaml {log}", "log"),
        Command("check", "{parser} --threads 1 --check-only {log}", "log"),
        Command("json, two threads", "{parser} --threads 2 --output-format json {log}", "log"),
        Command("json, shuffled", ONE + "json {shuffled}", "log"),
        Command("wc -l", "wc -l {log}", "log"),
    ],
    "jq": [
        Command("json beside jq", ONE + "json {part}", "part"),
        Command("jq -c .", "jq -c . {part_ndjson}", "part"),
    ],
    "miller": [
        Command("json beside mlr", ONE + "json {part}", "part"),
        Command("mlr --idkvp --ojsonl cat", "mlr --idkvp --ojsonl cat {part}", "part"),
    ],
    "shapes": [
        Command("one sorted file", ONE + "ndjson {part}"),
        Command("five sorted files", ONE + "ndjson {part_0} {part_1} {part_2} {part_3} {part_4}"),
        Command("one unsorted file", ONE + "ndjson {part_shuffled}"),
        Command("console", ONE + "ndjson {console}"),
        Command("slog JSON", ONE + "ndjson {slog}"),
        Command("CRI", ONE + "ndjson {cri}"),
        Command("Docker", ONE + "ndjson {docker}"),
        Command("journalctl's text", "env -u TZ " + ONE + "ndjson {journalctl}"),
        Command("journalctl's text, with TZ", "env TZ=Europe/Berlin " + ONE + "ndjson {journalctl}"),
        Command("journal JSON", ONE + "ndjson {journal_json}"),
        Command("klog", "env -u TZ " + ONE + "ndjson {klog}"),
        Command("klog, with TZ", "env TZ=Europe/Berlin " + ONE + "ndjson {klog}"),
    ],
    "journal": [
        Command("journal to json", "{parser} --journal-file {journal} --output-format json"),
        Command("journalctl -o cat", "journalctl --file {journal} -o cat"),
        Command("journalctl -o json", "journalctl --file {journal} -o json"),
    ],
    "start": [
        Command("kata-log-parser --version", "{parser} --version", repeat=20),
        Command("/bin/true", "/bin/true", repeat=20),
    ],
}

# Records a second of each beside one sorted file of the runtime's own logfmt: as many records, so times compare.
LEAST_RATES = {"five sorted files": 0.6, "one unsorted file": 0.35} | {
    command.name: 0.4 for command in GROUPS["shapes"][3:]}

# The forwarder's groups, which forwarder.py runs: what each sample file holds, and what is written.
FRAMES = {
    "bincode": "agent-frames/agent-otel0.14-bincode.frames",
    "JSON": "agent-frames/agent-otel0.17-json.frames",
}
WRITTEN = ["none", "jaeger-json", "otlp-json", "otlp-protobuf", "jaeger-thrift"]
CODECS = "{codecs} {formats}/%s %s %d %s"


def codec_name(encoding, written, threads):
    """The name of a codec's series, as in `bincode to otlp-json, 2 threads`."""
    return "%s to %s%s" % (encoding, written, "" if threads == 1 else ", %d threads" % threads)


# What is delivered, and how the sink takes it; the first goes to no sink and is what the others are measured by.
DELIVERIES = {
    "ndjson": (ONE + "ndjson {log}", None),
    "fluentd": (ONE + "fluentd --endpoint tcp://127.0.0.1:{port} {log}", "forward"),
    "fluentd, --no-redact": (ONE + "fluentd --no-redact --endpoint tcp://127.0.0.1:{port} {log}", "forward"),
    "otlp": (ONE + "otlp --endpoint http://127.0.0.1:{port} {log}", "otlp"),
    "otlp, --no-redact": (ONE + "otlp --no-redact --endpoint http://127.0.0.1:{port} {log}", "otlp"),
}
DELIVERIES = {"delivery: " + name: way for name, way in DELIVERIES.items()}
AWAY = "memory of %s, receiver away"


OTHER_GROUPS = {
    "follow": ["follow"],
    "delivery": list(DELIVERIES) + [AWAY % "delivery: fluentd", AWAY % "delivery: otlp"],
    "codecs": [codec_name(encoding, written, threads) for encoding in FRAMES for written in WRITTEN for threads in (1, 2)],
    "python-json": ["decode JSON frames", "json.loads"],
    "relay": ["relay, 1 agent", "relay, 64 agents"],
    "memory": ["idle memory", "memory growth"],
}
GROUP_OF = {command.name: group for group, commands in GROUPS.items() for command in commands} | {
    name: group for group, names in OTHER_GROUPS.items() for name in names}


def binary_of(group):
    """The role of the binary that a group measures."""
    return {"codecs": "codecs", "python-json": "codecs", "relay": "forwarder", "memory": "forwarder"}.get(group, "parser")


# Compared with `--base`: instructions of one thread on small inputs (cachegrind), wall time on the large ones (the commands
# above that begin with {parser}).
INSTRUCTIONS = [Command(name, ONE + name + " {small}") for name in
                ("json", "csv", "logfmt", "ndjson", "pretty", "text", "toml", "xml", "yaml")] + [
    Command("check", "{parser} --threads 1 --check-only {small}"),
    Command("json, shuffled", ONE + "json {small_shuffled}"),
    Command("json from ndjson", ONE + "json {small_ndjson}"),
] + [Command(codec_name(encoding, written, 1), CODECS % (path, written, 1, "20x"))
     for encoding, path in FRAMES.items() for written in WRITTEN]
MOST_INSTRUCTIONS = 1.01
MOST_WALL_TIME = 1.02


class Bar(NamedTuple):
    """A figure and its limit. With `to`, the figure is the paired ratio of two series; otherwise `field` of one series."""
    text: str
    of: str
    sign: str
    limit: float
    to: str = ""
    field: str = "values"


def bars(records):
    """All bars, for a log of so many records."""
    listed = [
        Bar("time of jq -c . / json", "jq -c .", ">=", 30, "json beside jq"),
        Bar("time of json / wc -l", "json", "<=", 12, "wc -l"),
        Bar("time of one thread / two threads", "json", ">=", 1.7, "json, two threads"),
        Bar("time of --check-only / json", "check", "<=", 1, "json"),
    ]
    for name in ("csv", "logfmt", "ndjson", "pretty", "text", "toml", "xml", "yaml"):
        listed.append(Bar("time of %s / json" % name, name, "<=", 1.5, "json"))
    for name, least in LEAST_RATES.items():
        listed.append(Bar("rate of %s / one sorted file" % name, "one sorted file", ">=", least, name))
    return listed + [
        Bar("peak memory of sorted input, MiB", "json", "<=", 32, field="peak_mib"),
        Bar("peak memory of shuffled input, MiB", "json, shuffled", "<=", 32 + 48 * records / 2**20, field="peak_mib"),
        Bar("time of journal to json / journalctl -o cat", "journal to json", "<=", 2.5, "journalctl -o cat"),
        # Files are looked through for damage before they are read, which journalctl does not do.
        Bar("time of journalctl -o json / journal to json", "journalctl -o json", ">=", 2.5, "journal to json"),
        Bar("time of --version / /bin/true", "kata-log-parser --version", "<=", 3, "/bin/true"),
        Bar("from journald to a follower's output, ms", "follow", "<=", 50),
        Bar("rate of fluentd to a sink / ndjson", "delivery: fluentd", ">=", 0.5, "delivery: ndjson"),
        Bar("rate of otlp to a sink / ndjson", "delivery: otlp", ">=", 0.3, "delivery: ndjson"),
        Bar("rate of fluentd to a sink / with --no-redact", "delivery: fluentd", ">=", 0.75, "delivery: fluentd, --no-redact"),
        Bar("rate of otlp to a sink / with --no-redact", "delivery: otlp", ">=", 0.75, "delivery: otlp, --no-redact"),
        Bar("memory of fluentd, its receiver away, MiB", AWAY % "delivery: fluentd", "<=", 24),
        Bar("memory of otlp, its receiver away, MiB", AWAY % "delivery: otlp", "<=", 24),
        Bar("bincode to Jaeger JSON, spans/s", codec_name("bincode", "jaeger-json", 1), ">=", 400_000),
        Bar("bincode to OTLP JSON, spans/s", codec_name("bincode", "otlp-json", 1), ">=", 400_000),
        Bar("JSON to Jaeger JSON, spans/s", codec_name("JSON", "jaeger-json", 1), ">=", 150_000),
        Bar("JSON to OTLP JSON, spans/s", codec_name("JSON", "otlp-json", 1), ">=", 150_000),
        Bar("rate of decoding JSON frames / Python's json.loads", "decode JSON frames", ">=", 3, "json.loads"),
        Bar("rate of 64 agents / one agent", "relay, 64 agents", ">=", 0.8, "relay, 1 agent"),
        Bar("idle memory, MiB", "idle memory", "<=", 15),
        Bar("memory without a collector, MiB, all spans - a tenth", "memory growth", "<=", 2),
    ]
