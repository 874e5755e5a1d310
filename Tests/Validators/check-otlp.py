#!/usr/bin/env python3
"""Parse OTLP with OpenTelemetry's own classes and compare every field with the truth.

usage: check-otlp.py TRUTH REQUEST.pb LINES.jsonl

TRUTH has a span a line in the form of Tests/TracingTests/Support/PlainSpan+Truth.swift, REQUEST.pb is one
ExportTraceServiceRequest of the same spans, LINES.jsonl the collector's file format with a span a line.
"""
import base64
import json
import math
import struct
import sys

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

KINDS = ["unspecified", "internal", "server", "client", "producer", "consumer"]
STATUSES = ["unset", "ok", "error"]


def bits(value):
    return struct.pack(">d", math.nan if math.isnan(value) else value).hex()


def value(any_value):
    kind = any_value.WhichOneof("value")
    if kind is None:
        return ["empty", ""]
    got = getattr(any_value, kind)
    if kind == "string_value":
        return ["string", got]
    if kind == "bool_value":
        return ["bool", got]
    if kind == "int_value":
        return ["int", str(got)]
    if kind == "double_value":
        return ["double", bits(got)]
    if kind == "bytes_value":
        return ["bytes", base64.b64encode(got).decode()]
    if kind == "array_value":
        return ["array", [value(v) for v in got.values]]
    return ["map", attributes(got.values)]


def attributes(pairs):
    return [[pair.key, value(pair.value)] for pair in pairs]


def state(text):
    return [member.split("=", 1) for member in text.split(",")] if text else []


def common(message, schema):
    return {"name": getattr(message, "name", ""), "version": getattr(message, "version", ""), "attributes": attributes(message.attributes),
            "dropped": message.dropped_attributes_count, "schema": schema}


def spans(request):
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield {
                    "traceId": span.trace_id.hex(), "spanId": span.span_id.hex(), "parentId": span.parent_span_id.hex() or "0" * 16,
                    "flags": span.flags, "kind": KINDS[span.kind], "name": span.name, "start": str(span.start_time_unix_nano),
                    "end": str(span.end_time_unix_nano), "status": STATUSES[span.status.code], "message": span.status.message,
                    "state": state(span.trace_state), "attributes": attributes(span.attributes),
                    "dropped": [span.dropped_attributes_count, span.dropped_events_count, span.dropped_links_count],
                    "events": [{"name": e.name, "time": str(e.time_unix_nano), "attributes": attributes(e.attributes),
                                "dropped": e.dropped_attributes_count} for e in span.events],
                    "links": [{"traceId": l.trace_id.hex(), "spanId": l.span_id.hex(), "flags": l.flags, "state": state(l.trace_state),
                               "attributes": attributes(l.attributes), "dropped": l.dropped_attributes_count} for l in span.links],
                    "resource": common(resource.resource, resource.schema_url), "scope": common(scope.scope, scope.schema_url)}


def compare(name, truth, got):
    if len(truth) != len(got):
        sys.exit("%s: %d spans became %d" % (name, len(truth), len(got)))
    for number, (wanted, span) in enumerate(zip(truth, got)):
        for key in wanted.keys() | span.keys():
            if wanted.get(key) != span.get(key):
                sys.exit("%s, span %d, %s: %r became %r" % (name, number + 1, key, wanted.get(key), span.get(key)))


def main():
    truth = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
    request = trace_service_pb2.ExportTraceServiceRequest.FromString(open(sys.argv[2], "rb").read())
    if request.SerializeToString(deterministic=True) != open(sys.argv[2], "rb").read():
        sys.exit("the protobuf is not what the classes write of the same message")
    compare("protobuf", truth, list(spans(request)))
    got = []
    for line in open(sys.argv[3], encoding="utf-8", newline="\n"):
        # The standard library first: json_format is more forgiving.
        got += spans(json_format.ParseDict(with_base64_ids(json.loads(line)), trace_pb2.TracesData()))
    compare("JSON", truth, got)
    print("%d spans" % len(truth))


def with_base64_ids(node):
    """OTLP writes ids in hexadecimal where protobuf's JSON has base64."""
    if isinstance(node, list):
        return [with_base64_ids(n) for n in node]
    if not isinstance(node, dict):
        return node
    return {key: base64.b64encode(bytes.fromhex(n)).decode() if key in ("traceId", "spanId", "parentSpanId") else with_base64_ids(n)
            for key, n in node.items()}


main()
