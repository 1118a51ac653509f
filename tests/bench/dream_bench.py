"""Benchmarks of DREAM's kernels on one CPU thread beside PyTorch and the reference: compared, then timed."""

import json
import os
import shutil
import subprocess
import tempfile

from peer_install import Missing, python_packages
from pipeline_bench import compared, measured
from pipeline_parts import HERE, ONE_THREAD, RUNS, Pipeline, Took, limit, run_part

BATCHES = {32: 100, 4096: 8}        # as dream_peer.py has them
EPOCH_ROWS = 4392


class Dream:
    """A scratch folder with the arrays of both sides; its peer is installed at the first use."""

    def __init__(self, bin_folder, folder):
        self.bin, self.folder = bin_folder, folder
        self.python = python_packages("torch", os.path.join(HERE, "peer_torch.txt"))
        self.ask("prepare", folder)

    def ours(self, *work):
        return run_part(self.bin, "nightshift_dream_bench", RUNS, self.out(work), work[0], self.folder,
                        *work[1:])

    def out(self, work):
        return os.path.join(self.folder, "-".join(work) + ".ours")

    def ask(self, *arguments):
        done = subprocess.run([self.python, os.path.join(HERE, "dream_peer.py"), *arguments], text=True,
                              capture_output=True, preexec_fn=limit, env=dict(os.environ, **ONE_THREAD))
        if done.returncode != 0:
            raise Missing(f"{arguments[0]}: {done.stderr.strip().splitlines()[-1:]}")
        answer = json.loads(done.stdout.splitlines()[-1])
        if "unlike" in answer:
            raise Missing(f"{arguments[0]} is not measured, its results differ from ours: {answer['unlike']}")
        return answer

    def beside(self, figures, name, what, ours, aims, *work):
        for way, aim in aims.items():
            try:
                answer = self.ask(f"{work[0]}/{way}", str(RUNS), self.out(work), self.folder, *work[1:])
            except Missing as reason:
                figures.note(f"left out: {name}/torch-{way}: {reason}")
                continue
            theirs = Took()
            theirs.wall_s, theirs.cpu_s = answer["wall_s"], answer["cpu_s"]
            compared(figures, name, f"torch-{way}", what, theirs, ours, aim)


def with_dream(run):
    def once(bin_folder, figures):
        folder = tempfile.mkdtemp(prefix="nightshift dream ")
        try:
            run(Dream(bin_folder, folder), figures, Pipeline.of(bin_folder))
            figures.read_inputs(folder, "dream_")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    once.__name__ = run.__name__
    return measured(once)


def dream_step(dream, figures, _):
    for rows, count in BATCHES.items():
        ours = dream.ours("step", str(rows))
        name = "dream_step" if rows == 32 else f"dream_step_{rows}"
        what = f"DREAM: {count} steps of {rows:,} rows of 81 columns, without dropout; losses equal to 1e-5"
        dream.beside(figures, name, what, ours, {"eager": "", "compiled": ">= 1.3 x"}, "step", str(rows))


def dream_epoch(dream, figures, pipeline):
    what = f"DREAM: one epoch over {EPOCH_ROWS:,} rows, 138 steps with draws, anomalies and dropout"
    compared(figures, "dream_epoch", "reference", what, pipeline.estimate("dream_epoch"), dream.ours("epoch"),
             ">= 10 x", estimated=True)


def dream_score(dream, figures, pipeline):
    ours, what = dream.ours("score", "rows"), f"DREAM: scores of {EPOCH_ROWS:,} rows of 81 columns"
    compared(figures, "dream_score", "reference", what, pipeline.estimate("dream_score"), ours, ">= 5 x",
             estimated=True)
    dream.beside(figures, "dream_score", what, ours, {"eager": "", "compiled": ""}, "score", "rows")
    dream.beside(figures, "dream_score_million", "DREAM: scores of 1,000,000 rows of 81 columns",
                 dream.ours("score", "million"), {"eager": ">= 5 x", "compiled": ""}, "score", "million")


BENCHMARKS = {
    "dream_step": with_dream(dream_step),
    "dream_epoch": with_dream(dream_epoch),
    "dream_score": with_dream(dream_score),
}
