"""Areas under curves by scikit-learn, and of resamples."""

import numpy as np

from peer_measure import measure, require


def read(scores_file, labels_file):
    return np.fromfile(scores_file, np.float64), np.fromfile(labels_file, np.int32)


def area(name):
    def compare(runs, ours, *files):
        from sklearn import metrics
        of = {"roc": metrics.roc_auc_score, "precision": metrics.average_precision_score}[name]
        scores, labels = read(*files)
        mine, theirs = float(np.fromfile(ours, np.float64)[0]), of(labels, scores)
        require(abs(mine - theirs) <= 1e-9, f"{mine} and {theirs}")
        return measure(runs, lambda: of(labels, scores), is_warm=True)
    return compare


def first_words(count, side, resample, key):
    """First word of Philox 4x32-10 of counters {i, side, 0, resample}, as kernels/metrics.h promises."""
    low = np.uint64(0xFFFFFFFF)
    c = [np.arange(count, dtype=np.uint64), *(np.full(count, n, np.uint64) for n in (side, 0, resample))]
    k0, k1 = key & 0xFFFFFFFF, key >> 32
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [(p1 >> np.uint64(32)) ^ c[1] ^ np.uint64(k0), p1 & low,
             (p0 >> np.uint64(32)) ^ c[3] ^ np.uint64(k1), p0 & low]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c[0]


def resamples(runs, ours, scores_file, labels_file, count, key):
    """Our first areas again from the promised draws; then `count` resamples as one writes them in NumPy."""
    from sklearn.metrics import roc_auc_score
    scores, labels = read(scores_file, labels_file)
    mine = np.fromfile(ours, np.float64)
    classes = [scores[labels == side] for side in (0, 1)]
    both = np.repeat([0, 1], [len(rows) for rows in classes])
    for resample in range(5):
        drawn = []
        for side, rows in enumerate(classes):
            words = first_words(len(rows), side, resample, int(key))
            drawn.append(rows[words * np.uint64(len(rows)) >> np.uint64(32)])
        theirs = roc_auc_score(both, np.concatenate(drawn))
        require(abs(mine[resample] - theirs) <= 1e-12, f"resample {resample}: {mine[resample]} and {theirs}")
    random = np.random.default_rng(int(key))

    def bootstrap():
        for _ in range(int(count)):
            drawn = [rows[random.integers(0, len(rows), len(rows))] for rows in classes]
            roc_auc_score(both, np.concatenate(drawn))

    return measure(runs, bootstrap)


WORKS = {"roc/sklearn": area("roc"), "precision/sklearn": area("precision"), "resamples/sklearn": resamples}
