#!/usr/bin/env python3
"""What programs print, at its worst: without end, without a line break, not text at all, onto a full disk,
into a pipe that somebody holds when the program is gone."""

import http.client
import os
import pty
import re
import subprocess
import sys
import threading
import tty

from harness import INSIDE, Daemon, Folder, in_own_mount, run, wait_for, workers

SIMULATE = ("--simulate", "gpu=8GiB")
MIB = 1 << 20
LOG_MAX = 2 * MIB
TAIL = 64 << 10
WORDS = 4096        # what the worker may add in words of its own
LIMITS = {"limits": {"log": "2MiB"}}
DROPPED = re.compile(rb"nightshift: dropped (\d+) bytes of output, because it passed 2 MiB; "
                     rb"its end follows\n")
FULL = re.compile(rb"nightshift: dropped (\d+) bytes of output, because this disk was full\n")

# What a user's program is. It prints with the least of memory of its own and says in the end how it went.
PRINT = """
import os, sys
piece, count = sys.argv[1].encode().decode('unicode_escape').encode('latin-1'), int(sys.argv[2])
while count > 0:
    count -= os.write(1, piece[:count])
os.write(2, b'END OF IT')
"""


def printing(daemon, piece, count, **fields):
    return daemon.command(sys.executable, "-c", PRINT, piece, str(count), cpu=0, **fields)


def log_file(folder, job):
    return os.path.join(folder.data, "jobs", str(job), "1", "stdout.log")


def read(path):
    with open(path, "rb") as file:
        return file.read()


def log_of(daemon, job, query=""):
    return daemon.request("GET", f"/api/v1/jobs/{job}/log{query}")[1]


def raw_log(daemon, job, query=""):
    """The bytes, whatever they look like."""
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=60)
    try:
        connection.request("GET", f"/api/v1/jobs/{job}/log{query}", headers={"Authorization": daemon.header})
        answer = connection.getresponse()
        assert answer.status == 200, answer.status
        return answer.read()
    finally:
        connection.close()


def peak_kib(pid):
    """The most memory that the process ever had."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))


class Peaks(threading.Thread):
    """The most memory of every worker, looked at while they run: a process that is gone tells nothing."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.folder, self.found, self.is_over = folder, {}, threading.Event()

    def run(self):
        while not self.is_over.wait(0.05):
            for pid in workers(self.folder.data):
                try:
                    self.found[pid] = max(self.found.get(pid, 0), peak_kib(pid))
                except (OSError, StopIteration):
                    continue

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.join()


def check_capped(log, printed):
    """The begin, the count of what is missing, the end. Returns the two parts."""
    assert len(log) <= LOG_MAX + TAIL + WORDS, len(log)
    marks = DROPPED.findall(log)
    assert len(marks) == 1, (log[:200], log[-200:])
    head, end = re.split(DROPPED.pattern.replace(b"(\\d+)", b"\\d+"), log)
    head = head[:head.index(b"nightshift: the output passed 2 MiB")]
    assert len(head) - LOG_MAX in (0, 1), len(head)       # and a line break, where the line was open
    kept = LOG_MAX + len(end)
    assert kept + int(marks[0]) == printed + len("END OF IT"), (kept, marks, printed)
    assert end.rstrip(b"\n").endswith(b"END OF IT"), end[-40:]
    return head, end


