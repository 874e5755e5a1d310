#!/usr/bin/env python3
"""Read Jaeger JSON with Python's json and compare every field with the truth.

usage: check-jaeger-json.py TRUTH DOCUMENT

TRUTH is as for check-otlp.py; DOCUMENT is `{"data":[…]}` with a trace for each span, in the same order.
"""
import base64
import json
import re
import sys

from jaeger_truth import LARGEST, bits, check, check_tags, logs, process_tags, service, tags


def got_tag(tag):
    assert tag.keys() == {"key", "type", "value"}, tag
    kind, value = tag["type"], tag["value"]
    if kind == "int64":
        # JavaScript's numbers are exact up to here; beyond it stands a text.
        assert isinstance(value, str) == (abs(int(value)) > LARGEST), tag
        value = int(value)
    elif kind == "float64":
        assert isinstance(value, float), tag
        value = bits(value)
    elif kind == "binary":
        value = base64.b64decode(value, validate=True)
    else:
        assert isinstance(value, {"string": str, "bool": bool}[kind]), tag
    return [tag["key"], kind, value]


def wanted_tags(tags):
    """A number that JSON has not is a text."""
    words = {"7ff0000000000000": "Infinity", "fff0000000000000": "-Infinity"}
    result = []
    for key, kind, value in tags:
        if kind == "float64" and (value in words or value[:3] in ("7ff", "fff")):
            kind, value = "string", words.get(value, "NaN")
        result.append([key, kind, value])
    return result


def main():
    truth = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
    document = json.load(open(sys.argv[2], encoding="utf-8"))
    assert list(document) == ["data", "total", "limit", "offset", "errors"] and document["errors"] is None
    check("traces", len(truth), len(document["data"]))
    for number, (wanted, trace) in enumerate(zip(truth, document["data"])):
        where = "span %d" % (number + 1)
        check(where, wanted["traceId"], trace["traceID"])
        (span,) = trace["spans"]
        process = trace["processes"][span["processID"]]
        check(where + " service", service(wanted), process["serviceName"])
        check_tags(where + " process", wanted_tags(process_tags(wanted)), [got_tag(t) for t in process["tags"]])
        assert re.fullmatch("[0-9a-f]{32}", span["traceID"]) and re.fullmatch("[0-9a-f]{16}", span["spanID"])
        start, end = int(wanted["start"]), int(wanted["end"])
        check(where, [wanted["traceId"], wanted["spanId"], wanted["name"], wanted["flags"] & 0xff, start // 1000, max(0, end - start) // 1000],
              [span["traceID"], span["spanID"], span["operationName"], span["flags"], span["startTime"], span["duration"]])
        references = [] if int(wanted["parentId"], 16) == 0 else [{"refType": "CHILD_OF", "traceID": wanted["traceId"], "spanID": wanted["parentId"]}]
        references += [{"refType": "FOLLOWS_FROM", "traceID": l["traceId"], "spanID": l["spanId"]} for l in wanted["links"]]
        check(where + " references", references, span["references"])
        check_tags(where + " tags", wanted_tags(tags(wanted)), [got_tag(t) for t in span["tags"]])
        check(where + " logs", len(wanted["events"]), len(span["logs"]))
        for (time, fields), log in zip(logs(wanted), span["logs"]):
            check(where + " log", time, log["timestamp"])
            check_tags(where + " log", wanted_tags(fields), [got_tag(t) for t in log["fields"]])
        assert span["warnings"] is None
    print("%d spans" % len(truth))


main()
