#!/usr/bin/env python3
"""Write random records in every format and read them back with other people's readers.

usage: fuzz-outputs.py BINARY SECONDS [SEED]

Each round makes records with hostile texts, gives them to the binary as JSON, and compares what jq, PyYAML, tomli, ElementTree (and
xmllint), csv and the tool's own logfmt reader get out of its output with what went in. What a format cannot hold is known: see
`shown` below. Exits with 1, and the seed, at the first difference.
"""
import base64
import csv
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree

import tomli
import yaml

PIECES = ["a", "B", "0", " ", "  ", "\t", "\n", "\r", "\r\n", "\x00", "\x01", "\x1b[31m", "\x7f", "\x85", "\xa0", "\u2028", "\u2029",
          "\ufeff", "\ufffd", "\ufffe", "\uffff", "\U0001f600", "\U0010ffff", "é", "e\u0301", '"', "'", "\\", "\\x41", "\\\\x", "\\u0041", "<", ">", "&", "]]>", "<!--",
          "%", "#", ": ", "- ", "? ", "=", ",", ";", "{", "}", "[", "]", "*", "!", "!!binary", "|", "`", "@", "~", "null", "true", "yes", "NO", "0x1f",
          "1e3", ".inf", "1:30", "2022-02-30", "2022-02-03T08:05:22Z", "0b_", "<<", "-", "---", "...", "long " * 30, "x" * 100]
KEYS = ["k", "key.dot", "a b", "0day", "xml", "é", "", "-", "_", "a:b", "a=b", 'a"b', "CODE_FILE", "yes", "1", "~", "level2", "\n", "<", "y"]
KNOWN = ["msg", "level", "source", "name", "sandbox", "container"]


def text(rng):
    value = "".join(rng.choice(PIECES) for _ in range(rng.choice([0, 1, 1, 2, 3, 6])))
    # The two texts that YAML 1.1 gives a meaning of their own and that the drop-in's exact output leaves without quotes.
    return value + "x" if value in ("=", "<<") else value


