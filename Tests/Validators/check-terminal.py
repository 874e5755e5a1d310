#!/usr/bin/env python3
"""Check that nothing a guest wrote is obeyed by a terminal.

usage: check-terminal.py BINARY ROUNDS SEED

Each round writes hostile logs of every kind, and gives them to the binary with a pseudoterminal for its standard output and standard
error. What arrives there must be printable. In the formats for programs it must be what goes into a pipe, with the rule of
formats/output/README.md applied to it, which this file has for itself. Exits with 1, and the seed, at the first difference.
"""
import fcntl
import json
import os
import pty
import random
import re
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import unicodedata

FORMATS = ["csv", "json", "logfmt", "ndjson", "pretty", "text", "toml", "xml", "yaml"]
PIECES = ["a", "Z", "é", "日本", "ключ", "\U0001f600", "ok ", " ", "\t", "\n", "\r", "\r\n", "\x00", "\x07", "\x08", "\x0b", "\x0c",
          "\x1b[31m", "\x1b]0;title\x07", "\x1b[2J\x1b[H", "\x1bP1$r\x1b\\", "\x1b", "\x7f", "\x80", "\x85", "\x9b31m", "\x9d0;t\x9c", "\xad",
          "\u034f", "\u061c", "\u115f", "\u180e", "\u200b", "\u200d", "\u200e", "\u200f", "\u2028", "\u2029", "\u202a", "\u202e", "\u2060",
          "\u2066", "\u2069", "\u3164", "\ue000", "\ufe0f", "\ufeff", "\ufff9", "\ufffd", "\uffff", "\U000e0001", "\U000e0041", "\U000e0100",
          "\U0010fffd", '"', "\\", "=", "%", "<", "&", "'"]
RAW = [b"\xff", b"\xc0\x80", b"\xe2\x80", b"\xf0\x9f\x98", b"\xed\xa0\x80", b"\x9b2J", b"\xf5\x80", b"\xc3"]
# The default-ignorable characters (DerivedCoreProperties.txt) whose category does not say it.
IGNORABLE = [(0x34f, 0x34f), (0x115f, 0x1160), (0x17b4, 0x17b5), (0x180b, 0x180f), (0x3164, 0x3164), (0xfe00, 0xfe0f), (0xffa0, 0xffa0),
             (0xe0000, 0xe0fff)]
JOURNAL_REMOTE = "/lib/systemd/systemd-journal-remote"
COLOUR = re.compile("\x1b\\[(?:0|1|2|32|33|36|1;31)m")


def is_shown(character):
    value = ord(character)
    return (unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
            and not any(low <= value <= high for low, high in IGNORABLE))


def escaped(data):
    """What stands for these bytes on a terminal."""
    result = []
    for character in data.decode("utf-8", "surrogateescape"):
        value = ord(character)
        if 0xdc80 <= value <= 0xdcff:
            result.append("\\x%02x" % (value - 0xdc00))
        elif character in "\n\t" or is_shown(character):
            result.append(character)
        else:
            result.append("\\x%02x" % value if value < 0x80 else "\\u%04x" % value if value < 0x10000 else "\\U%08x" % value)
    return "".join(result)