def test_a_flood_is_capped_and_costs_no_memory(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        assert daemon.set_policy(LIMITS)["limits"]["log"] == "2MiB"
        with Peaks(folder) as peaks:
            idle = daemon.command("sleep", "1000", cpu=0)
            daemon.wait_state(idle, "running")
            one = wait_for(lambda: workers(folder.data), what="the idle worker")[0]
            wait_for(lambda: one in peaks.found, what="a look at the idle worker")
            daemon_before = peak_kib(daemon.process.pid)
            cases = {"lines": (r"0123456789 abcdef\n", 300 * MIB), "one line": ("x", 300 * MIB),
                     "returns": (r"50% \r", 20 * MIB), "binary": (r"\x00\x01\x1b[2J\xff\xfe", 20 * MIB)}
            for name, (piece, count) in cases.items():
                unit = piece.encode().decode("unicode_escape").encode("latin-1")
                job = printing(daemon, piece * (4096 // len(unit)), count)
                done = daemon.finish(job, limit_s=120)
                assert done["state"] == "succeeded", (name, done)
                log = read(log_file(folder, job))
                head, end = check_capped(log, count)
                whole = unit * (LOG_MAX // len(unit) + 1)
                assert head.rstrip(b"\n") == whole[:LOG_MAX].rstrip(b"\n"), name
                look_at(daemon, bin_folder, folder, job, log)
            flooded = max(kib for pid, kib in peaks.found.items() if pid != one)
        assert flooded < 2 * peaks.found[one] + 8 * 1024, (flooded, peaks.found[one])
        after = peak_kib(daemon.process.pid)
        assert after < 2 * daemon_before, (after, daemon_before)
        daemon.post(f"/api/v1/jobs/{idle}/cancel")


def check_on_a_terminal(bin_folder, folder, job):
    """No byte that a terminal obeys, and the end is there, too."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    with subprocess.Popen([os.path.join(bin_folder, "nightshift"), "--data", folder.data, "logs", str(job)],
                          stdin=theirs, stdout=theirs, stderr=theirs) as shown:
        os.close(theirs)
        seen = bytearray()
        while True:
            try:
                piece = os.read(ours, 1 << 16)
            except OSError:             # how a terminal says that nobody writes any more
                break
            if not piece:
                break
            seen += piece
        os.close(ours)
    assert shown.returncode == 0, seen[-200:]
    assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", seen), re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", seen)
    seen.decode()
    assert b"END OF IT" in seen[-64:], seen[-200:]


def look_at(daemon, bin_folder, folder, job, log):
    """Every way to read it, of which a terminal's is the one to make harmless."""
    assert raw_log(daemon, job) == log and raw_log(daemon, job, "?follow=1") == log
    assert log.endswith(raw_log(daemon, job, "?tail=1"))
    assert raw_log(daemon, job, f"?from={len(log) - 5}") == log[-5:]
    shown = subprocess.run([os.path.join(bin_folder, "nightshift"), "--data", folder.data, "logs", str(job)],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout == log, "another program gets the bytes as they are"
    check_on_a_terminal(bin_folder, folder, job)
    daemon.get(f"/api/v1/jobs/{job}")
    daemon.get(f"/api/v1/jobs/{job}/events")


def test_what_fits_stays_as_it_was_printed(bin_folder):
    script = r"""
import os
os.write(1, b'\xff\xfe\x00invalid \xc3\x28 \xed\xa0\x80\r\r\n' + '밤'.encode()[:2])
os.write(2, b'\x1b]0;title\x07')
"""
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        job = daemon.command(sys.executable, "-c", script)
        assert daemon.finish(job)["state"] == "succeeded"
        wanted = b"\xff\xfe\x00invalid \xc3\x28 \xed\xa0\x80\r\r\n" + "밤".encode()[:2] + b"\x1b]0;title\x07"
        assert raw_log(daemon, job) == wanted == read(log_file(folder, job))
        blocks = os.stat(log_file(folder, job)).st_blocks * 512
        assert blocks <= 8192, f"{blocks} bytes of room are kept for a log that is over"


def ticks_of(pid):
    """Processor time of a process in clock ticks."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        fields = file.read().rsplit(b")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def test_a_program_that_closes_its_output_costs_its_worker_nothing(bin_folder):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        job = daemon.command("sh", "-c",
                             'exec >&- 2>&-; mkdir "$NIGHTSHIFT_OUTPUT/closed"; exec sleep 1000')
        daemon.wait_state(job, "running")
        closed = os.path.join(folder.data, "jobs", str(job), "1", "output", "closed")
        wait_for(lambda: os.path.isdir(closed), what="the closed output")
        worker = workers(folder.data)[0]
        before = ticks_of(worker)
        # Half a second of some other process's time: a worker that spins has used as much by then.
        burn = "import time\nwhile time.process_time() < 0.5: pass"
        subprocess.run([sys.executable, "-c", burn], check=True)
        assert ticks_of(worker) - before <= 10, ticks_of(worker) - before
        daemon.post(f"/api/v1/jobs/{job}/cancel")
        assert daemon.finish(job)["state"] == "cancelled"


def test_the_attempt_ends_with_the_program_not_with_its_pipe(bin_folder):
    # What it leaves behind holds the pipe and goes on printing; the zombie has a parent that never asks.
    script = r"""
import os, signal, sys
def leave(fifo):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            os.write(1, b'still here\n')
            open(fifo, 'w').write(str(os.getpid()))
            while True:
                os.write(1, b'still here\n')
                signal.sigtimedwait([], 0.01)
        os._exit(0)
def zombie():
    parent = os.fork()
    if parent == 0:
        if os.fork() == 0:
            os._exit(0)
        signal.pause()
fifo = os.path.join(os.environ['NIGHTSHIFT_OUTPUT'], 'fifo')
os.mkfifo(fifo)
zombie()
leave(fifo)
pid = open(fifo).read()
os.remove(fifo)
open(os.path.join(os.environ['NIGHTSHIFT_OUTPUT'], 'pid'), 'w').write(pid)
sys.stdout.write('main is over\n')
sys.stdout.flush()
os._exit(3)
"""
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        job = daemon.command(sys.executable, "-c", script)
        done = daemon.finish(job, limit_s=20)
        assert done["state"] == "failed" and done["outcome"]["exit_code"] == 3, done
        pid = read(os.path.join(folder.data, "jobs", str(job), "1", "output", "pid")).decode()
        assert not os.path.exists(f"/proc/{pid}"), "the end was told while a process of it was left"
        log = raw_log(daemon, job)
        assert b"main is over\n" in log and b"still here\n" in log, log[-200:]
        size = len(log)
        assert len(raw_log(daemon, job, "?follow=1")) == size, "the log grew after the end"
        wait_for(lambda: not workers(folder.data), what="the end of the worker")


class Filler(threading.Thread):
    """Takes all the room that a disk has, and every byte that somebody gives back, until it is stopped."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.file = open(os.path.join(folder, "filler"), "ab", buffering=0)
        self.is_full, self.must_stop = threading.Event(), threading.Event()

    def run(self):
        while not self.must_stop.is_set():
            for piece in (1 << 20, 4096, 1):
                try:
                    while True:
                        self.file.write(b"f" * piece)
                except OSError:
                    continue
            self.is_full.set()

    def __enter__(self):
        self.start()
        self.is_full.wait()
        return self

    def give_back(self):
        self.__exit__()
        os.unlink(self.file.name)

    def __exit__(self, *_):
        self.must_stop.set()
        self.join()
        self.file.close()


SPEAK = r"""
import os, sys, time
gate = os.path.join(os.environ['NIGHTSHIFT_OUTPUT'], 'gate')
os.mkfifo(gate)
os.write(1, b'begun\n')
with open(gate) as words:
    for word in words:
        if word == 'print\n':
            for i in range(100):
                os.write(1, b'x' * 9999 + b'\n')
            # A line at a time: they use up what room was taken in advance.
            for i in range(1000):
                os.write(1, b'y' * 99 + b'\n')
                time.sleep(0.0005)
            open(sys.argv[1], 'a').write('printed\n')
        elif word == 'more\n':
            os.write(1, b'as before\n')
            open(sys.argv[1], 'a').write('more\n')
os.remove(gate)
sys.exit(7 if len(sys.argv) > 2 else 0)
"""


def on_a_full_disk(bin_folder, gives_room_back):
    with Folder() as folder, Daemon(bin_folder, folder, *SIMULATE) as daemon:
        said = os.path.join(folder.root, "said")
        job = daemon.command(sys.executable, "-c", SPEAK, said, *([] if gives_room_back else ["fails"]),
                             hold=True)
        disk = os.path.join(folder.data, "jobs", str(job))
        os.makedirs(disk)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "tmpfs", disk], check=True)
        daemon.post(f"/api/v1/jobs/{job}/release")
        gate = os.path.join(disk, "1", "output", "gate")
        wait_for(lambda: os.path.exists(gate), what="the program")
        with open(gate, "w", encoding="ascii") as words, Filler(disk) as filler:
            words.write("print\n")
            words.flush()
            wait_for(lambda: os.path.exists(said), what="a program that was not hindered")
            if gives_room_back:
                wait_for(lambda: b"this disk is full" in read(log_file(folder, job)), what="the words")
                filler.give_back()

                def is_back():      # the worker looks for room once a second, while something is printed
                    words.write("more\n")
                    words.flush()
                    return b"as before" in read(log_file(folder, job))
                wait_for(is_back, what="the log to go on")
            words.close()
            done = daemon.finish(job)
        log = read(log_file(folder, job))
        assert os.path.getsize(os.path.join(disk, "1", "result.json")) > 0, "the result was not left"
        daemon.kill()
        daemon.start()
        assert daemon.job(job)["outcome"] == done["outcome"]
        assert raw_log(daemon, job) == log
        return done, log


def inside_full_disk(bin_folder):
    done, log = on_a_full_disk(bin_folder, gives_room_back=False)
    assert done["state"] == "failed" and done["outcome"]["exit_code"] == 7, done
    assert done["outcome"]["code"] == "exit_code", done
    assert log.startswith(b"begun\n") and b"nightshift: this disk is full" in log, log[:200]
    printed = len(b"begun\n") + 100 * 10000 + 1000 * 100
    kept = len(re.sub(rb"(?m)^nightshift: .*\n", b"", log))
    dropped = sum(int(count) for count in FULL.findall(log))
    # A line that was open when the disk was full got a line break.
    assert dropped > 0 and kept + dropped - printed in (0, 1), (dropped, kept, printed)


def inside_room_again(bin_folder):
    done, log = on_a_full_disk(bin_folder, gives_room_back=True)
    assert done["state"] == "succeeded" and done["outcome"]["exit_code"] == 0, done
    assert FULL.search(log) and log.index(b"dropped") < log.index(b"as before"), log[-300:]


def test_a_full_disk_of_the_log_does_not_end_the_job(bin_folder):
    in_own_mount(__file__, "inside_full_disk")


def test_a_log_goes_on_when_there_is_room_again(bin_folder):
    in_own_mount(__file__, "inside_room_again")


if INSIDE in sys.argv:
    globals()[sys.argv[2]](sys.argv[3])
else:
    run([value for name, value in list(globals().items()) if name.startswith("test_")])
