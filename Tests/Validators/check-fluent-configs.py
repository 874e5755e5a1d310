#!/usr/bin/env python3
"""Read configurations of Fluentd and Fluent Bit by their syntax, for where the programs are not to be had.

usage: check-fluent-configs.py FOLDER    with fluentd/*.conf and fluent-bit/*.conf

Sections must be closed and have what they cannot be without; each file's inputs and outputs must fit together. Prints a line
for each file, and ends with status 1 if one is wrong.
"""

import pathlib
import re
import sys


class Wrong(Exception):
    pass


def fluentd(text: str) -> list[dict]:
    """The topmost sections: their name, argument, parameters and sections."""
    root: dict = {"name": "", "argument": "", "values": {}, "sections": []}
    stack = [root]
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        if match := re.fullmatch(r"</(\w+)>", line):
            if len(stack) == 1 or stack.pop()["name"] != match[1]:
                raise Wrong(f"line {number}: </{match[1]}> closes nothing")
        elif match := re.fullmatch(r"<(\w+)(?:\s+(\S.*?))?>", line):
            section = {"name": match[1], "argument": match[2] or "", "values": {}, "sections": []}
            stack[-1]["sections"].append(section)
            stack.append(section)
        elif match := re.fullmatch(r"(@?\w+)\s+(\S.*)", line):
            if match[1] in stack[-1]["values"]:
                raise Wrong(f"line {number}: {match[1]} is given twice")
            stack[-1]["values"][match[1]] = match[2]
        else:
            raise Wrong(f"line {number}: {line!r} is neither a section nor a parameter")
    if len(stack) != 1:
        raise Wrong(f"<{stack[-1]['name']}> is not closed")
    for section in root["sections"]:
        if section["name"] not in ("source", "match", "filter") or "@type" not in section["values"]:
            raise Wrong(f"<{section['name']}> is no source, match or filter with a @type")
        for part in section["sections"]:
            if part["name"] in ("buffer", "format", "parse") and "@type" not in part["values"]:
                raise Wrong(f"<{part['name']}> has no @type")
    tags = [section["argument"] for section in root["sections"] if section["name"] == "match"]
    if tags != ["kata-containers"]:
        raise Wrong(f"matches {tags}, not kata-containers")
    for section in root["sections"]:
        if section["values"]["@type"] == "forward":
            security = [part["values"] for part in section["sections"] if part["name"] == "security"]
            if section["values"].get("port") != "24224" or not security or "shared_key" not in security[0]:
                raise Wrong("the forward input needs port 24224 and a shared key")
    return root["sections"]


def fluent_bit(text: str, parsers: set[str]) -> list[tuple[str, dict]]:
    """The sections: their name and parameters, with names in lower case."""
    sections: list[tuple[str, dict]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if match := re.fullmatch(r"\[([A-Z]+)\]", line):
            if match[1] not in ("SERVICE", "INPUT", "FILTER", "OUTPUT", "PARSER"):
                raise Wrong(f"line {number}: there is no section {match[1]}")
            sections.append((match[1], {}))
        elif sections and (match := re.fullmatch(r"    ([\w.]+)\s+(\S.*)", line)):
            sections[-1][1][match[1].lower()] = match[2]
        else:
            raise Wrong(f"line {number}: {line!r} is neither a section nor a property that is set in by four")
    for name, values in sections:
        if name != "SERVICE" and "name" not in values:
            raise Wrong(f"[{name}] has no Name")
        if name in ("FILTER", "OUTPUT") and values.get("match") != "kata-containers":
            raise Wrong(f"[{name}] does not match kata-containers")
        if name == "OUTPUT" and values.get("retry_limit") != "no_limits":
            raise Wrong("[OUTPUT] gives up after one retry: Retry_Limit no_limits")
        if name in ("INPUT", "FILTER") and "parser" in values and values["parser"] not in parsers:
            raise Wrong(f"there is no parser {values['parser']}")
        if values.get("name") == "forward" and (values.get("port") != "24224" or "shared_key" not in values):
            raise Wrong("the forward input needs port 24224 and a shared key")
    return sections


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    status = 0
    text = (folder / "fluent-bit" / "parsers.conf").read_text()
    parsers = {values.get("name") for name, values in fluent_bit(text, set()) if name == "PARSER"}
    for path in sorted(folder.glob("*/*.conf")):
        try:
            read = fluentd(path.read_text()) if path.parent.name == "fluentd" else fluent_bit(path.read_text(), parsers)
            print(f"{path.parent.name}/{path.name}: {len(read)} sections")
        except Wrong as problem:
            print(f"{path}: {problem}", file=sys.stderr)
            status = 1
    sys.exit(status)


if __name__ == "__main__":
    main()
