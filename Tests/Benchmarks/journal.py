"""The journal's part: a journal file of generated entries, and how soon a follower writes what journald accepts."""
import os
import shutil
import subprocess
import sys
import tempfile
import time

from measuring import NotMeasured

REMOTE = "/lib/systemd/systemd-journal-remote"
ENTRY = ("__CURSOR=s=%032x;i=%x;b=%032x;m=%x;t=%x;x=%x\n__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n"
         "_BOOT_ID=%032x\n_MACHINE_ID=%032x\n_HOSTNAME=node1\n_PID=%d\n_UID=0\n_COMM=containerd-shim\n"
         "_SYSTEMD_UNIT=containerd.service\n_TRANSPORT=syslog\nSYSLOG_IDENTIFIER=kata\nPRIORITY=6\nMESSAGE=%s\n\n")
SENDER = """
import socket, sys
target = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
for line in sys.stdin:
    target.sendto(("SYSLOG_IDENTIFIER=kata\\nMESSAGE=" + line).encode(), "/run/systemd/journal/socket")
"""
RECORD = 'time="2026-03-05T05:01:54.000000000Z" level=info msg=n%d name=shim pid=7 source=shim\n'


def write_journal(path, log, entries=20_000):
    """Make a journal file of the log's first lines. Returns its path, or None where systemd-journal-remote is missing."""
    if not (os.path.exists(REMOTE) and shutil.which("journalctl")):
        return None
    text = []
    with open(log) as lines:
        for number, line in zip(range(entries), lines):
            real = 1763655932000000 + number * 700
            since_start = real - 1763655000000000
            text.append(ENTRY % (7, number + 1, 9, since_start, real, number, real, since_start, 9, 5, 100 + number % 16,
                                 line.rstrip("\n")))
    subprocess.run([REMOTE, "--output=" + path, "-"], input="".join(text).encode(), check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return path


def follow_latency(binary, count):
    """Milliseconds from handing an entry to a journald of our own to its record on a follower's output, one each."""
    if os.geteuid() != 0:
        raise NotMeasured("a journald of its own needs root")
    helper = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Support", "private-journald")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        processes = []

        def start(command, **pipes):
            processes.append(subprocess.Popen(command, text=True, **pipes))
            return processes[-1]

        try:
            daemon = start(["unshare", "--mount", helper, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL)
            ready = daemon.stdout.readline().split()
            if len(ready) < 2:
                raise NotMeasured("systemd-journald does not start here")
            inside = ["nsenter", "--mount", "--target", ready[1]]
            follower = start(inside + [binary, "--journal", "--follow", "--lines", "0", "--output-format", "ndjson"],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            sender = start(inside + [sys.executable, "-c", SENDER], stdin=subprocess.PIPE)
            time.sleep(1)
            return [latency(sender, follower, number) for number in range(count)]
        finally:
            for process in reversed(processes):
                if process.stdin:
                    process.stdin.close()
                process.terminate()
                process.wait()


def latency(sender, follower, number):
    """Milliseconds of one entry."""
    begin = time.perf_counter()
    sender.stdin.write(RECORD % number)
    sender.stdin.flush()
    if not follower.stdout.readline():
        raise NotMeasured("the follower ended")
    milliseconds = (time.perf_counter() - begin) * 1000
    time.sleep(0.02)
    return milliseconds