def record(rng, number):
    fields = {}
    for _ in range(rng.randrange(5)):
        fields[rng.choice(KEYS) + rng.choice(["", "", str(rng.randrange(3))])] = text(rng)
    known = {name: text(rng) for name in KNOWN}
    for name in ("level", "source", "name"):
        known[name] = rng.choice(["info", "w\u00e4rn", "a&b", "<x>", "'q'", "null", "1"])
    known["msg"] = known["msg"] or "m"
    nanoseconds = rng.choice([0, 1, 500_000_000, 999_999_999, rng.randrange(10**9)])
    stamp = "2026-03-05T05:%02d:%02d" % (number // 60 % 60, number % 60)
    if nanoseconds:
        stamp += (".%09d" % nanoseconds).rstrip("0")
    return {"known": known, "fields": fields, "time": stamp + "Z", "pid": rng.randrange(1, 2**31)}


def source_line(r):
    # Fields as nested members would get other names, so keys are top-level ones.
    members = dict(r["known"])
    members["time"] = r["time"]
    members["pid"] = r["pid"]
    members.update(r["fields"])
    return json.dumps(members, ensure_ascii=True)


def run(binary, *arguments, data=None):
    done = subprocess.run([binary, *arguments], input=data, capture_output=True)
    if done.returncode != 0:
        raise SystemExit("exit %d of %s: %s" % (done.returncode, arguments, done.stderr.decode("utf-8", "replace")))
    return done.stdout


def expect(format, records, got, shown=lambda t: t):
    if len(records) != len(got):
        raise AssertionError("%s: %d records became %d" % (format, len(records), len(got)))
    for number, (r, g) in enumerate(zip(records, got)):
        wanted = {name: shown(value) for name, value in r["known"].items()}
        wanted["data"] = {shown(k): shown(v) for k, v in r["fields"].items()}
        wanted["pid"] = r["pid"]
        for name, value in wanted.items():
            if g[name] != value:
                raise AssertionError("%s, record %d, %s: %r became %r" % (format, number + 1, name, value, g[name]))


def lower(entry):
    return {"msg": entry["Msg"], "level": entry["Level"], "source": entry["Source"], "name": entry["Name"],
            "sandbox": entry["Sandbox"], "container": entry["Container"], "pid": int(entry["Pid"]), "data": entry["Data"]}


def xml_text(value):
    """XML 1.0 has no control characters but three, no U+FFFE and U+FFFF."""
    return "".join(c if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff") else "\ufffd" for c in value)


def xml_entry(element):
    entry = {child.tag: child.text or "" for child in element if child.tag != "Data"}
    entry["Data"] = {c.get("name") if c.tag == "field" and c.get("name") is not None else c.tag: c.text or ""
                     for c in element.find("Data")}
    return lower(entry)


def go_map(fields):
    return "map[" + " ".join(k + ":" + v for k, v in sorted(fields.items(), key=lambda i: i[0].encode())) + "]"


def stated(entry):
    """The entry without what the tool inferred of it, which it marks."""
    for part in entry["data"].pop("kata-log-parser-inferred", "").split(","):
        if part in ("sandbox", "container"):
            entry[part] = ""
    return entry


def check(binary, folder, rng):
    records = [record(rng, number) for number in range(40)]
    path = os.path.join(folder, "in.json")
    with open(path, "w", encoding="utf-8") as out:
        out.write("".join(source_line(r) + "\n" for r in records))
    read = ["--ignore-missing-fields", "--output-format"]

    document = run(binary, *read, "json", path)
    entries = json.loads(document)["Entries"]
    expect("json", records, [lower(e) for e in entries])
    jq = subprocess.run(["jq", "-c", ".Entries[]"], input=document, capture_output=True, check=True).stdout
    expect("json by jq", records, [lower(json.loads(line)) for line in jq.splitlines()])

    lines = run(binary, *read, "ndjson", path).decode().split("\n")
    assert lines.pop() == ""
    flat = []
    for line in lines:
        members = json.loads(line)
        entry = {name: members.pop(name, "") for name in KNOWN}
        entry["pid"] = members.pop("pid", 0)
        for name in ("time", "file", "line", "count", "delta"):
            members.pop(name)
        entry["data"] = members
        flat.append(entry)
    expect("ndjson", records, [stated(e) for e in flat])

    plain = yaml.safe_load(run(binary, *read, "yaml", path))["entries"]
    def yaml_text(value):
        return value.decode() if isinstance(value, bytes) else value
    for e in plain:
        e["data"] = {yaml_text(k): yaml_text(v) for k, v in e["data"].items()}
        for name in KNOWN:
            e[name] = yaml_text(e[name])
    expect("yaml", records, plain)

    tables = tomli.loads(run(binary, *read, "toml", path).decode())["Entries"]
    expect("toml", records, [lower(e) for e in tables])

    document = run(binary, *read, "xml", path)
    subprocess.run(["xmllint", "--noout", "--huge", "-"], input=document, check=True)
    expect("xml", records, [xml_entry(e) for e in ElementTree.fromstring(document).findall("Entries")], xml_text)

    rows = list(csv.DictReader(io.StringIO(run(binary, *read, "csv", path).decode(), newline="")))
    if len(rows) != len(records):
        raise AssertionError("csv: %d records became %d" % (len(records), len(rows)))
    for r, row in zip(records, rows):
        for name, value in (("Msg", r["known"]["msg"]), ("Data", go_map(r["fields"])), ("Sandbox", r["known"]["sandbox"])):
            if row[name] != value:
                raise AssertionError("csv, %s: %r became %r" % (name, value, row[name]))

    # Our own reader refuses what is not printable: so only records that it takes are compared.
    printable = [r for r in records if all(ok(v) and ok(k) for k, v in [*r["fields"].items(), *r["known"].items()])
                 and all(k and not any(c in k for c in ' ="\n') for k in r["fields"])]
    with open(path, "w", encoding="utf-8") as out:
        out.write("".join(source_line(r) + "\n" for r in printable))
    if printable:
        again = os.path.join(folder, "again.log")
        with open(again, "wb") as out:
            out.write(run(binary, *read, "logfmt", path))
        entries = json.loads(run(binary, *read, "json", "--no-agent-unpack", again))["Entries"]
        for e in entries:
            e["Data"] = {k: v for k, v in e["Data"].items()}
        expect("logfmt", printable, [stated(lower(e)) for e in entries])


def ok(value):
    return all((c.isprintable() or c in "\t\n\r") and c != "\ufffd" and c != "\xa0" for c in value) and "%" not in value


def main():
    binary, seconds = sys.argv[1], float(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.SystemRandom().randrange(2**32)
    end = time.monotonic() + seconds
    rounds = 0
    with tempfile.TemporaryDirectory() as folder:
        while rounds == 0 or time.monotonic() < end:
            try:
                check(binary, folder, random.Random(seed))
            except (AssertionError, ValueError, KeyError, subprocess.CalledProcessError, yaml.YAMLError,
                    ElementTree.ParseError, csv.Error) as error:
                print("seed %d: %s" % (seed, error))
                return 1
            seed += 1
            rounds += 1
    print("%d rounds of 40 records, 8 readers" % rounds)
    return 0


sys.exit(main())
