"""Delivery: records per processor-second to a sink that counts them, and memory while the receiver is away."""
import json
import os
import shlex
import subprocess
import sys
import time

from figures import AWAY, DELIVERIES
from forwarder import free_port, series
from measuring import NotMeasured, alternate, fill, processor_seconds

SINK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "counting-sink")


class Sink:
    """A counting sink that runs; its processor time is not the sender's."""

    def __init__(self, mode):
        self.process = subprocess.Popen([sys.executable, SINK, mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def counts(self):
        """What it has counted; it ends with that."""
        return json.loads(self.process.communicate("")[0])


def rate(places, name, records):
    """An action that measures records per processor-second of one command, all of whose records must arrive once."""
    line, mode = DELIVERIES[name]

    def measured():
        if not mode:
            return records / processor_seconds(fill(line, places))
        with Sink(mode) as sink:
            seconds = processor_seconds(fill(line, dict(places, port=sink.port)))
            counted = sink.counts()
        if counted["records"] != records or counted["problems"]:
            raise NotMeasured("%s: %d of %d records arrived: %s" % (name, counted["records"], records, counted["problems"]))
        return records / seconds
    return measured


def delivery(places, rounds, records):
    """Series of all deliveries, in turn."""
    actions = {name: rate(places, name, records) for name in DELIVERIES}
    for action in actions.values():
        action()  # Reads the input into the page cache.
    return series("records per processor-second", alternate(actions, rounds))


def anonymous_memory(process):
    """MiB of a process's own memory: files that are mapped are not counted."""
    with open("/proc/%d/status" % process.pid) as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon:")) / 1024


def processor_ticks(process):
    with open("/proc/%d/stat" % process.pid) as file:
        return sum(map(int, file.read().rsplit(")", 1)[1].split()[11:13]))


def memory_while_away(places, name):
    """The most MiB of a run whose receiver is away, until it has worked for no tick of a second: all that it keeps is full."""
    line, _ = DELIVERIES[name]
    command = fill(line, dict(places, port=free_port()))
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    most, ticks, since = 0, -1, time.monotonic()
    try:
        while time.monotonic() - since < 1:
            if process.poll() is not None:
                raise NotMeasured("ended with status %d: %s" % (process.returncode, shlex.join(command)))
            most = max(most, anonymous_memory(process))
            now = processor_ticks(process)
            if now != ticks:
                ticks, since = now, time.monotonic()
            time.sleep(0.002)
    finally:
        process.kill()
        process.wait()
    return most


def memory(places, rounds):
    """Series of the memory while the receiver is away."""
    return series("MiB", {AWAY % name: [memory_while_away(places, name) for _ in range(rounds)]
                          for name, (_, mode) in DELIVERIES.items() if mode and "no-redact" not in name})
