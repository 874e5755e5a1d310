"""The forwarder's part: codecs in memory, the way from agents to a collector, and memory."""
import glob
import json
import os
import re
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import urllib.request

from figures import CODECS, FRAMES, WRITTEN, codec_name
from measuring import NotMeasured, alternate, fill

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SPANS_IN_SAMPLES = 400


def sample_bytes():
    """The sample frames of both encodings: 400 spans."""
    return b"".join(open(os.path.join(ROOT, "formats", path), "rb").read() for path in FRAMES.values())


def codec_rate(places, encoding, written, threads, limit):
    """An action that measures spans a second of one codec."""
    command = fill(CODECS % (FRAMES[encoding], written, threads, limit), places)

    def rate():
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise NotMeasured("%s failed: %s" % (os.path.basename(command[0]), done.stdout or done.stderr))
        return int(done.stdout.split()[0])
    return rate


def codecs(places, rounds, milliseconds):
    """Spans a second: decoded from each encoding, and written in each format, on one and two threads."""
    actions = {codec_name(encoding, written, threads): codec_rate(places, encoding, written, threads, milliseconds)
               for encoding in FRAMES for written in WRITTEN for threads in (1, 2)}
    return series("spans/s", alternate(actions, rounds))


def python_json(places, rounds, milliseconds):
    """Spans a second of decoding the JSON frames, beside Python's json (in C), which makes dictionaries of them."""
    with open(os.path.join(ROOT, "formats", FRAMES["JSON"]), "rb") as file:
        data = file.read()
    payloads, offset = [], 0
    while offset < len(data):
        length, = struct.unpack_from(">Q", data, offset)
        payloads.append(data[offset + 8:offset + 8 + length].decode())
        offset += 8 + length

    def peer():
        start, count = time.perf_counter(), 0
        while time.perf_counter() - start < milliseconds / 1000:
            for payload in payloads:
                json.loads(payload)
            count += len(payloads)
        return count / (time.perf_counter() - start)

    ours = codec_rate(places, "JSON", "none", 1, milliseconds)
    return series("spans/s", alternate({"decode JSON frames": ours, "json.loads": peer}, rounds))


def series(unit, values):
    """Series of one unit."""
    return {name: {"unit": unit, "values": list(rounds)} for name, rounds in values.items()}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Forwarder:
    """A forwarder under test: agents over one hybrid VSOCK socket, a spool of its own."""

    def __init__(self, binary, folder, *options):
        self.socket = os.path.join(folder, "vm.sock")
        self.log = os.path.join(folder, "log")
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [binary, "--vsock=false", "--socket-path", self.socket, "--spool-dir", os.path.join(folder, "spool"),
                 "--user", "root", "--jaeger-receiver", "off", "--otlp-receiver", "off", "--metrics", "127.0.0.1:0",
                 *options], stderr=log, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not (found := re.search(r"metrics=(\S+)", self.read_log())):
            if time.monotonic() > deadline or self.process.poll() is not None:
                self.stop()
                raise NotMeasured("the forwarder did not start: " + self.read_log())
            time.sleep(0.02)
        self.metrics_url = "http://%s/metrics" % found.group(1)

    def read_log(self):
        with open(self.log) as log:
            return log.read()

    def metric(self, name):
        text = urllib.request.urlopen(self.metrics_url, timeout=10).read().decode()
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if re.match(name + r"(\{|\s)", line))

    def wait_for(self, name, least):
        """Wait until a counter is there."""
        deadline = time.monotonic() + 120
        while self.metric(name) < least:
            if time.monotonic() > deadline:
                raise NotMeasured("%s did not reach %d: %s" % (name, least, self.read_log()[-2000:]))
            time.sleep(0.01)

    def memory(self, field="VmRSS"):
        with open("/proc/%d/status" % self.process.pid) as status:
            return int(re.search(field + r":\s+(\d+)", status.read()).group(1)) / 1024

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)


def send(path, data, repeats):
    """One agent."""
    with socket.socket(socket.AF_UNIX) as agent:
        agent.connect(path + "_10240")
        for _ in range(repeats):
            agent.sendall(data)


def relay_once(binary, rotel, agents, spans):
    """Spans a second from so many agents to the collector, and the forwarder's peak of memory in MiB."""
    data = sample_bytes()
    repeats = max(1, spans // agents // SPANS_IN_SAMPLES)
    total = repeats * agents * SPANS_IN_SAMPLES
    port = free_port()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        collector = subprocess.Popen([rotel, "start", "--otlp-http-endpoint", "127.0.0.1:%d" % port,
                                      "--otlp-grpc-endpoint", "127.0.0.1:%d" % free_port(), "--exporter", "blackhole"],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            with Forwarder(binary, folder, "--otlp-endpoint", "http://127.0.0.1:%d" % port,
                           "--max-connections-per-guest", "128") as forwarder:
                threads = [threading.Thread(target=send, args=(forwarder.socket, data, repeats)) for _ in range(agents)]
                start = time.perf_counter()
                for thread in threads:
                    thread.start()
                forwarder.wait_for("kata_forwarder_spans_exported_total", total)
                seconds = time.perf_counter() - start
                for thread in threads:
                    thread.join()
                return total / seconds, forwarder.memory("VmHWM")
        finally:
            collector.terminate()
            collector.wait()


def relay(binaries, agent_counts, rounds, spans):
    """Series of the relay: each binary (by label) with each number of agents, in turn."""
    rotel = glob.glob(os.path.join(ROOT, ".build", "venv", "lib", "python3*", "site-packages", "rotel", "rotel-agent"))
    if not rotel:
        raise NotMeasured("rotel is not installed (make test-dependencies)")
    actions = {}
    for label, binary in binaries.items():
        for agents in agent_counts:
            name = "relay, %d agent%s%s" % (agents, "" if agents == 1 else "s", label)
            actions[name] = lambda binary=binary, agents=agents: relay_once(binary, rotel[0], agents, spans)
    values = alternate(actions, rounds)
    return {name: {"unit": "spans/s", "values": [rate for rate, _ in rounds], "peak_mib": [peak for _, peak in rounds]}
            for name, rounds in values.items()}


def idle_memory(binary):
    """MiB of a forwarder that has nothing to do."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        with Forwarder(binary, folder, "--query", "127.0.0.1:0") as forwarder:
            time.sleep(0.5)
            return forwarder.memory()


def memory_while_away(binary, spans):
    """MiB with a tenth of the spans received and with all, while nobody listens at the collector's port."""
    data, result, sent = sample_bytes(), [], 0
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        with Forwarder(binary, folder, "--otlp-endpoint", "http://127.0.0.1:%d" % free_port(),
                       "--stop-timeout", "100ms") as forwarder:
            for part in (spans // 10, spans - spans // 10):
                repeats = max(1, part // SPANS_IN_SAMPLES)
                send(forwarder.socket, data, repeats)
                sent += repeats * SPANS_IN_SAMPLES
                forwarder.wait_for("kata_forwarder_spool_appended_spans_total", sent)
                result.append(forwarder.memory())
    return result


def memory(binary, spans, rounds):
    """Series of the forwarder's memory in MiB."""
    away = [memory_while_away(binary, spans) for _ in range(rounds)]
    return series("MiB", {
        "idle memory": [idle_memory(binary) for _ in range(rounds)],
        "memory without a collector, a tenth of the spans": [early for early, _ in away],
        "memory without a collector, all spans": [late for _, late in away],
        "memory growth": [late - early for early, late in away],
    })
