#!/usr/bin/env python3
"""Read OTLP logs with OpenTelemetry's own classes, and compare every field with the records that they are of.

usage: check-otlp-logs.py TRUTH SINGLE.pb GROUPED.pb LINES.jsonl

TRUTH has a record a line, as Tests/LogParserTests/Output/OTLPRecordTests.swift writes it: texts in base64, as they need not
be UTF-8. SINGLE.pb is a request with a ResourceLogs for each of them, GROUPED.pb the same records grouped, LINES.jsonl the
grouped ones as requests in JSON, one a line.
"""
import base64
import codecs
import json
import re
import sys

from google.protobuf import json_format
from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2

# One replacement for each byte that is not UTF-8.
codecs.register_error("bytewise", lambda error: ("\ufffd", error.start + 1))
NUMBERS = {"trace": 1, "debug": 5, "info": 9, "notice": 10, "warning": 13, "error": 17, "alert": 19, "critical": 21, "fatal": 21,
           "panic": 24}
SHIMS = {"kata", "kata-runtime", "containerd-shim-v2", "containerd-shim-kata-v2", "containerd-kata-shim-v2"}
KNOWN = {"time", "level", "msg", "source", "name", "pid", "container", "sandbox", "file", "line", "count", "delta"}


def text(field):
    return base64.b64decode(field).decode("utf-8", "bytewise")


def ident(value, digits):
    return re.fullmatch("[0-9a-fA-F]{%d}" % digits, value) and int(value, 16) != 0


def expected(truth):
    """What the record is to become: the specification in formats/output/otlp, written down a second time."""
    known = {key: text(truth[key]) for key in ("level", "msg", "source", "name", "container", "sandbox", "file")}
    fields = {text(key): text(value) for key, value in truth["fields"]}
    origin = "host"
    if known["source"] == "vmconsole" or known["name"] == "kata-agent" or known["source"] == "agent" and not known["name"].startswith("kata-"):
        origin = "guest"
    elif known["name"] in SHIMS:
        origin = "shim"
    resource = []
    service = "kata" if origin == "shim" else known["name"] or {"guest": "kata-guest", "host": "unknown_service"}[origin]
    resource.append(("service.name", service))
    if origin == "shim" and known["name"] != "kata":
        resource.append(("kata.name", known["name"]))
    if fields.get("version") and (origin == "shim" or known["name"] == "kata-agent"):
        resource.append(("service.version", fields.pop("version")))
    if known["sandbox"]:
        resource += [("service.instance.id", known["sandbox"]), ("kata.sandbox.id", known["sandbox"])]
        resource += [("host.id", known["sandbox"])] * (origin == "guest")
    resource.append(("kata.origin", origin))
    if origin != "guest":
        host = "host" if "host" in fields else "_HOSTNAME"
        if host in fields:
            resource.append(("host.name", fields.pop(host)))
    for key, attribute in (("pod", "k8s.pod.name"), ("pod_namespace", "k8s.namespace.name")):
        if key in fields:
            resource.append((attribute, fields.pop(key)))
    subsystem = fields.pop("subsystem", "")
    scope = [(key, value) for key, value in (("kata.source", known["source"]), ("kata.subsystem", subsystem)) if value]
    attributes = []
    if known["container"]:
        attributes.append(("container.id", known["container"]))
    if truth["pid"] > 0:
        attributes.append(("process.pid", truth["pid"]))
    if known["file"].startswith("/"):
        attributes += [("log.file.path", known["file"]), ("kata.line", truth["line"]),
                       ("log.record.uid", "%s:%d:%d" % (known["file"], truth["line"], truth["time"]))]
    shown = known["level"]
    if origin == "guest" and "level" in fields:
        shown = fields.pop("level")
    trace, span = fields.get("trace_id", ""), fields.get("span_id", "")
    trace = fields.pop("trace_id") if ident(trace, 32) else ""
    span = fields.pop("span_id") if trace and ident(span, 16) else ""
    for key in sorted(fields, key=lambda key: key.encode()):
        attributes.append((("kata.data." if key in KNOWN else "kata.") + key, fields[key]))
    own, observed = truth["time"], truth["observed"]
    if truth["inherited"]:
        own, observed = 0, observed or own
    elif own == observed:
        own = 0
    return {"resource": resource, "scope": ("/".join(part for part in (known["source"], subsystem) if part), scope), "time": own,
            "observed": observed, "number": NUMBERS.get(known["level"], 0), "text": shown, "body": known["msg"],
            "attributes": attributes, "trace": trace.lower(), "span": span.lower(), "flags": 1 if trace else 0}


