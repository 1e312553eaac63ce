#!/usr/bin/env python3
"""Counts the tests of the logs of ctest (with GoogleTest), node:test, mocha and unittest. Prints `PASSED FAILED`.

    tools/count_tests.py LOG...
"""
import re
import sys
from pathlib import Path

PATTERNS = [  # (pattern, is it a count of failures)
    (re.compile(r"^(?:\d+: )?\[  PASSED  \] (\d+) tests?\.", re.M), False),
    (re.compile(r"^(?:\d+: )? ?(\d+) FAILED TESTS?$", re.M), True),
    (re.compile(r"^(?:#|\u2139) pass (\d+)$", re.M), False),
    (re.compile(r"^(?:#|\u2139) (?:fail|cancelled) (\d+)$", re.M), True),
    (re.compile(r"^  (\d+) passing \(", re.M), False),
    (re.compile(r"^  (\d+) failing$", re.M), True),
    (re.compile(r"^(\d+) passed, \d+ failed$", re.M), False),
    (re.compile(r"^\d+ passed, (\d+) failed$", re.M), True),
]
UNITTEST = re.compile(r"^Ran (\d+) tests? in .*\n\n(OK|FAILED)(?: \((.*)\))?", re.M)


def count(text):
    totals = [0, 0]
    for pattern, failed in PATTERNS:
        totals[failed] += sum(int(number) for number in pattern.findall(text))
    for ran, _, details in UNITTEST.findall(text):
        bad = sum(int(number) for number in re.findall(r"(?:failures|errors)=(\d+)", details))
        totals[0] += int(ran) - bad
        totals[1] += bad
    return totals


def main():
    counts = [count(re.sub(r"\x1b\[[0-9;]*m", "", Path(name).read_text(encoding="utf-8", errors="replace"))) for name in sys.argv[1:]]
    print(sum(passed for passed, _ in counts), sum(failed for _, failed in counts))


if __name__ == "__main__":
    main()
