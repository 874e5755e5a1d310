"""Markdown from the raw rounds: tables that are never typed by hand."""
import statistics

from figures import FRAMES, GROUPS, WRITTEN, codec_name
from judging import judge, paired_ratio

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def table(head, rows):
    """A Markdown table."""
    return "\n".join("| %s |" % " | ".join(row) for row in [head, ["---"] * len(head)] + rows) + "\n"


def number(value):
    """A figure in as many digits as mean something."""
    return "{:,.0f}".format(value) if value >= 1000 else "%.3g" % value


def ratio(interval):
    return "%.2f (%.2f to %.2f)" % (interval.middle, interval.low, interval.high)


def report(raw):
    """The whole report."""
    parts = [machine(raw)]
    if not raw["settings"]["base"]:
        parts += [commands(raw), codecs(raw), rates(raw)]
    parts.append(verdicts(raw))
    return "\n".join(part for part in parts if part)


def machine(raw):
    m = raw["machine"]
    lines = ["Measured %s on %s, %d processors, %s MiB of memory, Linux %s, %s; load before: %s." % (
        raw["date"], m["processor"], m["processors"], "{:,}".format(m["memory_mib"]), m["kernel"], m["system"], m["load"])]
    lines.append("Log of {:,} records ({:,.1f} MB); {} rounds.".format(
        raw["settings"]["records"], raw["settings"]["log_bytes"] / 1e6, raw["settings"]["rounds"]))
    lines.append("`{log}` is that log, `{part}` its first fifth, `{shuffled}` its lines in random order, `{journal}` a file of "
                 "20,000 entries.")
    lines += ["", table(["program", "version"], [[name, "`%s`" % version] for name, version in raw["programs"].items()])]
    return "\n".join(lines)


def commands(raw):
    """What each command took, its median, and beside the first command of its group."""
    text, series = "", raw["series"]
    for group, listed in GROUPS.items():
        present = [command for command in listed if command.name in series]
        if not present:
            continue
        first, rows = series[present[0].name], []
        for command in present:
            one = series[command.name]
            median = statistics.median(one["values"])
            speed = number(one["bytes"] / 1e6 / median) if "bytes" in one else ""
            peak = "%.1f MiB" % max(one["peak_mib"]) if "peak_mib" in one else ""
            beside = "1" if one is first else ratio(paired_ratio(one["values"], first["values"]))
            rows.append(["`%s`" % one["command"].replace("{parser}", "kata-log-parser").replace(" --temp-dir {folder}", ""),
                         "%.4f s" % median, speed, beside, peak])
        text += table([group, "median", "MB/s", "time beside the first (95 %)", "peak memory"], rows) + "\n"
    return text


def codecs(raw):
    rows, series = [], raw["series"]
    for written in WRITTEN:
        names = [codec_name(encoding, written, threads) for threads in (1, 2) for encoding in FRAMES]
        if all(name in series for name in names):
            rows.append([written.replace("none", "nothing")]
                        + ["{:,.0f}".format(statistics.median(series[name]["values"])) for name in names])
    head = ["decode, and write; spans/s"] + [encoding + text for text in ("", ", two threads") for encoding in FRAMES]
    return table(head, rows) if rows else ""


def rates(raw):
    """The series that are in no table above."""
    shown = {command.name for listed in GROUPS.values() for command in listed}
    shown |= {codec_name(encoding, written, threads) for encoding in FRAMES for written in WRITTEN for threads in (1, 2)}
    rows = []
    for name, one in raw["series"].items():
        if name not in shown:
            values = one["values"]
            rows.append([name, "%s %s" % (number(statistics.median(values)), one["unit"]),
                         "%s to %s" % (number(min(values)), number(max(values))),
                         "%.1f MiB" % max(one["peak_mib"]) if "peak_mib" in one else ""])
    return table(["figure", "median", "range", "peak memory"], rows) if rows else ""


def verdicts(raw):
    rows = []
    for one in judge(raw):
        value = "not measured: " + one.why if one.measured is None else (
            ratio(one.interval) if one.interval else number(one.measured)
            if not one.text.startswith("instructions") else "%.4f" % one.measured)
        rows.append([one.text, value, one.wanted, "met" if one.met else "**MISSED**"])
    return table(["bar", "measured (95 %)", "wanted", ""], rows) if rows else ""


def put_into(path, text):
    """Replace what stands between the two marks of a file."""
    with open(path) as file:
        old = file.read()
    if BEGIN not in old or END not in old:
        raise SystemExit("%s has no lines %s and %s" % (path, BEGIN, END))
    head, rest = old.split(BEGIN, 1)
    with open(path, "w") as file:
        file.write(head + BEGIN + "\n" + text.rstrip() + "\n" + END + rest.split(END, 1)[1])
