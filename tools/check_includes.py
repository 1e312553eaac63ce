#!/usr/bin/env python3
"""Includes follow the arrows of the design, and cores stay away from the operating system.

    tools/check_includes.py [ROOT]

Checked: which module includes which (ALLOWED below), cycles between modules, the form of an include, what the public
headers include, and headers and calls that only some modules may use (BANS below).
"""
import re
import sys
from pathlib import Path

# Module -> modules that it may include, besides itself. Any module may include the public <carillon/...> headers.
ALLOWED = {
    "base": [],
    "http": ["base"],
    "websocket": ["base", "http"],
    "redis": ["base"],
    "auth": ["base"],
    "io": ["base"],
    "engineio": ["base", "http", "websocket"],
    "socketio": ["base", "http", "websocket", "engineio"],
    "cluster": ["base", "redis", "socketio"],
    "inbox": ["base", "redis"],
    "sim": ["base", "inbox"],
    "api": ["base", "http", "socketio", "inbox"],
    "admin": ["base", "http", "socketio"],
    "runtime": ["base", "http", "websocket", "redis", "auth", "io", "engineio", "socketio", "cluster", "inbox", "api", "admin"],
    "app": ["base", "http", "websocket", "redis", "auth", "io", "engineio", "socketio", "cluster", "inbox", "api",
            "admin", "runtime"],
}

# The modules that talk to the operating system, and the files of base/ through which all others ask it for the time
# and for randomness.
SYSTEM_MODULES = {"io", "runtime", "app"}
SYSTEM_FILES = re.compile(r"src/base/system_\w+\.cpp$")

PORTS = "take a clock or random port of base/ as an argument (its system implementation is src/base/system_*.cpp)"
SOCKETS = "give bytes back to the caller: io/ owns the sockets and runtime/ binds cores to them"
THREADS = "state belongs to one shard: post to its mailbox (io/), threads are started by runtime/"

# (pattern over an include's target, what to use instead), outside the SYSTEM modules.
INCLUDE_BANS = [
    (re.compile(r"sys/|unistd\.h$|fcntl\.h$|poll\.h$|netdb\.h$|netinet/|arpa/inet\.h$|net/if\.h$|linux/"), SOCKETS),
    (re.compile(r"(thread|stop_token|pthread\.h)$"), THREADS),
    (re.compile(r"(csignal|signal\.h)$"), "signals are app/'s business"),
]
# (pattern over code, what to use instead), outside the SYSTEM modules and SYSTEM_FILES.
CODE_BANS = [
    (re.compile(r"\b(steady_clock|system_clock|high_resolution_clock)::now\b"), PORTS),
    (re.compile(r"\b(gettimeofday|clock_gettime|timespec_get)\s*\("), PORTS),
    (re.compile(r"(?<![\w.>])(std::)?time\s*\(\s*(nullptr|NULL|0)\s*\)"), PORTS),
    (re.compile(r"\b(getrandom|getentropy|RAND_bytes)\s*\("), PORTS),
    (re.compile(r"\brandom_device\b"), PORTS),
    (re.compile(r"\b(sleep_for|sleep_until|usleep|nanosleep)\s*\("), "give back the next deadline instead of sleeping"),
]
# Everywhere but in benchmarks/, which measure what we did without: tests, examples and public headers included.
INCLUDE_BANS_EVERYWHERE = [
    (re.compile(r"boost/asio"), "use the event loop, sockets and timers of io/"),
]

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.M)
# Comments, character and string literals (raw ones too): code bans must not see what is inside.
NOT_CODE = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^(\s]*)\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"|(?<![\w])\'(?:\\.|[^\'\\\n])+\'', re.S)
SUFFIXES = {".hpp", ".cpp", ".h", ".cc"}


def blank(match):
    """Keeps the line numbers of what follows."""
    return "\n" * match.group(0).count("\n") or " "


def code_of(text):
    return NOT_CODE.sub(blank, text)


def without_comments(text):
    return NOT_CODE.sub(lambda m: blank(m) if m.group(0).startswith("/") else m.group(0), text)