def on_terminal(arguments, errors=False, environment=None):
    """What arrives on a terminal of 100 columns that is standard output, or standard error."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    chunks = []

    def drain():
        while True:
            try:
                chunk = os.read(master, 65536)
            except OSError:
                return
            if not chunk:
                return
            chunks.append(chunk)

    reader = threading.Thread(target=drain)
    variables = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    variables.update({"TERM": "xterm", "TZ": "UTC"}, **(environment or {}))
    run = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, env=variables, stdout=subprocess.DEVNULL if errors else slave,
                           stderr=slave if errors else subprocess.DEVNULL)
    os.close(slave)
    reader.start()
    status = run.wait()
    reader.join()
    os.close(master)
    return status, b"".join(chunks)


def check_shown(what, data, colours=False):
    text = data.decode("utf-8")  # Bytes that are not UTF-8 end the check here.
    text = text.replace("\r\n", "\n")
    if colours:
        text = COLOUR.sub("", text)
    for place, character in enumerate(text):
        if character not in "\n\t" and not is_shown(character):
            raise AssertionError("%s: %r reached the terminal: %r" % (what, character, text[max(0, place - 60):place + 20]))
    return text


def hostile(rng, pieces):
    value = "".join(rng.choice(pieces) for _ in range(rng.choice([1, 2, 4, 8])))
    if rng.random() < 0.3:
        value += chr(rng.choice([rng.randrange(0x20), rng.randrange(0x7f, 0xa0), rng.randrange(0x2000, 0x2070), 0xfeff]))
    return value


def write_logs(folder, rng):
    """One file of each kind, and its path."""
    def text():
        return hostile(rng, PIECES)

    def line():
        return "".join(c for c in text() if c not in "\n\r")

    def raw():
        return line().encode() + rng.choice(RAW) + line().encode()

    def word():
        return "w" + "".join(text().split())

    agent = json.dumps({"msg": "m" + text(), "level": "INFO", "ts": "2026-03-05T05:01:54.5Z", "pid": "7", "name": word(), "source": word(),
                        "subsystem": text(), "sandbox": text(), text() or "k": text()})
    kinds = {
        "agent.json": [agent.encode(), json.dumps(json.loads(agent), ensure_ascii=False).encode()],
        "console": [b"[    0.1] " + raw(), b"[    0.2] vm: \x1b]0;owned\x07" + raw(), agent.encode(), raw()],
        "klog": [b"I0305 05:01:54.123456       1 k.go:1] " + raw()],
        "syslog": [b'Mar  5 05:01:54 node1 kata[7]: time="2026-03-05T05:01:54.5Z" level=info msg="' + line().replace('"', "").replace("\\", "")
                   .encode() + b'" name=n pid=1 source=s'] + [b"Mar  5 05:01:55 node1 kata[7]: " + raw()],
        "cri": [b"2026-03-05T05:01:54.5Z stdout F " + raw()],
        "export": [b"__REALTIME_TIMESTAMP=1772686914000000\nMESSAGE\n" + struct.pack("<Q", len(m)) + m + b"\nSOURCE=" + raw() + b"\n\n"
                   for m in [raw() + b"\n" + raw()]],
        "logfmt": [("time=\"2026-03-05T05:01:54.5Z\" level=info msg=%s name=n pid=1 source=s %s=1" % (
            json.dumps("x" * rng.choice([1, 70000])), "ключ")).encode()],
    }
    paths = {}
    for name, lines in kinds.items():
        # The name is shown too.
        path = os.path.join(folder, "\x1b[5m\x9b\u202e".encode() + name.encode() + b".log")
        with open(path, "wb") as out:
            out.write(b"\n".join(lines * 3) + b"\n")
        paths[name] = path
    return paths


def write_journal(folder, rng):
    """A journal file with hostile entries; None where systemd's writer is not there."""
    if not os.access(JOURNAL_REMOTE, os.X_OK):
        return None
    boot = "11112222333344445555666677778888"
    data = b""
    for number in range(1, 6):
        head = ("__CURSOR=s=aaaabbbbccccddddaaaabbbbccccdddd;i=%x;b=%s;m=%d;t=%d;x=%d\n__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n"
                "_BOOT_ID=%s\n_MACHINE_ID=0123456789abcdef0123456789abcdef\nSYSLOG_IDENTIFIER=kata\n" % (
                    number, boot, number, 1772686914000000 + number, number, 1772686914000000 + number, number, boot))
        message = hostile(rng, PIECES).encode() + rng.choice(RAW) + b"\x1b[2J"
        data += head.encode() + b"MESSAGE\n" + struct.pack("<Q", len(message)) + message + b"\n\n"
    path = os.path.join(folder, "hostile.journal")
    subprocess.run([JOURNAL_REMOTE, "--output=" + path, "-"], input=data, check=True, capture_output=True)
    return path


