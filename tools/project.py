"""What the checkers share: the project's files, what they include, how they are compiled, a cache of what has passed."""
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / "build" / ".cache"
INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"\n]+)[>"]', re.M)


def files(*patterns):
    """Files of the project: tracked, or new and not ignored."""
    names = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "-co", "--exclude-standard", "--", *patterns],
                           check=True, stdout=subprocess.PIPE, text=True).stdout
    paths = (ROOT / name for name in names.split("\0") if name)
    return sorted({path for path in paths if path.is_file()})


def with_included(path, seen=None):
    """The file and the project's headers that it includes, directly or not."""
    seen = set() if seen is None else seen
    if path not in seen:
        seen.add(path)
        for target in INCLUDE.findall(path.read_bytes()):
            for folder in ("src", "include"):
                header = ROOT / folder / target.decode()
                if header.is_file():
                    with_included(header, seen)
    return seen


def key(path, *what):
    """Changes when the file, a project header that it includes, or anything in `what` does."""
    digest = hashlib.sha256(repr(what).encode())
    for part in sorted(with_included(path)):
        digest.update(str(part.relative_to(ROOT)).encode() + b"\0" + part.read_bytes() + b"\0")
    return digest.hexdigest()


def compile_commands(preset="release"):
    """File -> arguments of its compiler call, from the given preset's build."""
    database = ROOT / "build" / preset / "compile_commands.json"
    if not database.is_file():
        return {}
    return {Path(entry["file"]): shlex.split(entry["command"]) for entry in json.loads(database.read_text(encoding="utf-8"))}


def front_end_flags(arguments):
    """Of a compiler call: what decides how a file is read. Not its warnings, its output or the precompiled header, which
    only the compiler that wrote it can read."""
    flags, rest = [], iter(arguments)
    for argument in rest:
        if argument in ("-I", "-isystem", "-D", "-U", "-iquote"):
            flags += [argument, next(rest)]
        elif argument == "-include":
            header = next(rest)
            if "cmake_pch" not in header:
                flags += [argument, header]
        elif re.match(r"-(I|D|U|std=|isystem)", argument):
            flags.append(argument)
    return flags


def flags_for(path, commands):
    """Flags of a file; of a header or a file that this build leaves out: those of a neighbour in its module."""
    own = commands.get(path)
    if own is None:
        module = ROOT / "src" / path.relative_to(ROOT / "src").parts[0]
        own = next((arguments for other, arguments in sorted(commands.items()) if other.is_relative_to(module)), None)
    if own is None:
        return ["-std=c++23", f"-I{ROOT}/src", f"-I{ROOT}/include"]
    return front_end_flags(own)


def run_cached(name, jobs, complete):
    """Runs what has not passed before, on all cores. jobs: (path, key, function -> output if it failed or None);
    complete: these are all files there are. Prints how far it is and what fails; gives the number of failures."""
    stamps = CACHE / name
    stamps.mkdir(parents=True, exist_ok=True)
    todo = [job for job in jobs if not (stamps / job[1]).exists()]
    failures, started = 0, time.monotonic()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        running = {pool.submit(function): (path, stamp) for path, stamp, function in todo}
        for done, future in enumerate(as_completed(running), 1):
            path, stamp = running[future]
            output = future.result()
            if output is None:
                (stamps / stamp).touch()
            else:
                failures += 1
                print(output.rstrip(), flush=True)
            print(f"{name}: [{done}/{len(todo)}, {time.monotonic() - started:.0f}s] {path.relative_to(ROOT)}"
                  f"{'' if output is None else ': FAILED'}", flush=True)
    print(f"{name}: {len(jobs)} files, {len(jobs) - len(todo)} unchanged since they passed, {failures} failed", flush=True)
    if complete:  # stamps of files that have changed since: keep the folder from growing for ever
        for stamp in {entry.name for entry in stamps.iterdir()} - {job[1] for job in jobs}:
            (stamps / stamp).unlink(missing_ok=True)
    return failures


def fail(message):
    print(message, file=sys.stderr)
    sys.exit(1)
