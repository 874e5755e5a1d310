"""What the raw rounds say: paired ratios with their intervals, and which bars are met. Nothing here runs a command."""
import math
import statistics
from typing import NamedTuple

from figures import GROUP_OF, MOST_INSTRUCTIONS, MOST_WALL_TIME, bars

# Student's t at 97.5 % for 1 to 30 degrees of freedom.
T = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
     2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042]


class Interval(NamedTuple):
    """A ratio and its 95 % interval."""
    low: float
    middle: float
    high: float


class Verdict(NamedTuple):
    """One bar and what was measured. `measured` is None when the figure is missing, `why` then says why."""
    text: str
    measured: float
    interval: Interval
    wanted: str
    met: bool
    why: str = ""


def paired_ratio(above, below):
    """The geometric mean of the pairs' ratios, and its 95 % interval by Student's t of their logarithms.

    The two values of a pair come from the same round, so that a machine that is slow for a while slows both.
    """
    logs = [math.log(a / b) for a, b in zip(above, below)]
    middle = statistics.fmean(logs)
    if len(logs) < 2:
        return Interval(0, math.exp(middle), math.inf)
    spread = T[min(len(logs) - 1, len(T)) - 1] * statistics.stdev(logs) / math.sqrt(len(logs))
    return Interval(math.exp(middle - spread), math.exp(middle), math.exp(middle + spread))


def judge(raw):
    """The verdict of every bar whose figure was asked for."""
    return compared(raw) if raw["settings"]["base"] else measured(raw)


def measured(raw):
    """Every bar of the groups that were asked for; a group that could not be measured misses as a whole."""
    verdicts = []
    for bar in bars(raw["settings"]["records"]):
        groups = {GROUP_OF[name] for name in (bar.of, bar.to) if name}
        if groups <= set(raw["asked"]) and not groups & set(raw["skipped"]):
            verdicts.append(verdict(bar, raw["series"]))
    return verdicts + not_measured(raw)


def verdict(bar, series):
    """One bar against the rounds."""
    limit = "{:,.0f}".format(bar.limit) if bar.limit >= 1000 else "%.4g" % bar.limit
    wanted = ("at least " if bar.sign == ">=" else "at most ") + limit
    if bar.field not in series[bar.of]:
        return Verdict(bar.text, None, None, wanted, False, "time(1) is not installed")
    values, interval = series[bar.of][bar.field], None
    if bar.to:
        interval = paired_ratio(values, series[bar.to]["values"])
        value = interval.middle
    else:
        # Of memory the worst round counts, of everything else the one in the middle.
        memory = bar.field == "peak_mib" or series[bar.of]["unit"] == "MiB"
        value = max(values) if memory else statistics.median(values)
    return Verdict(bar.text, value, interval, wanted, value >= bar.limit if bar.sign == ">=" else value <= bar.limit)


def not_measured(raw):
    return [Verdict(name, None, None, "a figure", False, why) for name, why in raw["skipped"].items()]


def compared(raw):
    """The verdicts of a comparison with another build."""
    verdicts = []
    for name, counts in raw["instructions"].items():
        ratio = counts["ours"] / counts["base"]
        verdicts.append(Verdict("instructions of %s" % name, ratio, None, "at most %g" % MOST_INSTRUCTIONS,
                                ratio <= MOST_INSTRUCTIONS))
    for name, pair in raw["pairs"].items():
        # Of rates the ratio is that of the time for the same work.
        above, below = (pair["ours"], pair["base"]) if pair["unit"] == "s" else (pair["base"], pair["ours"])
        interval = paired_ratio(above, below)
        verdicts.append(Verdict("wall time of %s" % name, interval.middle, interval,
                                "interval from at most %g" % MOST_WALL_TIME, interval.low <= MOST_WALL_TIME))
    return verdicts + not_measured(raw)
