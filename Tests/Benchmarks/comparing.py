"""Two builds of ours beside each other: instructions on small inputs, wall time in alternating pairs on large ones."""
import forwarder
from figures import BINARIES, FRAMES, GROUPS, INSTRUCTIONS, WRITTEN, binary_of, codec_name
from measuring import NotMeasured, alternate, fill, instructions, progress, require, run_once


class Comparison:
    """Measures what `groups` name and puts it into `raw`; a figure that cannot be measured is noted there."""

    def __init__(self, base, places, rounds, raw):
        self.places, self.rounds, self.raw, self.base = places, rounds, raw, base
        self.other = dict(places, **{role: base.get(role) for role in BINARIES})
        self.other["why"] = dict(places["why"], parser="kata-log-parser in the base", codecs="trace-benchmark in the base")

    def measure(self, groups, milliseconds, spans):
        """All figures of these groups that the base has a binary for."""
        groups = [name for name in groups if binary_of(name) in self.base]
        for command in INSTRUCTIONS:
            if ("codecs" if "{codecs}" in command.line else "formats") in groups:
                self.note("instructions of " + command.name, self.count, command)
        for group in GROUPS:
            for command in GROUPS[group]:
                # What reads the part of the log is a shorter form of another command, measured beside a slow peer.
                if group in groups and command.line.startswith("{parser}") and command.reads != "part":
                    self.note("wall time of " + command.name, self.time_command, command)
        if "codecs" in groups:
            for encoding in FRAMES:
                for written in WRITTEN:
                    self.note("wall time of " + codec_name(encoding, written, 1), self.time_codec, encoding, written,
                              milliseconds)
        if "relay" in groups:
            self.note("wall time of relay, 1 agent", self.time_relay, spans)

    def note(self, name, action, *arguments):
        """Do one measurement; say so, or why not."""
        try:
            action(*arguments)
            progress(name)
        except NotMeasured as missing:
            self.raw["skipped"][name] = str(missing)
            progress("%s: not measured: %s" % (name, missing))

    def lines(self, line):
        return {"base": fill(line, self.other), "ours": fill(line, self.places)}

    def count(self, command):
        require(["valgrind"])
        counts = {side: instructions(line) for side, line in self.lines(command.line).items()}
        self.raw["instructions"][command.name] = counts

    def time_command(self, command):
        def timed(line):
            return lambda: min(run_once(line) for _ in range(command.repeat))

        both = self.lines(command.line)
        for line in both.values():
            run_once(line)  # Reads the input into the page cache.
        self.pair(command.name, "s", {side: timed(line) for side, line in both.items()})

    def time_codec(self, encoding, written, milliseconds):
        self.pair(codec_name(encoding, written, 1), "spans/s", {
            side: forwarder.codec_rate(places, encoding, written, 1, milliseconds)
            for side, places in (("base", self.other), ("ours", self.places))})

    def time_relay(self, spans):
        if not self.places["forwarder"]:
            raise NotMeasured("there is no kata-trace-forwarder among the binaries")
        found = forwarder.relay({"": self.places["forwarder"], ", base": self.base["forwarder"]}, (1,), self.rounds, spans)
        self.raw["pairs"]["relay, 1 agent"] = {"unit": "spans/s", "ours": found["relay, 1 agent"]["values"],
                                               "base": found["relay, 1 agent, base"]["values"]}

    def pair(self, name, unit, actions):
        self.raw["pairs"][name] = {"unit": unit, **alternate(actions, self.rounds)}
