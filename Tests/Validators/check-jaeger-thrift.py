#!/usr/bin/env python3
"""Decode Thrift with the classes of Jaeger's own client and compare every field with the truth; write batches with them.

usage: check-jaeger-thrift.py check binary|compact TRUTH MESSAGES
       check-jaeger-thrift.py write TRUTH MESSAGES

MESSAGES are batches in the binary protocol or `emitBatch` datagrams in the compact one, one a span of TRUTH, each behind
its length of four bytes, big-endian.
"""
import base64
import json
import struct
import sys

from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.protocol.TCompactProtocol import TCompactProtocol
from thrift.Thrift import TMessageType
from thrift.transport.TTransport import TMemoryBuffer

from jaeger_client.thrift_gen.agent import Agent
from jaeger_client.thrift_gen.jaeger import ttypes
from jaeger_truth import bits, check, check_tags, logs, number, plain, process_tags, service, tags

TYPES = {"string": ttypes.TagType.STRING, "float64": ttypes.TagType.DOUBLE, "bool": ttypes.TagType.BOOL, "int64": ttypes.TagType.LONG,
         "binary": ttypes.TagType.BINARY}


class Binary(TBinaryProtocol):
    """The generated classes take bytes for a text, which not all bytes are: those pass as surrogates."""
    def readString(self):
        return self.readBinary().decode("utf-8", "surrogateescape")

    def writeString(self, text):
        self.writeBinary(text.encode("utf-8", "surrogateescape"))


class Compact(TCompactProtocol):
    def readString(self):
        return self.readBinary().decode("utf-8", "surrogateescape")


def messages(path):
    data = open(path, "rb").read()
    while data:
        (length,) = struct.unpack(">I", data[:4])
        yield data[4:4 + length]
        data = data[4 + length:]


def decode(message, protocol):
    buffer = TMemoryBuffer(message)
    if protocol == "binary":
        batch = ttypes.Batch()
        batch.read(Binary(buffer))
    else:
        assert len(message) <= 65000
        reader = Compact(buffer)
        name, kind, sequence = reader.readMessageBegin()
        assert (name, kind) == ("emitBatch", TMessageType.ONEWAY), (name, kind)
        arguments = Agent.emitBatch_args()
        arguments.read(reader)
        reader.readMessageEnd()
        batch = arguments.batch
    assert buffer.read(1) == b"", "unexpected data after the end"
    batch.validate()
    return batch


def signed(digits):
    value = int(digits, 16)
    return value - 2**64 if value >= 2**63 else value


def got_tag(tag):
    tag.validate()
    value = [tag.vStr, tag.vDouble, tag.vBool, tag.vLong, tag.vBinary][tag.vType]
    others = [v for v in (tag.vStr, tag.vDouble, tag.vBool, tag.vLong, tag.vBinary) if v is not None]
    assert others == [value] or value != value, tag
    kind = [k for k, v in TYPES.items() if v == tag.vType][0]
    if kind == "binary":
        value = value.encode("utf-8", "surrogateescape")
    return [tag.key, kind, bits(value) if kind == "float64" else value]


def check_span(where, wanted, batch):
    (span,) = batch.spans
    check(where + " service", service(wanted), batch.process.serviceName)
    check_tags(where + " process", process_tags(wanted), [got_tag(t) for t in batch.process.tags or []])
    start, end = int(wanted["start"]), int(wanted["end"])
    check(where, [signed(wanted["traceId"][16:]), signed(wanted["traceId"][:16]), signed(wanted["spanId"]), signed(wanted["parentId"]),
                  wanted["name"], wanted["flags"] & 0xff, start // 1000, max(0, end - start) // 1000],
          [span.traceIdLow, span.traceIdHigh, span.spanId, span.parentSpanId, span.operationName, span.flags, span.startTime, span.duration])
    check(where + " references", [[1, signed(l["traceId"][16:]), signed(l["traceId"][:16]), signed(l["spanId"])] for l in wanted["links"]],
          [[r.refType, r.traceIdLow, r.traceIdHigh, r.spanId] for r in span.references or []])
    check_tags(where + " tags", tags(wanted), [got_tag(t) for t in span.tags or []])
    check(where + " logs", len(wanted["events"]), len(span.logs or []))
    for (time, fields), log in zip(logs(wanted), span.logs or []):
        check(where + " log", time, log.timestamp)
        check_tags(where + " log", fields, [got_tag(t) for t in log.fields])


def made_tag(tag):
    key, kind, value = tag
    if isinstance(value, (list, dict)):
        value = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    value = number(value) if kind == "float64" else value.decode("utf-8", "surrogateescape") if kind == "binary" else value
    field = {"string": "vStr", "float64": "vDouble", "bool": "vBool", "int64": "vLong", "binary": "vBinary"}[kind]
    return ttypes.Tag(key=key, vType=TYPES[kind], **{field: value})


def made_batch(truth):
    start, end = int(truth["start"]), int(truth["end"])
    references = [ttypes.SpanRef(refType=1, traceIdLow=signed(l["traceId"][16:]), traceIdHigh=signed(l["traceId"][:16]), spanId=signed(l["spanId"]))
                  for l in truth["links"]]
    span = ttypes.Span(
        traceIdLow=signed(truth["traceId"][16:]), traceIdHigh=signed(truth["traceId"][:16]), spanId=signed(truth["spanId"]),
        parentSpanId=signed(truth["parentId"]), operationName=truth["name"], references=references, flags=truth["flags"] & 0xff,
        startTime=start // 1000, duration=max(0, end - start) // 1000, tags=[made_tag(t) for t in tags(truth)],
        logs=[ttypes.Log(timestamp=time, fields=[made_tag(f) for f in fields]) for time, fields in logs(truth)])
    process = ttypes.Process(serviceName=service(truth), tags=[made_tag(t) for t in process_tags(truth)])
    return ttypes.Batch(process=process, spans=[span])


def main():
    if sys.argv[1] == "check":
        truth = [json.loads(line) for line in open(sys.argv[3], encoding="utf-8")]
        found = list(messages(sys.argv[4]))
        check("messages", len(truth), len(found))
        for index, (wanted, message) in enumerate(zip(truth, found)):
            check_span("span %d" % (index + 1), wanted, decode(message, sys.argv[2]))
        print("%d spans" % len(truth))
        return
    truth = [json.loads(line) for line in open(sys.argv[2], encoding="utf-8")]
    with open(sys.argv[3], "wb") as out:
        for span in truth:
            buffer = TMemoryBuffer()
            made_batch(span).write(Binary(buffer))
            out.write(struct.pack(">I", len(buffer.getvalue())) + buffer.getvalue())


main()
