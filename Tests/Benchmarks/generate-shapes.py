#!/usr/bin/env python3
"""Write logs of other shapes, a file each, all of the same number of records in order of time.

usage: generate-shapes.py RECORDS FOLDER [SEED]
The files are named for their shapes (see SHAPES); the same seed gives the same bytes.
"""
import json
import os
import random
import sys
import time

WORDS = ("created attached device started stopped waiting for VM memory hotplug network interface "
         "endpoint mount volume rootfs console shim process exit status request reply timeout").split()
SANDBOXES = 16


class Event:
    """What happens once and is written in every shape."""

    def __init__(self, rng, number, nanoseconds, sandboxes):
        self.number, self.nanoseconds = number, nanoseconds
        self.clock = time.gmtime(nanoseconds // 1_000_000_000)
        self.stamp = time.strftime("%Y-%m-%dT%H:%M:%S", self.clock) + ".%09dZ" % (nanoseconds % 1_000_000_000)
        self.sandbox = sandboxes[number % SANDBOXES]
        self.pid = 3400 + number % SANDBOXES
        self.text = " ".join(rng.choice(WORDS) for _ in range(rng.randrange(3, 9)))
        self.level = rng.choice(["INFO", "DEBG", "WARN"])
        self.subsystem = rng.choice(["rpc", "mount", "sandbox"])


def compact(value):
    return json.dumps(value, separators=(",", ":"))


def slog(event):
    return compact({"msg": event.text, "level": event.level, "ts": event.stamp, "pid": "1", "version": "0.1.0",
                    "name": "kata-agent", "subsystem": event.subsystem, "source": "agent"})


def logfmt(event):
    return (f'time="{event.stamp}" level=info msg="{event.text}" name=containerd-shim-v2 pid={event.pid} '
            f'sandbox={event.sandbox} source=virtcontainers subsystem=sandbox')


def console(event):
    """The guest's console: half the kernel's lines, half the agent's."""
    return slog(event) if event.number % 2 else "[%12.6f] %s" % (event.number / 1000, event.text)


def cri(event):
    return f"{event.stamp} {'stderr' if event.number % 8 == 0 else 'stdout'} F {event.text}"


def docker(event):
    return compact({"log": event.text + "\n", "stream": "stdout", "time": event.stamp})


def journalctl(event):
    return "%s node1 kata[%d]: %s" % (time.strftime("%b %d %H:%M:%S", event.clock), event.pid, logfmt(event))


def journal_json(event):
    return compact({"__CURSOR": "s=%032x;i=%x" % (7, event.number),
                    "__REALTIME_TIMESTAMP": str(event.nanoseconds // 1000), "_HOSTNAME": "node1", "PRIORITY": "6",
                    "SYSLOG_IDENTIFIER": "kata", "_PID": str(event.pid), "_BOOT_ID": "%032x" % 5,
                    "_TRANSPORT": "syslog", "MESSAGE": logfmt(event)})


def klog(event):
    return "I%s.%06d %7d server.go:%d] %s" % (
        time.strftime("%m%d %H:%M:%S", event.clock), event.nanoseconds // 1000 % 1_000_000, event.pid,
        100 + event.number % 800, event.text)


SHAPES = {"console": console, "slog": slog, "cri": cri, "docker": docker, "journalctl": journalctl,
          "journal_json": journal_json, "klog": klog}


def main():
    count, folder = int(sys.argv[1]), sys.argv[2]
    rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    sandboxes = ["%064x" % rng.getrandbits(256) for _ in range(SANDBOXES)]
    now = 1_763_655_932_000_000_000
    files = {name: open(os.path.join(folder, name), "w", encoding="ascii") for name in SHAPES}
    for number in range(count):
        now += rng.randrange(200_000, 9_000_000)
        event = Event(rng, number, now, sandboxes)
        for name, shape in SHAPES.items():
            files[name].write(shape(event) + "\n")
    for file in files.values():
        file.close()


main()
