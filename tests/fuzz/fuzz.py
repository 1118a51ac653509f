#!/usr/bin/env python3
"""Runs the parsers of cron, windows, durations and sizes under libFuzzer.

usage: fuzz.py [--seconds N]      N for each parser, default 10

Builds tests/fuzz/parsers.cpp with clang, its fuzzer and the address sanitizer, in a
folder of its own. Where clang or its fuzzer is missing the parsers count as skipped, with the reason. An
input that breaks a promise is printed; put it into the parser's unit tests with the fix.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = [
    "tests/fuzz/parsers.cpp",
    "tests/support/fixed_zones.cpp",
    "scheduler/calendar.cpp",
    "scheduler/civil_day.cpp",
    "scheduler/cron.cpp",
    "scheduler/result.cpp",
    "scheduler/units.cpp",
]
SEEDS = {
    "cron": ["0 22 * * mon-fri", "*/15 0-4 29 2 *", "@daily", "5,10-20/3 * 1 jan sat-sun"],
    "calendar": ["mon-fri 22:00-06:00", "sat,sun 00:00-24:00", "daily 08:00-19:00", "fri-mon 1:00-1:00"],
    "duration": ["90s", "1h30m", "2d", "250ms", "3600"],
    "size": ["3GiB", "1.5GB", "512 MiB", "4096", "2T"],
}


def find_clang():
    for name in ["clang++", "clang++-18", "clang++-16", "clang++-15", "clang++-14"]:
        if shutil.which(name):
            return name
    return None


def build(clang, program):
    flags = ["-std=c++20", "-O1", "-gline-tables-only", "-fsanitize=fuzzer,address"]
    command = [clang, *flags, f"-I{ROOT}", *(str(ROOT / source) for source in SOURCES), "-o", program]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def fuzz(program, box, target, seconds):
    corpus = pathlib.Path(box) / target
    corpus.mkdir()
    for number, seed in enumerate(SEEDS[target]):
        (corpus / str(number)).write_text(seed, encoding="utf-8")
    command = [program, str(corpus), f"-max_total_time={seconds}", "-max_len=300", "-timeout=5",
               f"-artifact_prefix={box}/{target}-", "-print_final_stats=1", "-rss_limit_mb=1024"]
    environment = dict(os.environ, NIGHTSHIFT_FUZZ=target)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False,
                          errors="replace")
    runs = re.search(r"number_of_executed_units:\s*(\d+)", done.stderr)
    return target, done.returncode, int(runs.group(1)) if runs else 0, done.stderr


def main():
    options = argparse.ArgumentParser(usage=__doc__)
    options.add_argument("--seconds", type=int, default=10)
    seconds = options.parse_args().seconds
    clang = find_clang()
    with tempfile.TemporaryDirectory(prefix="nightshift-fuzz-") as box:
        program = os.path.join(box, "parsers")
        reason = "clang is not installed" if clang is None else None
        if clang:
            built = build(clang, program)
            if built.returncode != 0 and "clang_rt.fuzzer" in built.stderr:
                reason = f"{clang} comes without libFuzzer (Debian: libclang-rt-14-dev)"
            elif built.returncode != 0:
                print(built.stderr[-4000:])
                print("0 passed, 1 failed, 0 skipped")
                return 1
        if reason:
            print(f"skipped: {reason}")
            print(f"0 passed, 0 failed, {len(SEEDS)} skipped")
            return 0
        passed = failed = 0
        with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
            jobs = [pool.submit(fuzz, program, box, target, seconds) for target in SEEDS]
            for job in jobs:
                target, code, runs, log = job.result()
                print(f"{target}: {runs} inputs in {seconds} s")
                if code == 0 and runs > 1000:
                    passed += 1
                    continue
                failed += 1
                print(f"FAILED: {target} ended with {code}\n{log[-3000:]}")
                for found in pathlib.Path(box).glob(f"{target}-*"):
                    print(f"input: {found.read_bytes()!r}")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
