"""Running commands and timing them: rounds of a group, peak memory, instructions."""
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time


class NotMeasured(Exception):
    """A group cannot be measured; the text says what is missing or what failed. The other groups are measured all the same."""


def run(command):
    """Wall seconds and processor seconds of one run. What it writes is thrown away."""
    actions = [(os.POSIX_SPAWN_OPEN, descriptor, os.devnull, os.O_RDWR, 0) for descriptor in (0, 1, 2)]
    start = time.perf_counter()
    process = os.posix_spawnp(command[0], command, os.environ, file_actions=actions)
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - start
    if status != 0:
        raise NotMeasured("failed with status %d: %s" % (os.waitstatus_to_exitcode(status), shlex.join(command)))
    return seconds, usage.ru_utime + usage.ru_stime


def run_once(command):
    """Wall seconds of one run."""
    return run(command)[0]


def processor_seconds(command):
    """Seconds of processors, user's and system's, of one run."""
    return run(command)[1]


def require(command):
    """Refuse a command whose program is not installed."""
    if not shutil.which(command[0]):
        raise NotMeasured("%s is not installed" % command[0])


def peak_memory(command):
    """Peak resident size of one run in MiB, as time(1) tells it."""
    # A process counts its parent's memory until it executes its program; time(1) is a small parent.
    with tempfile.NamedTemporaryFile("r") as report:
        run_once(["/usr/bin/time", "-f", "%M", "-o", report.name] + command)
        return int(report.read()) / 1024


def instructions(command):
    """Instructions of one run, counted by cachegrind."""
    with tempfile.NamedTemporaryFile("r") as report:
        run_once(["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null",
                  "--log-file=" + report.name] + command)
        for line in report:
            if "refs:" in line:
                return int(line.rsplit(None, 1)[1].replace(",", ""))
    raise NotMeasured("cachegrind counted nothing: " + shlex.join(command))


def fill(line, places):
    """The words of a command line, its placeholders filled in."""
    words = shlex.split(line)
    for word in words:
        for name in ("parser", "codecs", "journal"):
            if "{%s}" % name in word and places.get(name) is None:
                raise NotMeasured("there is no %s" % places["why"][name])
    return [word.format(**places) for word in words]


def alternate(actions, rounds, note=None):
    """Call each action once a round, every other round in reverse order. Returns the values by name, a list each.

    Reversing cancels what an action leaves to the next one: caches, a busy disk, a warm processor.
    """
    values = {name: [] for name in actions}
    for number in range(rounds):
        names = list(actions)
        for name in names if number % 2 == 0 else reversed(names):
            values[name].append(actions[name]())
        if note:
            note(number + 1)
    return values


def progress(text):
    """Say on standard error what is being done."""
    print(text, file=sys.stderr, flush=True)


def measure_group(group, places, rounds, memory_rounds):
    """The series of a group of commands: seconds of each round, and peaks of memory."""
    commands = {command.name: fill(command.line, places) for command in group}
    for command in commands.values():
        require(command)
    repeats = {command.name: command.repeat for command in group}

    def timed(name):
        return lambda: min(run_once(commands[name]) for _ in range(repeats[name]))

    for name in commands:
        run_once(commands[name])  # Reads its input into the page cache.
    values = alternate({name: timed(name) for name in commands}, rounds)
    series = {}
    for command in group:
        series[command.name] = {"command": command.line, "unit": "s", "values": values[command.name]}
        if command.reads:
            series[command.name]["bytes"] = os.path.getsize(places[command.reads])
        if os.path.exists("/usr/bin/time"):
            series[command.name]["peak_mib"] = [peak_memory(commands[command.name]) for _ in range(memory_rounds)]
    return series


def write_inputs(places, records, here):
    """Generate the logs in {folder}; the same records every time."""
    folder = places["folder"]

    def path(name):
        return os.path.join(folder, name)

    def generate(name, count):
        with open(path(name), "wb") as out:
            subprocess.run([sys.executable, os.path.join(here, "generate-log.py"), str(count)], stdout=out, check=True)
        places[name] = path(name)

    def shuffle(name, source):
        seed = subprocess.Popen(["yes"], stdout=subprocess.PIPE)
        with open(path(name), "wb") as out:
            subprocess.run(["shuf", "--random-source=/dev/stdin", places[source]], stdin=seed.stdout, stdout=out, check=True)
        seed.stdout.close()
        seed.wait()
        places[name] = path(name)

    def deal_out(source):
        for number in range(5):
            places["%s_%d" % (source, number)] = path("%s_%d" % (source, number))
        files = [open(places["%s_%d" % (source, number)], "wb") for number in range(5)]
        with open(places[source], "rb") as lines:
            for number, line in enumerate(lines):
                files[number % 5].write(line)
        for file in files:
            file.close()

    generate("log", records)
    shuffle("shuffled", "log")
    with open(path("log"), "rb") as source, open(path("part"), "wb") as out:
        for _, line in zip(range(max(1, records // 5)), source):
            out.write(line)
    places["part"] = path("part")
    shuffle("part_shuffled", "part")
    deal_out("part")
    subprocess.run([sys.executable, os.path.join(here, "generate-shapes.py"), str(max(1, records // 5)), folder], check=True)
    for name in ("console", "slog", "cri", "docker", "journalctl", "journal_json", "klog"):
        places[name] = path(name)
    generate("small", min(records, 40_000))
    shuffle("small_shuffled", "small")
    if places.get("parser"):
        for name, source in (("part_ndjson", "part"), ("small_ndjson", "small")):
            places[name] = path(name)
            subprocess.run([places["parser"], "--output-format", "ndjson", "--output-file", places[name], places[source]],
                           check=True)
