#!/usr/bin/env python3
"""Check that every reader takes the names in our XML.

usage: check-xml-names.py BINARY SEED

Gives the binary a record for each one-letter key of the basic plane, and records with hostile keys and values, and reads its document
with expat, with and without namespaces, with libxml2 (xmllint), and keys and values back. Exits with 1 at the first difference.
"""
import json
import os
import random
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from xml.parsers import expat

PIECES = ["a", "Z", "_", "-", ".", "0", ":", "xml", "XmL", "xmlns", "field", "é", "ключ", "日本", "\u0300", "\u00b7", "\u3005", "\u0660", "\u2160",
          "\u1e00", "\u0131", "\u0132", "\u200c", "\u2028", "\ud7a3", "\ufdf0", "\ufffd", "\ufffe", "\uffff", "\U00010000", "\U0001f600", " ", "\n",
          "\t", "\r", "<", ">", "&", '"', "'", "=", "/", "!", "?", "]]>", "\x00", "\x01", "\x08", "\x0b", "\x1f", "\x7f", "\x85"]


def held(text):
    """What XML 1.0 can hold of a text."""
    return "".join(c if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff") else "\ufffd" for c in text)


def main():
    binary, seed = sys.argv[1], int(sys.argv[2])
    rng = random.Random(seed)
    fields = [{chr(value): "v"} for value in range(1, 0x10000) if not 0xd800 <= value < 0xe000]
    fields += [{prefix + chr(value): "v"} for value in (0xb7, 0x300, 0x387, 0x660, 0x3005, 0x203f) for prefix in ("a", "é")]
    fields += [{"n" * length: "v"} for length in (1000, 1024, 1025, 50_001)]
    for _ in range(4000):
        key = "".join(rng.choice(PIECES) for _ in range(rng.choice([1, 2, 3, 5])))
        fields.append({key: "".join(rng.choice(PIECES) for _ in range(rng.randrange(6)))})
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "in.json")
        with open(path, "w", encoding="utf-8") as out:
            for extra in fields:
                out.write(json.dumps({"time": "2026-03-05T05:01:54Z", "level": "info", "msg": "m", "source": "s", "name": "n", "pid": 1, **extra}) + "\n")
        run = subprocess.run([binary, "--output-format", "xml", path], capture_output=True)
        if run.returncode != 0:
            print(run.stderr.decode("utf-8", "replace"))
            return 1
    document = run.stdout
    for name, separator in (("expat", None), ("expat with namespaces", " ")):
        try:
            expat.ParserCreate(namespace_separator=separator).Parse(document, True)
        except expat.ExpatError as error:
            print("seed %d: %s: %s: %r" % (seed, name, error, document.split(b"\n")[error.lineno - 1]))
            return 1
    lint = subprocess.run(["xmllint", "--noout", "-"], input=document, capture_output=True)
    if lint.returncode != 0 or lint.stderr:
        print("seed %d: xmllint: %s" % (seed, lint.stderr.decode("utf-8", "replace")[:2000]))
        return 1
    elements = 0
    entries = ElementTree.fromstring(document).findall("Entries")
    if len(entries) != len(fields):
        print("seed %d: %d records became %d" % (seed, len(fields), len(entries)))
        return 1
    for extra, entry in zip(fields, entries):
        data = entry.find("Data")
        got = {c.get("name") if c.tag == "field" and c.get("name") is not None else c.tag: c.text or "" for c in data}
        elements += sum(c.get("name") is None for c in data)
        wanted = {held(key): held(value) for key, value in extra.items()}
        if got != wanted:
            print("seed %d: %r became %r" % (seed, wanted, got))
            return 1
    print("%d records, %d elements of a key's name" % (len(fields), elements))
    return 0


sys.exit(main())
