"""What the pipeline's peers share: nothing is measured before it agrees with ours."""

import json
import time

import numpy as np

RUN_LEAST_S = 0.05      # short work is repeated until a run takes so long


class Unlike(Exception):
    """Ours and the peer's results differ; nothing is measured."""


def require(is_alike, words):
    if not is_alike:
        raise Unlike(words)


def require_close(ours, theirs, relative, words):
    """Each column within `relative` of its largest value: a difference of nearly equal numbers has no more
    digits."""
    require(ours.shape == theirs.shape, f"{words}: {ours.shape} and {theirs.shape}")
    scale = np.maximum(np.abs(theirs).max(axis=0), 1e-9)
    worst = float(np.max(np.abs(ours - theirs) / scale, initial=0.0))
    require(worst <= relative, f"{words}: {worst:.2e} apart, {relative:.0e} allowed")


def answer(main):
    """Prints what main() gives as one line of JSON, or what is unlike."""
    try:
        print(json.dumps(main()))
    except Unlike as difference:
        print(json.dumps({"unlike": str(difference)}))


def measure(runs, work, is_warm=False):
    """`is_warm`: the comparison just did the same work, so no run is spent on warming up."""
    if not is_warm:
        work()
    times, wall, cpu = 1, [], []
    while len(cpu) < runs:
        started, used = time.perf_counter(), time.process_time()
        for _ in range(times):
            work()
        cpu_s, wall_s = time.process_time() - used, time.perf_counter() - started
        if cpu_s < RUN_LEAST_S:
            times *= 2
            continue
        cpu.append(cpu_s / times)
        wall.append(wall_s / times)
    return {"cpu_s": cpu, "wall_s": wall}
