#!/usr/bin/env python3
"""clang-tidy over src/ without its tests, with the flags of the release build. What has passed is remembered in build/.cache/tidy until
the file, a header that it includes, or .clang-tidy changes.

    tools/tidy.py [FILE...]
    tools/tidy.py --fix FILE...     lets clang-tidy make the changes that it knows how to make
"""
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import project


def main():
    arguments = sys.argv[1:]
    fix = ["--fix"] if "--fix" in arguments else []
    names = [name for name in arguments if name != "--fix"]
    tidy = shutil.which("clang-tidy-19") or shutil.which("clang-tidy")
    if not tidy:
        project.fail("tidy: no clang-tidy-19 or clang-tidy: tools/install_packages.sh --test installs it")
    commands = project.compile_commands("release")
    if not commands:
        project.fail("tidy: build/release/compile_commands.json is missing: run tools/build.sh release")

    sources = [Path(name).resolve() for name in names] or shipped_files()
    version = subprocess.run([tidy, "--version"], check=True, capture_output=True, text=True).stdout
    rules = (project.ROOT / ".clang-tidy").read_text(encoding="utf-8")

    # clang cannot read GCC's precompiled header: it gets a database of its own.
    database = project.CACHE / "tidy-database"
    database.mkdir(parents=True, exist_ok=True)
    entries, jobs = [], []
    for source in sources:
        flags = project.flags_for(source, commands)
        # GCC's sanitizers and warnings are for GCC's builds; the plain set of clang's warnings comes on top of the checks.
        command = ["clang++", *flags, "-Wall", "-Wextra", "-c", str(source)]
        entries.append({"directory": str(project.ROOT), "file": str(source), "arguments": command})
        jobs.append((source, project.key(source, version, rules, flags),
                     lambda s=source: run_tidy([tidy, "-p", str(database), "--quiet", *fix, str(s)])))
    # Written aside and moved into place: another run may be reading it.
    temporary = database / f"compile_commands.json.{os.getpid()}"
    temporary.write_text(json.dumps(entries, indent=1))
    temporary.replace(database / "compile_commands.json")
    sys.exit(1 if project.run_cached("tidy", jobs, complete=not names) else 0)


# What ships. GoogleTest's macros cost more time than all the rest, and fixtures follow other habits (public state, copies
# made on purpose), which the compiler's warnings and the sanitizers watch over well enough.
def shipped_files():
    return [path for path in project.files("src/*.cpp") if not path.stem.endswith("_test")]


def run_tidy(command):
    result = subprocess.run(command, capture_output=True, text=True, cwd=project.ROOT)
    if result.returncode == 0:
        return None
    # stderr counts the warnings in system headers that were suppressed; it says something only if stdout does not.
    return result.stdout if result.stdout.strip() else result.stderr


if __name__ == "__main__":
    main()