def attributes(pairs):
    found = []
    for pair in pairs:
        kind = pair.value.WhichOneof("value")
        assert kind in ("string_value", "int_value"), kind
        found.append((pair.key, getattr(pair.value, kind)))
    assert len(dict(found)) == len(found), "an attribute occurs twice: %r" % found
    return found


def records(request):
    for resource in request.resource_logs:
        for scope in resource.scope_logs:
            for record in scope.log_records:
                assert record.body.WhichOneof("value") == "string_value"
                yield {
                    "resource": attributes(resource.resource.attributes), "scope": (scope.scope.name, attributes(scope.scope.attributes)),
                    "time": record.time_unix_nano, "observed": record.observed_time_unix_nano, "number": record.severity_number,
                    "text": record.severity_text, "body": record.body.string_value, "attributes": attributes(record.attributes),
                    "trace": record.trace_id.hex(), "span": record.span_id.hex(), "flags": record.flags}


def check_known(message):
    """Every byte belongs to a field that the classes know."""
    assert len(UnknownFieldSet(message)) == 0, "there are unknown fields in %s" % message.DESCRIPTOR.name
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in value if field.is_repeated else [value]:
                check_known(part)


def grouped(wanted):
    """The records in the order that grouping gives them, and how many resources and scopes there are."""
    resources = {}
    for record in wanted:
        resources.setdefault(repr(record["resource"]), {}).setdefault(repr(record["scope"]), []).append(record)
    return ([record for scopes in resources.values() for records in scopes.values() for record in records],
            len(resources), sum(len(scopes) for scopes in resources.values()))


def compare(name, wanted, got):
    assert len(wanted) == len(got), "%s: %d records became %d" % (name, len(wanted), len(got))
    for number, (one, other) in enumerate(zip(wanted, got)):
        for key in one:
            assert one[key] == other[key], "%s, record %d, %s: %r became %r" % (name, number + 1, key, one[key], other[key])


def with_base64_ids(node):
    """OTLP writes ids in hexadecimal where protobuf's JSON has base64."""
    if isinstance(node, list):
        return [with_base64_ids(n) for n in node]
    if not isinstance(node, dict):
        return node
    return {key: base64.b64encode(bytes.fromhex(n)).decode() if key in ("traceId", "spanId") else with_base64_ids(n)
            for key, n in node.items()}


def main():
    wanted = [expected(json.loads(line)) for line in open(sys.argv[1], encoding="utf-8")]
    for name, path, order in (("single", sys.argv[2], wanted), ("grouped", sys.argv[3], grouped(wanted)[0])):
        data = open(path, "rb").read()
        request = logs_service_pb2.ExportLogsServiceRequest.FromString(data)
        check_known(request)
        assert request.SerializeToString(deterministic=True) == data, "%s: not what the classes write of the same message" % name
        compare(name, order, list(records(request)))
        if name == "grouped":
            assert len(request.resource_logs) == grouped(wanted)[1]
            assert sum(len(resource.scope_logs) for resource in request.resource_logs) == grouped(wanted)[2]
    got = []
    for line in open(sys.argv[4], encoding="utf-8", newline="\n"):
        # The standard library first: json_format is more forgiving.
        request = logs_service_pb2.ExportLogsServiceRequest()
        got += records(json_format.ParseDict(with_base64_ids(json.loads(line)), request))
    compare("JSON", grouped(wanted)[0], got)
    print("%d records" % len(wanted))


main()
