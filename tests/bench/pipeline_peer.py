"""Peers of the pipeline, run by the Python of their virtual environment: ruptures, scikit-learn, faiss,
pandas, and the reference itself where NIGHTSHIFT_REFERENCE names its checkout.

usage: pipeline_peer.py prepare FOLDER TABLE                       signals and rows that both sides read
       pipeline_peer.py WORK/PEER RUNS OURS [ARGUMENT...]          compares, then measures

Prints one JSON object: `unlike` says what differs from ours, else `cpu_s` and `wall_s` of each run.
"""

import os
import sys

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import peer_tables  # noqa: E402  (after the path)
from peer_measure import answer, measure, require  # noqa: E402

STEPS, STEP_SAMPLES, STEP_NOISE = 25, 200, 2.0
BANK_ROWS = 1000


def prepare(folder, table_file):
    """Largest accelerations frame by frame, a long series of steps, and rows for neighbours."""
    import pyarrow.feather
    table = pyarrow.feather.read_table(table_file).to_pandas()
    frames = table[table["frame"].notna()]
    frames["acceleration_max"].to_numpy(np.float64).tofile(os.path.join(folder, "signals.bin"))
    random = np.random.default_rng(20261128)
    levels = np.repeat(random.normal(0, 10, STEPS), STEP_SAMPLES)
    (levels + random.normal(0, STEP_NOISE, levels.size)).tofile(os.path.join(folder, "steps.bin"))
    columns = [name for name in table.columns if name not in ("sequence", "frame")]
    rows = table[columns].to_numpy(np.float64)
    spread = np.nanstd(rows, axis=0, ddof=1)
    spread[spread <= 1e-9] = np.inf
    rows = np.nan_to_num((rows - np.nanmean(rows, axis=0)) / spread)
    rows.tofile(os.path.join(folder, "queries.bin"))
    picks = np.sort(np.random.default_rng(42).choice(len(rows), BANK_ROWS, replace=False))
    rows[picks].tofile(os.path.join(folder, "bank.bin"))
    return {"columns": len(columns), "rows": len(rows), "signals": table["sequence"].nunique()}


def signals_of(file, length):
    return np.fromfile(file, np.float64).reshape(-1, int(length))


def changes_of(ours, count):
    """The lists that our program wrote: a number of points, then these."""
    numbers = np.fromfile(ours, np.int32).tolist()
    lists, at = [], 0
    while at < len(numbers):
        lists.append(numbers[at + 1:at + 1 + numbers[at]])
        at += 1 + numbers[at]
    require(len(lists) == count, f"{len(lists)} lists of change points for {count} signals")
    return lists


def detect(find, runs, ours, file, length):
    signals = signals_of(file, length)
    for place, (mine, signal) in enumerate(zip(changes_of(ours, len(signals)), signals)):
        theirs = find(signal)
        require(mine == theirs, f"change points of signal {place}: {mine} and {theirs}")
    return measure(runs, lambda: [find(signal) for signal in signals], is_warm=True)


def pelt(runs, ours, file, length, pen):
    import ruptures

    def find(signal):
        fitted = ruptures.Pelt(model="l2", min_size=3, jump=5).fit(signal.reshape(-1, 1))
        return [end for end in fitted.predict(pen=float(pen)) if end != len(signal)]

    return detect(find, runs, ours, file, length)


def cusum_by_loop(signal, threshold=5.0, apart=3):
    """Two one-sided sums about the mean, with half a standard deviation of slack; an alarm resets nothing."""
    mean, slack = float(np.mean(signal)), 0.5 * float(np.std(signal)) or 1.0
    up = down = 0.0
    found = []
    for place in range(1, len(signal)):
        value = signal[place]
        up, down = max(0.0, up + value - mean - slack), max(0.0, down + mean - slack - value)
        is_far = not found or place - found[-1] >= apart
        if place >= apart and is_far and max(up, down) > threshold:
            found.append(place)
    return found


def window_by_loop(signal, size=10, ratio=2.0, apart=3):
    """Means and deviations of two neighbouring windows, whichever ratio is largest."""
    found = []
    for place in range(size, len(signal) - size):
        before, after = signal[place - size:place], signal[place:place + size]
        means = np.mean(after) / (np.mean(before) + 1e-6)
        spreads = (np.std(after) + 1e-6) / (np.std(before) + 2e-6)
        is_far = not found or place - found[-1] >= apart
        if max(means, spreads, 1.0 / means, 1.0 / spreads) > ratio and is_far:
            found.append(place)
    return found


