"""What several benchmarks measure with: the disk, quantiles, a file of the jobs' first instants."""

import os
import time

TIMEOUT_S = 120


def fsync_times(folder, count):
    """Appends a page and syncs it, as a commit of a write-ahead log has to."""
    times = []
    path = os.path.join(folder, "fsync.probe")
    with open(path, "wb", buffering=0) as file:
        for _ in range(count):
            start = time.perf_counter()
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - start)
    os.unlink(path)
    return times


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


class Stamps:
    """A file to which `nightshift_stamp` appends the time of its first instructions, a line for each job."""

    def __init__(self, bin_folder, folder):
        self.path = os.path.join(folder, "stamps")
        self.program = os.path.join(bin_folder, "nightshift_stamp")
        if not os.path.exists(self.program):
            raise RuntimeError(f"{self.program} is missing; build the target nightshift_stamp")
        self.forget()

    def command(self):
        return [self.program, self.path]

    def forget(self):
        with open(self.path, "wb"):
            pass

    def seconds(self):
        with open(self.path, encoding="ascii") as file:
            return [int(line) / 1e9 for line in file if line.endswith("\n")]

    def wait_until(self, end, count, least):
        """The times once there are `count`, or those that there are at `end`, at least `least`."""
        left_s = max(end - time.monotonic(), 0.0)
        try:
            return self.wait(count, left_s)
        except RuntimeError:
            return self.seconds() if len(self.seconds()) >= least else self.wait(least)

    def wait(self, count, timeout_s=TIMEOUT_S):
        """The times in the order in which they were written, once there are `count`."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            found = self.seconds()
            if len(found) >= count:
                return found
            time.sleep(0.001)
        raise RuntimeError(f"{len(self.seconds())} of {count} jobs started in {timeout_s} s")
