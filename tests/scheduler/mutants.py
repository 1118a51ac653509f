#!/usr/bin/env python3
"""Proves that the tests of scheduler and daemon notice each defect that can be switched on.

usage: mutants.py BIN

Every NIGHTSHIFT_RULE has a number. nightshift_scheduler_mutants holds those of scheduler/ and runs its units,
nightshift_product_mutants holds those of daemon/ and runs whole simulated nights. With none switched on the
tests have to pass, with each one some test has to fail: by a failed check, not by a crash.
"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULE = re.compile(r"NIGHTSHIFT_RULE\((\d+),")
CLOSING = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped\s*$", re.MULTILINE)
CASE = re.compile(r"^TEST CASE:\s+(.*)$", re.MULTILINE)
DEFECTS_MIN = 10
NIGHTS = {"NIGHTSHIFT_NIGHTS": "150", "NIGHTSHIFT_PRODUCT_NIGHTS": "100"}
PROGRAMS = {"nightshift_scheduler_mutants": "scheduler", "nightshift_product_mutants": "daemon"}
LIMIT_S = 240


def numbers(folder):
    found = []
    for path in sorted((ROOT / folder).glob("**/*.cpp")):
        found += [int(number) for number in RULE.findall(path.read_text(encoding="utf-8"))]
    return found


def run(program, defect):
    environment = dict(os.environ, NIGHTSHIFT_DEFECT=str(defect), **NIGHTS)
    command = [program] + (["--abort-after=1"] if defect else [])
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        return None, "ran past its limit"
    closing = CLOSING.search(done.stdout)
    if not closing:
        return None, f"ended with {done.returncode} and no closing line"
    case = CASE.search(done.stdout)
    return int(closing.group(2)), case.group(1) if case else ""


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    cases = []
    rules = []
    for program, folder in PROGRAMS.items():
        own = numbers(folder)
        rules += own
        cases += [(os.path.join(sys.argv[1], program), defect) for defect in [0] + sorted(own)]
    passed = failed = 0
    if len(set(rules)) < DEFECTS_MIN or len(set(rules)) != len(rules):
        print(f"FAILED: the rules are {sorted(rules)}; at least {DEFECTS_MIN}, each number once")
        failed += 1
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        results = list(pool.map(lambda case: (case[1], run(*case)), cases))
    for defect, (failures, what) in results:
        is_right = failures is not None and (failures > 0) == (defect > 0)
        passed += is_right
        failed += not is_right
        if defect and is_right:
            print(f"defect {defect:2} noticed by: {what}")
        elif not is_right:
            print(f"FAILED: defect {defect}: {what if failures is None else f'{failures} failures {what}'}")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
