#!/usr/bin/env python3
"""check-shapes.py BINARY SAMPLES [-v] [-k NAME] [--seed N]

Reads every sample below the folder SAMPLES with BINARY and compares the records as SAMPLES/README.md says. With a seed,
ids, times and process ids of the samples and of what is expected of them are changed first.
"""
import datetime
import json
import os
import random
import re
import subprocess
import sys
import tempfile

binary, root = sys.argv[1:3]
verbose = "-v" in sys.argv
only = sys.argv[sys.argv.index("-k") + 1] if "-k" in sys.argv else None
seed = int(sys.argv[sys.argv.index("--seed") + 1]) if "--seed" in sys.argv else None


def ns(t):
    if t.startswith("@"):
        n, d = int(t[1:]), len(t) - 1
        return n * (10**9 if d <= 11 else 10**6 if d <= 14 else 10**3 if d <= 17 else 1)
    m = re.match(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$", t)
    if not m: return None
    s = int(datetime.datetime(*map(int, m.groups()[:6]), tzinfo=datetime.timezone.utc).timestamp())
    z = m.group(8)
    if z != "Z": s -= (1 if z[0] == "+" else -1) * (int(z[1:3]) * 3600 + int(z[4:6]) * 60)
    return s * 10**9 + int((m.group(7) or "0").ljust(9, "0"))


def change(log, exp, rng):
    both = log + "\0" + exp
    def swap(pattern, new):
        nonlocal both
        seen = {}
        taken = set()
        for m in re.findall(pattern, both): seen.setdefault(m, None)
        for k in sorted(seen):
            while True:
                v = new(k)
                if v not in taken: break
            taken.add(v)
            seen[k] = v
        both = re.sub(pattern, lambda m: seen[m.group(0)], both)
    hexd = lambda k: "".join(rng.choice("0123456789abcdef") if c in "0123456789abcdef" else c for c in k)
    # ids: whole ones first; what is a beginning of another one stays its beginning
    ids = sorted(set(re.findall(r"(?<![0-9a-f])[0-9a-f]{20,64}(?![0-9a-f])", both)), key=len, reverse=True)
    table = {}
    for i in ids:
        longer = next((j for j in ids if len(j) > len(i) and j.startswith(i)), None)
        table[i] = table[longer][:len(i)] if longer else hexd(i)
        while not re.search(r"[a-f]", table[i][:8]): table[i] = hexd(i)
    both = re.sub(r"(?<![0-9a-f])[0-9a-f]{20,64}(?![0-9a-f])", lambda m: table[m.group(0)], both)
    swap(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", hexd)
    swap(r"(?<=[T ]\d\d):[0-5]\d:[0-5]\d(?!\d)", lambda k: ":%02d:%02d" % (rng.randrange(60), rng.randrange(60)))
    pids = sorted({str(p) for p in re.findall(r'"pid": (\d{3,})', exp)})
    swap_to = {}
    for p in pids:
        while True:
            v = str(rng.randrange(10**(len(p) - 1), 10**len(p)))
            if v not in swap_to.values() and not re.search(r"(?<!\d)%s(?!\d)" % v, both): break
        swap_to[p] = v
    if pids: both = re.sub(r"(?<![\d.])(%s)(?![\d.])" % "|".join(pids), lambda m: swap_to[m.group(0)], both)
    return both.split("\0")


def judge(path):
    log = open(path, newline="").read(); exp = open(path[:-4] + ".expected.ndjson").read()
    if seed is not None: log, exp = change(log, exp, random.Random(f"{seed}{os.path.relpath(path, root)}"))
    rows = [json.loads(l) for l in exp.splitlines()]; head = rows[0]["sample"]; rows = rows[1:]
    with tempfile.TemporaryDirectory() as d:
        p = os.path.join(d, os.path.basename(path)); open(p, "w", newline="").write(log)
        t = ns(head["written"]) / 1e9; os.utime(p, (t, t))
        run = subprocess.run([binary, "--output-format", "ndjson", p], capture_output=True, env={**os.environ, "TZ": "UTC"}, timeout=30)
    got = [json.loads(l) for l in run.stdout.decode("utf-8", "replace").splitlines()]
    problems = ["refused: " + re.sub(r"^.*?error: (/\S*/)?", "", l)[:150] for l in run.stderr.decode().splitlines() if "error" in l]
    want = [e for e in rows if not e.get("none")]
    if len(got) != len(want): problems.append(f"{len(got)} records, not {len(want)}")
    by = {}
    for o in got: by.setdefault(o["line"], []).append(o)
    for e in want:
        rs = by.get(e["lines"][0])
        if not rs: problems.append(f"line {e['lines'][0]}: no record"); continue
        best = None
        for o in rs:
            miss = []
            if bool(o.get("kata-log-parser-raw")) != bool(e.get("raw")): miss.append("raw" if o.get("kata-log-parser-raw") else "not raw")
            for k, v in e.items():
                if k in ("lines", "raw"): continue
                w = o.get(k)
                if k == "time":
                    inherited = bool(o.get("kata-log-parser-time-inherited")) or not w
                    ok = inherited if v is None else (not inherited and ns(w) == ns(v))
                elif k == "msg": ok = re.sub(r"\x1b\[[0-9;]*m|\\x1b\[[0-9;]*m", "", w or "").strip() == v.strip()
                else: ok = (w if w is not None else "") == v
                if not ok: miss.append(f"{k} is {w!r}, not {v!r}")
            if best is None or len(miss) < len(best): best = miss
        problems += [f"line {e['lines'][0]}: {m}" for m in best]
    return head, problems


good = total = 0
for base, _, files in sorted(os.walk(root)):
    for f in sorted(files):
        if not f.endswith(".log") or (only and only not in os.path.join(base, f)): continue
        head, problems = judge(os.path.join(base, f))
        total += 1; good += not problems
        if problems and verbose:
            print(head["class"], os.path.relpath(os.path.join(base, f), root)); [print("    " + x[:260]) for x in problems]
print(f"{good} of {total} samples")
sys.exit(total == 0 or good != total)