def knn(runs, ours, bank_file, queries_file, columns, k):
    from sklearn.neighbors import NearestNeighbors
    bank = np.fromfile(bank_file, np.float64).reshape(-1, int(columns))
    queries = np.fromfile(queries_file, np.float64).reshape(-1, int(columns))
    search = NearestNeighbors(n_neighbors=int(k), algorithm="brute", n_jobs=1).fit(bank)
    distances, places = search.kneighbors(queries)
    mine = np.fromfile(ours, np.float64).reshape(distances.shape)
    ids = np.fromfile(ours + ".ids", np.int32).reshape(places.shape)
    # Its expanded formula gives some 1e-5 instead of 0 for equal rows.
    worst = float(np.max(np.abs(mine - distances)))
    require(worst <= 1e-4, f"distances {worst:.2e} apart")
    others = np.nonzero(ids != places)
    for chosen in (ids, places):        # where they differ both are as near
        apart = np.abs(np.linalg.norm(queries[others[0]] - bank[chosen[others]], axis=1) - mine[others])
        require(np.all(apart <= 1e-6 * (1 + mine[others])), "other neighbours, and no ties")
    return measure(runs, lambda: search.kneighbors(queries), is_warm=True)


def faiss_knn(runs, ours, bank_file, queries_file, columns, k):
    """By the expanded formula in single precision, no second look: compared as closely as that goes."""
    import faiss
    faiss.omp_set_num_threads(1)
    bank = np.fromfile(bank_file, np.float64).reshape(-1, int(columns)).astype(np.float32)
    queries = np.fromfile(queries_file, np.float64).reshape(-1, int(columns)).astype(np.float32)
    index = faiss.IndexFlatL2(bank.shape[1])
    index.add(bank)
    squares, places = index.search(queries, int(k))
    mine = np.fromfile(ours, np.float64).reshape(squares.shape)
    ids = np.fromfile(ours + ".ids", np.int32).reshape(places.shape)
    # Its error is a share of what it subtracts, the squared lengths.
    norms = (np.square(queries, dtype=np.float64).sum(axis=1)[:, None]
             + np.square(bank, dtype=np.float64).sum(axis=1)[places])
    require(np.all(np.abs(np.square(mine) - squares) <= 1e-5 * (1 + norms)), "distances differ")
    others = np.nonzero(ids != places)
    for chosen in (ids, places):        # where they differ both are as near, as far as it can tell
        apart = np.square(queries[others[0]] - bank[chosen[others]], dtype=np.float64).sum(axis=1)
        apart = np.abs(apart - np.square(mine[others]))
        require(np.all(apart <= 1e-5 * (1 + norms[others])), "other neighbours, and no ties")
    return measure(runs, lambda: index.search(queries, int(k)), is_warm=True)


def k_center_greedy(rows, count):
    """anomalib's definition in NumPy: after each pick the distances of every row, the least kept, the largest
    next."""
    least = np.full(len(rows), np.inf)
    picks = [0]
    while len(picks) < count:
        away = np.linalg.norm(rows - rows[picks[-1]], axis=1)
        np.minimum(least, away, out=least)
        picks.append(int(np.argmax(least)))
    return picks


def coreset(runs, ours, rows_file, columns, count):
    rows = np.fromfile(rows_file, np.float64).reshape(-1, int(columns))
    picks = k_center_greedy(rows, int(count))
    require(picks == np.fromfile(ours, np.int32).tolist(), "other picks")
    return measure(runs, lambda: k_center_greedy(rows, int(count)), is_warm=True)


def main():
    if sys.argv[1] == "prepare":
        return prepare(*sys.argv[2:])
    works = {
        "pelt/ruptures": pelt, "knn/sklearn": knn, "knn/faiss": faiss_knn,
        "coreset/numpy": coreset,
        "cusum/python": lambda *rest: detect(cusum_by_loop, *rest),
        "window/python": lambda *rest: detect(window_by_loop, *rest),
        **peer_tables.WORKS,
    }
    work, runs, *rest = sys.argv[1:]
    return works[work](int(runs), *rest)


if __name__ == "__main__":
    answer(main)