def check_outputs(binary, kind, path):
    options = [binary, "--ignore-missing-fields", "--keep-going", "--quiet", "--no-pager"]
    operands = ["--journal-file", path] if kind == "journal" else [path]
    for format in FORMATS:
        arguments = options + ["--output-format", format] + operands
        piped = subprocess.run(arguments, capture_output=True, env=dict(os.environ, TZ="UTC"))
        assert piped.returncode in (0, 1) and piped.stdout, "%s, %s: %r" % (kind, format, piped.stderr)
        status, shown = on_terminal(arguments)
        assert status == piped.returncode, "%s, %s: status %d" % (kind, format, status)
        text = check_shown("%s as %s" % (kind, format), shown, colours=format == "pretty")
        if format != "pretty":
            assert text == escaped(piped.stdout), "%s as %s: %r is not %r" % (kind, format, text[:2000], escaped(piped.stdout)[:2000])
            continue
        assert "\x1b" in shown.decode(), "pretty has no colours"
        check_shown("pretty, NO_COLOR", on_terminal(arguments, environment={"NO_COLOR": "1"})[1])
        check_shown("pretty, --color never", on_terminal(arguments + ["--color", "never"])[1])
    check_shown("%s as a table" % kind, on_terminal(options + ["--output-format=csv", "--fields=msg,source,name,file"] + operands)[1])


def check_errors(binary, paths, rng):
    bad = "\x1b]0;t\x07\x9b2J\u202e" + "".join(c for c in hostile(rng, PIECES) if c not in "\x00")
    folder = os.path.dirname(next(iter(paths.values())))
    broken = os.path.join(folder, "broken\x1b[5m\x9b".encode())
    with open(broken, "wb") as out:
        out.write(('time="2026-03-05T05:01:54.5Z" level=info msg="m" name=n pid=1 source=s k%s=1 k%s=2\n' % (bad[:4], bad[4:])).encode())
        out.write(b"time=" + rng.choice(RAW) + bad.replace("\n", "").encode() + b"\n")
    runs = [["--" + bad, "f"], ["--since", bad, "f"], ["--match", "msg~(" + bad, "f"], ["--match", bad.replace("=", "").replace("~", ""), "f"],
            ["--level", bad, "f"], ["--fields", bad + ",", "--output-format", "csv", "f"], ["/nonexistent/" + bad], ["--journal-file", "/x/" + bad],
            ["--strict", broken], ["--keep-going", "--debug", "--stats", "--check-only", broken, os.path.join(folder, b"none\x1b")],
            ["--debug", "--keep-going", "--sandbox", bad] + list(paths.values())]
    for run in runs:
        status, shown = on_terminal([binary] + run, errors=True)
        text = check_shown("standard error of %r" % run, shown)
        assert text and status in (0, 1, 2), "%r: status %d, %r" % (run, status, text)
        # Each message is one line, whatever it quotes.
        for line in text.splitlines():
            assert line.startswith(("kata-log-parser: ", "Try kata-log-parser", "{")), "%r: %r" % (run, line)


def main():
    binary, rounds, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    for number in range(seed, seed + rounds):
        with tempfile.TemporaryDirectory() as folder:
            rng = random.Random(number)
            try:
                paths = write_logs(folder.encode(), rng)
                journal = write_journal(folder, rng)
                for kind, path in list(paths.items()) + ([("journal", journal)] if journal else []):
                    check_outputs(binary, kind, path)
                check_errors(binary, paths, rng)
            except (AssertionError, UnicodeDecodeError) as error:
                print("seed %d: %s" % (number, error))
                return 1
    print("%d rounds of %d logs in %d formats" % (rounds, len(paths), len(FORMATS)))
    return 0


sys.exit(main())
