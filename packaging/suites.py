#!/usr/bin/env python3
"""Runs the suites of packaging/suites.txt against one build and adds up their closing lines.

usage: suites.py --bin DIR [--with TAG] [--without TAG]... [--only NAME]... [--label TEXT] [--totals FILE]
                 [--patience N]        N times the seconds a suite may take, for programs that are slowed down
                 [--at-once N]         that many suites beside each other, the longest first; 1 without it
       suites.py --targets TAG        prints the programs that suites with TAG need, for ninja

A suite that crashes, runs past its limit, or prints no closing line counts as one failure. Output is shown
only of suites that fail. Exit: 0 all passed, 1 something failed.
"""

import argparse
import concurrent.futures
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CLOSING = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped\s*$", re.MULTILINE)
OUTPUT_LINES_MAX = 400
# For the last words of what ran past its limit.
SAY_WHERE_S = 5
# What a script needs that is given the folder of the programs.
PROGRAMS_OF_SCRIPTS = ["nightshift", "nightshiftd", "nightshift-worker", "nightshift-command"]


class Suite:
    def __init__(self, name, tags, limit_s, command):
        self.name, self.tags, self.limit_s, self.command = name, tags, limit_s, command

    def targets(self):
        """The programs that it needs, for ninja."""
        if self.program():
            return [self.program()]
        return PROGRAMS_OF_SCRIPTS if "$BIN" in self.command else []

    def program(self):
        """The built program that the suite is, or None for a script. `env NAME=VALUE` may stand before it."""
        words = self.command.split()
        while words and (words[0] == "env" or "=" in words[0]):
            words.pop(0)
        return words[0][len("$BIN/") :] if words and words[0].startswith("$BIN/") else None


def read_suites(path):
    suites = []
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip() or line.startswith("#"):
                continue
            cells = [cell.strip() for cell in line.split("|", 3)]
            if len(cells) != 4 or not cells[2].isdigit():
                raise SystemExit(f"{path}:{number}: expected `name | tags | seconds | command`")
            suites.append(Suite(cells[0], set(cells[1].split()), int(cells[2]), cells[3]))
    return suites


def chosen(suites, with_tag, without, only):
    if only:
        unknown = sorted(set(only) - {suite.name for suite in suites})
        if unknown:
            raise SystemExit(f"no suite '{unknown[0]}' in packaging/suites.txt")
        return [suite for suite in suites if suite.name in only]
    return [
        suite
        for suite in suites
        if (with_tag is None or with_tag in suite.tags) and not suite.tags & set(without)
    ]


