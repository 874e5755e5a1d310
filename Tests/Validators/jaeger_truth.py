"""What Jaeger's formats have of a span, worked out from the truth of PlainSpan+Truth.swift: the table of formats/jaeger-json."""
import base64
import json
import math
import struct

LARGEST = 2**53 - 1


def number(digits):
    return struct.unpack(">d", bytes.fromhex(digits))[0]


def plain(value):
    """A value within a list or map as JSON's types."""
    kind, v = value
    if kind == "int":
        return int(v)
    if kind == "double":
        v = number(v)
        return v if math.isfinite(v) else "NaN" if math.isnan(v) else "Infinity" if v > 0 else "-Infinity"
    if kind == "array":
        return [plain(e) for e in v]
    if kind == "map":
        return {k: plain(e) for k, e in v}
    return None if kind == "empty" else v


def tag(key, value):
    """Key, type and value; JSON's text of a list or map is compared as what it parses to."""
    kind, v = value
    if kind == "int":
        return [key, "int64", int(v)]
    if kind == "double":
        return [key, "float64", v]
    if kind == "bytes":
        return [key, "binary", base64.b64decode(v)]
    if kind in ("array", "map"):
        return [key, "string", plain(value)]
    return [key, {"string": "string", "empty": "string", "bool": "bool"}[kind], v]


def service(truth):
    names = [v[1] for k, v in truth["resource"]["attributes"] if k == "service.name" and v[0] == "string" and v[1]]
    return names[0] if names else "unknown"


def process_tags(truth):
    return [tag(k, v) for k, v in truth["resource"]["attributes"] if not (k == "service.name" and v[0] == "string")]


def tags(truth):
    result = [tag(k, v) for k, v in truth["attributes"]]
    if truth["kind"] != "unspecified":
        result.append(["span.kind", "string", truth["kind"]])
    if truth["status"] == "ok":
        result.append(["otel.status_code", "string", "OK"])
    if truth["status"] == "error":
        result += [["otel.status_code", "string", "ERROR"], ["error", "bool", True]]
    for key, value in (("otel.status_description", truth["message"]), ("otel.scope.name", truth["scope"]["name"]),
                       ("otel.scope.version", truth["scope"]["version"]), ("w3c.tracestate", ",".join("=".join(s) for s in truth["state"]))):
        if value:
            result.append([key, "string", value])
    for key, value in zip(("attributes", "events", "links"), truth["dropped"]):
        if value:
            result.append(["otel.dropped_%s_count" % key, "int64", value])
    return result


def logs(truth):
    result = []
    for event in truth["events"]:
        fields = [["event", "string", event["name"]]] if event["name"] else []
        fields += [tag(k, v) for k, v in event["attributes"]]
        if event["dropped"]:
            fields.append(["otel.dropped_attributes_count", "int64", event["dropped"]])
        result.append([int(event["time"]) // 1000, fields])
    return result


def same_tag(wanted, got):
    key, kind, value = wanted
    if isinstance(value, (list, dict)) and kind == "string":
        return [key, kind] == got[:2] and same_json(value, json.loads(got[2]))
    return wanted == got


def same_json(a, b):
    if type(a) is not type(b):
        return False
    if isinstance(a, list):
        return len(a) == len(b) and all(same_json(x, y) for x, y in zip(a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same_json(a[k], b[k]) for k in a)
    return a == b and not (isinstance(a, float) and math.copysign(1, a) != math.copysign(1, b))


def check(where, wanted, got):
    if wanted != got:
        raise SystemExit("%s: %r became %r" % (where, wanted, got))


def check_tags(where, wanted, got):
    if len(wanted) != len(got) or not all(same_tag(w, g) for w, g in zip(wanted, got)):
        raise SystemExit("%s: %r became %r" % (where, wanted, got))


def bits(value):
    return struct.pack(">d", math.nan if math.isnan(value) else value).hex()
