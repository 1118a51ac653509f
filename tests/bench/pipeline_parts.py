"""What benchmarks of the pipeline are made of: workers and peers as processes with their times and memory,
the small data set that both sides read, and what the reference took where it cannot run here."""

import hashlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import tempfile
import time

from peer_install import Missing, python_packages

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(os.path.dirname(HERE), "data", "golden")
RUNS = int(os.environ.get("NIGHTSHIFT_BENCH_RUNS", "5"))     # after one to warm up; the median counts
LONG_RUNS = min(RUNS, 3)    # of peers that take most of a minute
SCALE_RUNS = 25     # of the recorded loop; its least counts, as it did where it was recorded
LIMIT_S = 1800
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}


class Took:
    """Seconds of several runs, on the wall and of the processor, and the most memory of one."""

    def __init__(self):
        self.wall_s, self.cpu_s, self.peak_mib = [], [], 0.0

    def cpu(self):
        return statistics.median(self.cpu_s)

    def least(self):
        """What disturbs a run only adds to it."""
        return min(self.cpu_s)

    def wall(self):
        return statistics.median(self.wall_s)


def limit():
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT_S, LIMIT_S))


def run_process(argv, took):
    """Waits for a program; its whole family's processor time, its own largest memory."""
    started, environment = time.perf_counter(), dict(os.environ, **ONE_THREAD)
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(argv, stdout=said, stderr=said, env=environment, preexec_fn=limit)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        words = said.read().decode(errors="replace")
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(argv[:3])} ended with {process.returncode}: {words[-2000:]}")
    took.wall_s.append(time.perf_counter() - started)
    took.cpu_s.append(used.ru_utime + used.ru_stime)
    took.peak_mib = max(took.peak_mib, used.ru_maxrss / 1024)
    return words


def run_part(bin_folder, name, runs, out, *arguments):
    """A program that times itself: a line `wall_s cpu_s` for each run."""
    program = os.path.join(bin_folder, name)
    if not os.path.exists(program):
        raise RuntimeError(f"{program} is missing; build the target {name}")
    took = Took()
    for line in run_process([program, str(runs), out, *arguments], Took()).splitlines():
        wall_s, cpu_s = line.split()
        took.wall_s.append(float(wall_s))
        took.cpu_s.append(float(cpu_s))
    return took


class Pipeline:
    """A scratch folder with the small data set, made and checked at the first use; what measures on it."""

    made = None

    def __init__(self, bin_folder):
        self.python = python_packages("python", os.path.join(HERE, "peer_packages.txt"))
        self.bin = bin_folder
        self.root = tempfile.mkdtemp(prefix="nightshift bench ")
        self.bundles = os.path.join(self.root, "small", "dataset")
        self.worker(Took(), "generate", "small", rng="compat", preset="small", format="bundles")
        self.require_golden_bytes()
        self.worker(Took(), "extract", "table", dataset=self.bundles, set="compat81")
        self.shape = self.ask("prepare", self.root, os.path.join(self.root, "table", "features.feather"))
        with open(os.path.join(HERE, "reference_times.json"), encoding="utf-8") as file:
            self.recorded = json.load(file)
        self.scale = None

    @staticmethod
    def of(bin_folder):
        if Pipeline.made is None:
            Pipeline.made = Pipeline(bin_folder)
        return Pipeline.made

    @staticmethod
    def forget():
        if Pipeline.made is not None:
            shutil.rmtree(Pipeline.made.root, ignore_errors=True)
            Pipeline.made = None

    def path(self, name):
        return os.path.join(self.root, name)

    def worker(self, took, kind, out, threads=1, **params):
        """One job in a process of its own, its start, hashes and syncs included."""
        argv = [os.path.join(self.bin, "nightshift-worker"), "run", kind, "--device", "cpu"]
        argv += ["--threads", str(threads), "--params", json.dumps(params), "--out", self.path(out)]
        run_process(argv, took)
        return self.path(out)

    def jobs(self, name, chain):
        """RUNS times a chain of jobs, after one to warm up: `chain(folder)` gives (kind, out, parameters), or
        a function to call between. Each has a folder of its own, and nothing is deleted before the end: ext4
        takes seconds to find inodes that were not freed just now."""
        took = Took()
        for run in range(RUNS + 1):
            once, folder = Took(), f"{name}-{run}"
            for step in chain(folder):
                if callable(step):
                    step()
                else:
                    kind, out, params = step
                    self.worker(once, kind, f"{folder}/{out}", **params)
            if run > 0:
                took.wall_s.append(sum(once.wall_s))
                took.cpu_s.append(sum(once.cpu_s))
        return took

    def part(self, name, *arguments, program="nightshift_pipeline_bench", runs=RUNS):
        """A part of the product inside one process; what it found is left for `peer` to compare with."""
        return run_part(self.bin, program, runs, self.path(name + ".ours"), *arguments)

    def ask(self, *arguments, script="pipeline_peer.py", python=None):
        argv = [python or self.python, os.path.join(HERE, script), *arguments]
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              preexec_fn=limit, env=dict(os.environ, **ONE_THREAD))
        if done.returncode != 0:
            raise Missing(f"{arguments[0]}: {done.stderr.strip().splitlines()[-1:]}")
        answer = json.loads(done.stdout.splitlines()[-1])
        if "unlike" in answer:
            raise Missing(f"{arguments[0]} is not measured, its results differ from ours: {answer['unlike']}")
        return answer

    def peer(self, work, *arguments, ours=None, runs=RUNS, **how):
        """Compares, then measures; raises Missing where they differ."""
        answer = self.ask(work, str(runs), self.path((ours or work.split("/")[0]) + ".ours"), *arguments,
                          **how)
        took = Took()
        took.wall_s, took.cpu_s = answer["wall_s"], answer["cpu_s"]
        return took

    def scale_here(self):
        """How many times as long the recorded loop takes here."""
        if self.scale is None:
            signals = self.path("signals.bin")
            self.part("scale", "pelt", signals, "60", "3")
            took = self.peer("pelt/ruptures", signals, "60", "3", ours="scale", runs=SCALE_RUNS)
            self.scale = min(took.cpu_s) / self.recorded["scale"]["cpu_s"]
        return self.scale

    def estimate(self, stage):
        """The reference's recorded processor time of the small set, scaled to this machine."""
        took = Took()
        took.cpu_s = [self.recorded["stages"][stage]["cpu_s"] * self.scale_here()]
        return took

    def reference(self, stage, *arguments, recorded=None):
        """Beside the user's checkout where there is one, else estimated from the recorded stage."""
        if os.environ.get("NIGHTSHIFT_REFERENCE"):
            return self.peer(f"{stage}/reference", *arguments), False
        return self.estimate(recorded or stage), True

    def require_golden_bytes(self):
        """Every file of the small set is the reference's, byte for byte."""
        def hashed(folder, names):
            found = hashlib.sha256()
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    found.update(file.read())
            return found.hexdigest()
        with open(os.path.join(GOLDEN, "compat", "dataset_small.json"), encoding="utf-8") as file:
            sequences = json.load(file)["sequences"]
        for name, *wanted in sequences:
            folder = os.path.join(self.bundles, name)
            frames = sorted(file for file in os.listdir(folder) if file.startswith("frame_0"))
            found = [hashed(folder, names) for names in (frames, ["frame_metrics.csv"], ["metadata.json"])]
            if found != wanted:
                raise RuntimeError(f"{name} differs from the reference's; nothing is measured")