class Checker:
    def __init__(self, root):
        self.root = root
        self.errors = []
        self.edges = {}  # (module, module) -> where it is included for the first time

    def error(self, where, message):
        self.errors.append(f"{where}: {message}")

    def run(self):
        for path in sorted(p for top in ("src", "include", "examples", "tests", "benchmarks")
                           for p in (self.root / top).rglob("*") if p.suffix in SUFFIXES):
            self.check_file(path)
        for module in sorted(p.name for p in (self.root / "src").glob("*") if p.is_dir()):
            if module not in ALLOWED and any((self.root / "src" / module).iterdir()):
                self.error(f"src/{module}", "this module is missing in ALLOWED of tools/check_includes.py: say what it may include")
        self.check_cycles()
        return self.errors

    def check_file(self, path):
        name = path.relative_to(self.root).as_posix()
        text = path.read_text(encoding="utf-8")
        top, _, rest = name.partition("/")
        module = rest.split("/")[0] if top == "src" and "/" in rest else None
        is_test = path.stem.endswith("_test") or top in ("tests", "benchmarks")

        for match in INCLUDE.finditer(without_comments(text)):
            where = f"{name}:{line_of(without_comments(text), match.start(1))}"
            quoted, target = match.group(1) == '"', match.group(2)
            if top != "benchmarks":
                self.check_bans(where, target, INCLUDE_BANS_EVERYWHERE)
            if top == "include":
                self.check_public_include(where, quoted, target)
            elif module:
                self.check_include(where, module, quoted, target, is_test)
                if module not in SYSTEM_MODULES and not is_test and not SYSTEM_FILES.match(name):
                    self.check_bans(where, target, INCLUDE_BANS)

        needs_ports = module and module not in SYSTEM_MODULES or top == "include"
        if needs_ports and not is_test and not SYSTEM_FILES.match(name):
            code = code_of(text)
            for pattern, instead in CODE_BANS:
                for match in pattern.finditer(code):
                    self.error(f"{name}:{line_of(code, match.start())}",
                               f"`{match.group(0).strip()}` is for io/, runtime/ and app/ only: {instead}")

    def check_bans(self, where, target, bans):
        for pattern, instead in bans:
            if pattern.match(target):
                self.error(where, f"<{target}> is not for this place: {instead}")

    def check_public_include(self, where, quoted, target):
        if quoted or not (target.startswith("carillon/") or re.fullmatch(r"[a-z_0-9]+", target)):
            self.error(where, f"{target}: public headers include only the standard library and <carillon/...>")
        elif target.startswith("carillon/") and not (self.root / "include" / target).is_file():
            self.error(where, f"include/{target} does not exist")

    def check_include(self, where, module, quoted, target, is_test):
        if target.startswith("carillon/"):
            if quoted:
                self.error(where, f'write <{target}>: public headers are included with angle brackets')
            return
        if not quoted:
            if (self.root / "src" / target).is_file():
                self.error(where, f'write "{target}": own headers are included with quotes')
            return
        if not (self.root / "src" / target).is_file():
            self.error(where, f'"{target}": no such file under src/; own headers are included as "module/file.hpp"')
            return
        other = target.split("/")[0]
        if other == module:
            return
        self.edges.setdefault((module, other), where)
        if not is_test and other not in ALLOWED.get(module, []):
            allowed = ", ".join(ALLOWED.get(module, [])) or "no other module"
            self.error(where, f"{module}/ must not include {target}; it may include {allowed}. An interface belongs to the "
                              "module that calls it: let it declare a port, which runtime/ or app/ binds")

    def check_cycles(self):
        graph = {}
        for source, target in self.edges:
            graph.setdefault(source, []).append(target)
        seen, reported = set(), set()

        def visit(module, path):
            if module in path:
                cycle = path[path.index(module):]
                if frozenset(cycle) not in reported:
                    reported.add(frozenset(cycle))
                    hops = [f"{a} -> {b} ({self.edges[a, b]})" for a, b in zip(cycle, cycle[1:] + [module])]
                    self.error("cycle between modules", "; ".join(hops))
                return
            if module in seen:
                return
            for target in sorted(graph.get(module, [])):
                visit(target, path + [module])
            seen.add(module)

        for module in sorted(graph):
            visit(module, [])


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    errors = Checker(root).run()
    for error in errors:
        print(error, file=sys.stderr)
    if errors:
        print(f"check_includes: {len(errors)} violation(s)", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
