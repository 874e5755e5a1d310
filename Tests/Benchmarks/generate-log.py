#!/usr/bin/env python3
"""Write a log like a Kata node's: logfmt of the runtime, a quarter of it guest console lines, half of those agent JSON.

usage: generate-log.py RECORDS [SEED] > FILE
The same seed gives the same bytes. Records are in order of time and about 290 bytes long.
"""
import json
import random
import sys
import time


def main():
    count = int(sys.argv[1])
    rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    sandboxes = ["%064x" % rng.getrandbits(256) for _ in range(16)]
    subsystems = ["sandbox", "qemu", "container", "kata_agent", "network", "hypervisor", "virtcontainers"]
    words = ("created attached device started stopped waiting for VM memory hotplug network interface "
             "endpoint mount volume rootfs console shim process exit status request reply timeout").split()
    levels = ["debug"] * 6 + ["info"] * 3 + ["warning"] + ["error"]
    seconds, nanos = 1_763_655_932, 0
    out = sys.stdout
    for number in range(count):
        nanos += rng.randrange(200_000, 9_000_000)
        seconds += nanos // 1_000_000_000
        nanos %= 1_000_000_000
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + ".%09dZ" % nanos
        sandbox = sandboxes[number % 16]
        pid = 3_400_000 + number % 16
        kind = rng.random()
        text = " ".join(rng.choice(words) for _ in range(rng.randrange(2, 7)))
        if kind < 0.125:
            agent = {"msg": text, "level": rng.choice(["INFO", "DEBG", "WARN"]), "ts": stamp, "pid": "1",
                     "version": "0.1.0", "name": "kata-agent", "subsystem": rng.choice(["rpc", "mount", "sandbox"]),
                     "source": "agent"}
            console = json.dumps(json.dumps(agent, separators=(",", ":")))
            out.write(f'time="{stamp}" level=debug msg="reading guest console" '
                      f'console-url=/run/vc/vm/{sandbox}/console.sock name=containerd-shim-v2 pid={pid} '
                      f'sandbox={sandbox} source=virtcontainers subsystem=sandbox vmconsole={console}\n')
        elif kind < 0.25:
            console = "[%12.6f] %s" % (number / 1000, text)
            out.write(f'time="{stamp}" level=debug msg="reading guest console" '
                      f'console-url=/run/vc/vm/{sandbox}/console.sock name=containerd-shim-v2 pid={pid} '
                      f'sandbox={sandbox} source=virtcontainers subsystem=sandbox vmconsole="{console}"\n')
        else:
            extra = f' default-kernel-parameters="panic=1 quiet" attempt={rng.randrange(9)}' if kind > 0.8 else ""
            out.write(f'time="{stamp}" level={rng.choice(levels)} msg="{text}" name=containerd-shim-v2 pid={pid} '
                      f'sandbox={sandbox} source=virtcontainers subsystem={rng.choice(subsystems)} '
                      f'function={rng.choice(words)}{extra}\n')


main()
