#!/usr/bin/env python3
"""Every header compiles alone, and twice (so that #pragma once is not forgotten).

    tools/check_headers.py [HEADER...]

Private headers with the flags of their module (build/release/compile_commands.json if it is there), public ones with
nothing but include/. What has passed is remembered in build/.cache/headers until the header, or one that it includes,
changes.
"""
import subprocess
import sys
from pathlib import Path

import project

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def flags_of(header, commands):
    if header.is_relative_to(project.ROOT / "include"):
        return ["-std=c++23", f"-I{project.ROOT}/include"]
    return project.flags_for(header, commands)


def compile_alone(header, flags):
    folder = "include" if header.is_relative_to(project.ROOT / "include") else "src"
    line = f'#include "{header.relative_to(project.ROOT / folder).as_posix()}"\n'
    result = subprocess.run(["g++", "-x", "c++", "-fsyntax-only", *flags, *WARNINGS, "-"], input=line * 2,
                            capture_output=True, text=True, cwd=project.ROOT)
    return None if result.returncode == 0 else result.stderr


def main():
    headers = [Path(name).resolve() for name in sys.argv[1:]] or project.files("src/*.hpp", "include/*.hpp")
    commands = project.compile_commands()
    compiler = subprocess.run(["g++", "--version"], check=True, capture_output=True, text=True).stdout
    jobs = []
    for header in headers:
        flags = flags_of(header, commands)
        jobs.append((header, project.key(header, compiler, flags, WARNINGS), lambda h=header, f=flags: compile_alone(h, f)))
    sys.exit(1 if project.run_cached("headers", jobs, complete=len(sys.argv) == 1) else 0)


if __name__ == "__main__":
    main()