def clean_environment(bin_folder, box):
    """The caller's environment without what could lead a test to a real daemon or its data."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("NIGHTSHIFT_") or name in ("NIGHTSHIFT_TEST_SEED", "NIGHTSHIFT_TEST_GPU")
    }
    environment.update(
        NIGHTSHIFT_BIN=bin_folder,
        XDG_DATA_HOME=os.path.join(box, "data"),
        XDG_RUNTIME_DIR=os.path.join(box, "run"),
        TMPDIR=os.path.join(box, "tmp"),
        HOME=os.path.join(box, "home"),
        LC_ALL="C.UTF-8",
        PYTHONDONTWRITEBYTECODE="1",
        PYTHONFAULTHANDLER="1",
        ASAN_OPTIONS="detect_leaks=1:abort_on_error=1",
        UBSAN_OPTIONS="print_stacktrace=1",
        TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1:suppressions="
        + os.path.join(ROOT, "packaging", "tsan.supp"),
    )
    for name in ("data", "run", "tmp", "home"):
        os.makedirs(os.path.join(box, name), mode=0o700, exist_ok=True)
    return environment


# What runs now, for the one who interrupts this program.
RUNNING = set()


def end_group(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def say_where(process):
    """What hangs says where, if it can: doctest names its test, Python prints its stacks."""
    until = time.monotonic() + SAY_WHERE_S
    sign = signal.SIGABRT
    try:
        while time.monotonic() < until:
            os.killpg(process.pid, sign)
            sign = 0  # only asks whether one of them is left
            process.poll()
            time.sleep(0.05)
    except ProcessLookupError:
        pass


def run_suite(suite, bin_folder, limit_s):
    """Returns (passed, failed, skipped, output, complaint)."""
    box = tempfile.mkdtemp(prefix="nightshift-check.")
    log_path = os.path.join(box, "output")
    program = suite.program()
    if program is not None and not os.path.exists(os.path.join(bin_folder, program)):
        shutil.rmtree(box, ignore_errors=True)
        return 0, 1, 0, "", f"{program} was not built"
    complaint = ""
    try:
        with open(log_path, "wb") as log:
            process = subprocess.Popen(
                suite.command.replace("$BIN", f'"{bin_folder}"'),
                shell=True,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=clean_environment(bin_folder, box),
                start_new_session=True,
            )
            RUNNING.add(process)
            try:
                code = process.wait(timeout=limit_s)
            except subprocess.TimeoutExpired:
                say_where(process)
                end_group(process)
                code, complaint = -1, f"ran past its limit of {limit_s} s"
            finally:
                RUNNING.discard(process)
        with open(log_path, "rb") as log:
            output = log.read().decode("utf-8", "replace")
    finally:
        shutil.rmtree(box, ignore_errors=True)
    lines = CLOSING.findall(output)
    if not lines:
        return 0, 1, 0, output, complaint or f"ended with status {code} and printed no closing line"
    passed, failed, skipped = (int(number) for number in lines[-1])
    if failed == 0 and code != 0:
        return passed, 1, skipped, output, complaint or f"ended with status {code} although no test failed"
    if passed + failed + skipped == 0:
        return 0, 1, 0, output, "ran no test at all"
    return passed, failed, skipped, output, complaint


def show_failure(suite, output, complaint):
    lines = output.splitlines()
    left_out = len(lines) - OUTPUT_LINES_MAX
    print(f"----- {suite.name}: {complaint or 'failed'} -----")
    if left_out > 0:
        print(f"... {left_out} lines left out ...")
    print("\n".join(lines[-OUTPUT_LINES_MAX:]))
    print(f"----- end of {suite.name}; again: packaging/check --only {suite.name} -----", flush=True)


def report(name, suite, result, seconds):
    passed, failed, skipped, output, complaint = result
    counts = f"{passed:>5} passed {failed:>3} failed {skipped:>3} skipped"
    print(f"{name:<22} {counts}  {seconds:7.1f} s", flush=True)
    if failed:
        show_failure(suite, output, complaint)


def unlisted_programs(suites, bin_folder):
    listed = {suite.program() for suite in suites}
    built = [name for name in sorted(os.listdir(bin_folder)) if re.fullmatch(r"nightshift_\w+_tests", name)]
    return [name for name in built if name not in listed]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--suites", default=os.path.join(ROOT, "packaging", "suites.txt"))
    parser.add_argument("--bin")
    parser.add_argument("--with", dest="with_tag")
    parser.add_argument("--without", action="append", default=[])
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--label", default="")
    parser.add_argument("--patience", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=1)
    parser.add_argument("--totals", help="file the three numbers are added to")
    parser.add_argument("--targets", metavar="TAG")
    arguments = parser.parse_args()
    suites = read_suites(arguments.suites)
    if arguments.targets:
        tagged = [suite for suite in suites if arguments.targets in suite.tags]
        print(" ".join(dict.fromkeys(target for suite in tagged for target in suite.targets())))
        return 0
    bin_folder = os.path.abspath(arguments.bin)
    totals = [0, 0, 0]
    if not arguments.only and arguments.with_tag is None:
        for name in unlisted_programs(suites, bin_folder):
            print(f"{name} is built, but packaging/suites.txt does not list it")
            totals[1] += 1
    wanted = chosen(suites, arguments.with_tag, arguments.without, arguments.only)
    if arguments.at_once > 1:
        wanted.sort(key=lambda suite: -suite.limit_s)
    # Beside others a suite takes longer than by itself.
    patience = arguments.patience * (2 if arguments.at_once > 1 else 1)

    def timed(suite):
        start = time.monotonic()
        return suite, run_suite(suite, bin_folder, suite.limit_s * patience), time.monotonic() - start

    with concurrent.futures.ThreadPoolExecutor(max_workers=arguments.at_once) as pool:
        runs = [pool.submit(timed, suite) for suite in wanted]
        try:
            for run in concurrent.futures.as_completed(runs):
                suite, result, seconds = run.result()
                report(f"{arguments.label}{suite.name}", suite, result, seconds)
                for index, number in enumerate(result[:3]):
                    totals[index] += number
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in list(RUNNING):
                end_group(process)
            raise
    if arguments.totals:
        with open(arguments.totals, "a", encoding="utf-8") as file:
            file.write("{} {} {}\n".format(*totals))
    else:
        print("{} passed, {} failed, {} skipped".format(*totals))
    return 1 if totals[1] else 0


if __name__ == "__main__":
    sys.exit(main())
