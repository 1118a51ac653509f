"""Tables of bundles in pandas, by the reference's definitions, and by the reference itself."""

import json
import os
import sys

import numpy as np
import pandas as pd

from peer_measure import measure, require, require_close

SURROGATES = ["strain_surrogate", "stress_surrogate", "impact_surrogate", "curvature_like", "acceleration",
              "speed"]
METRICS = ["bend_angle_deg", "curvature_concentration", "est_max_strain"]
GLOBALS = ["n_frames", "n_points", "mean_strain", "max_strain", "mean_acceleration", "max_acceleration"]
VECTORS = ["speed", "acceleration", "curvature_like", "strain_surrogate", "impact_surrogate", "crack_risk"]
# Single precision is promised to 1e-5 by finer rules (kernels/compat_features.h), which its tests know.
RELATIVE, RELATIVE_SINGLE = 1e-9, 1e-4


def names_of(ours):
    with open(ours + ".names", encoding="utf-8") as file:
        return file.read().split()


# --- pandas ------------------------------------------------------------------------------------------

def load(folder):
    """A row for each point in each frame, point by point."""
    frames = []
    for name in sorted(os.listdir(folder)):
        if name.startswith("frame_") and name.endswith(".txt"):
            frame = pd.read_csv(os.path.join(folder, name), skiprows=1, header=None,
                                names=["x", "y", "index"])
            frame["frame"] = int(name[6:-4])
            frames.append(frame)
    return pd.concat(frames, ignore_index=True).sort_values(["index", "frame"], ignore_index=True)


def load_metrics(folder):
    return pd.read_csv(os.path.join(folder, "frame_metrics.csv"))


def fps_of(folder):
    with open(os.path.join(folder, "fps.txt"), encoding="ascii") as file:
        return float(file.read())


def vectors(tracks, metrics, fps):
    table = tracks.copy()
    by_point = table["index"]
    velocity = table[["x", "y"]].groupby(by_point).diff().fillna(0.0) * fps
    change = velocity.groupby(by_point).diff().fillna(0.0)
    table["speed"] = np.hypot(velocity["x"], velocity["y"])
    turn = np.hypot(change["x"], change["y"])
    table["acceleration"] = turn * fps
    table["curvature_like"] = turn / (table["speed"] + 1e-6)
    table = table.merge(metrics[["frame"] + METRICS], on="frame", how="left")
    largest = table.groupby("frame")["curvature_like"].transform("max")
    share = (table["curvature_like"] / largest).where(largest > 0, 0.0)
    table["strain_surrogate"] = share * table["est_max_strain"].clip(lower=0)
    table["stress_surrogate"] = table["strain_surrogate"]
    table["impact_surrogate"] = table["acceleration"] / fps
    weighed = (0.25 * (table["strain_surrogate"] / 0.03).clip(upper=1)
               + 0.20 * (table["stress_surrogate"] / 0.03).clip(upper=1)
               + 0.20 * (table["curvature_concentration"] / 8).clip(upper=1)
               + 0.15 * (table["bend_angle_deg"] / 180).clip(upper=1)
               + 0.20 * (table["acceleration"] / 5000).clip(upper=1))
    table["crack_risk"] = 1 / (1 + np.exp(-8 * (weighed - 0.45)))
    return table


def shape_of(values):
    """Skewness, excess kurtosis, correlation with itself one and two frames later."""
    spread = values.std()
    if spread <= 1e-9:
        return [0.0] * 4
    scaled = (values - values.mean()) / spread
    later = [np.corrcoef(values[:-lag], values[lag:])[0, 1] for lag in (1, 2)]
    return [np.mean(scaled ** 3), np.mean(scaled ** 4) - 3, *np.nan_to_num(later)]


def spectrum_of(values, fps):
    power = np.abs(np.fft.rfft(values - values.mean())) ** 2
    power = power[1:]
    total = power.sum()
    share = power / total if total > 1e-9 else np.zeros(0)
    share = share[share > 1e-9]
    largest = np.fft.rfftfreq(values.size, 1 / fps)[np.argmax(power) + 1]
    return [largest, total, -np.sum(share * np.log2(share))]


def features(tracks, metrics, fps):
    """75 columns a frame, and the six numbers of the whole sequence."""
    table = vectors(tracks, metrics, fps)
    rows = table.groupby("frame")[SURROGATES].agg(["mean", "max", "std"])
    rows.columns = ["_".join(pair) for pair in rows.columns]
    moving = [name for name in rows.columns if name.endswith(("_mean", "_max"))]
    rows = rows.join(metrics.set_index("frame")[METRICS])
    columns = [rows.to_numpy()]
    whole = []
    for name in ("acceleration", "curvature_like", "strain_surrogate"):
        whole += shape_of(rows[name + "_mean"].to_numpy())
    rate = rows[moving].diff()
    changes = np.stack([rate.fillna(0.0), rate.abs().fillna(0.0), rate.diff().fillna(0.0)], axis=2)
    spectra = []
    for name in ("acceleration", "curvature_like"):
        spectra += spectrum_of(rows[name + "_mean"].to_numpy(), fps)
    columns += [np.tile(whole, (len(rows), 1)), changes.reshape(len(rows), -1),
                np.tile(spectra, (len(rows), 1))]
    strain, acceleration = table["strain_surrogate"], table["acceleration"]
    of_all = [len(rows), table["index"].nunique(), strain.mean(), strain.max(), acceleration.mean(),
              acceleration.max()]
    return np.hstack(columns), of_all


class InPandas:
    load = staticmethod(load)
    parsed = staticmethod(lambda folder: (load(folder), load_metrics(folder), fps_of(folder)))
    vectors = staticmethod(lambda parsed: vectors(*parsed))
    features = staticmethod(lambda parsed: features(*parsed))


# --- the reference ------------------------------------------------------------------------------------

class Reference:
    """The user's checkout, called as its own scripts call it."""

    def __init__(self):
        checkout = os.environ["NIGHTSHIFT_REFERENCE"]
        sys.path[:0] = [path for path in (os.path.join(checkout, "src"), checkout) if os.path.isdir(path)]
        from pathlib import Path

        from motionanalyzer import analysis, auto_optimize, crack_model
        self.path, self.analysis, self.crack_model = Path, analysis, crack_model
        self.extract, self.info = auto_optimize.extract_features, auto_optimize.DatasetInfo
        self.config = auto_optimize.FeatureExtractionConfig(
            include_per_frame=True, include_per_point=False, include_global_stats=True,
            include_crack_risk_features=False, include_advanced_stats=True, include_frequency_domain=True)

    def load(self, folder):
        return self.analysis.load_bundle(input_dir=self.path(folder))[0]

    def parsed(self, folder):
        tracks, fps, scale = self.analysis.load_bundle(input_dir=self.path(folder))
        metrics = self.crack_model.load_frame_metrics(self.path(folder) / "frame_metrics.csv")
        return tracks, metrics, fps, scale

    def vectors(self, parsed):
        tracks, metrics, fps, scale = parsed
        table = self.analysis.compute_vectors(df=tracks, fps=fps, meters_per_pixel=scale)
        return self.crack_model.compute_crack_risk(table, metrics, 1.0 / fps, meters_per_pixel=scale)

    def features(self, parsed):
        _, metrics, fps, scale = parsed
        info = self.info(path=self.path("."), label=0, vectors=self.vectors(parsed), frame_metrics=metrics,
                         fps=fps, meters_per_pixel=scale)
        table = self.extract(info, self.config)
        numbers = table.drop(columns=["frame", "label", "dataset_path"] + GLOBALS)
        is_global = table["n_frames"].notna()
        of_all = table.loc[is_global, GLOBALS].iloc[0]
        return numbers[~is_global].to_numpy(np.float64), of_all.to_numpy(np.float64)


# --- both ---------------------------------------------------------------------------------------------

def measure_load(program, runs, ours, dataset):
    folders = [os.path.join(dataset, name) for name in names_of(ours)]
    theirs = [program.load(folder)[["index", "frame", "x", "y"]].to_numpy(np.int32) for folder in folders]
    mine = np.fromfile(ours, np.int32).reshape(-1, 4)
    require(np.array_equal(mine, np.vstack(theirs)), "other points")
    return measure(runs, lambda: [program.load(folder) for folder in folders])


def measure_vectors(program, runs, ours, dataset):
    parsed = [program.parsed(os.path.join(dataset, name)) for name in names_of(ours)]
    theirs = np.vstack([program.vectors(one)[VECTORS].to_numpy(np.float64) for one in parsed])
    mine = np.fromfile(ours, np.float64).reshape(-1, len(VECTORS))
    require_close(mine, theirs, RELATIVE, "vectors")
    return measure(runs, lambda: [program.vectors(one) for one in parsed])


def measure_features(program, runs, ours, dataset, relative=RELATIVE):
    parsed = [program.parsed(os.path.join(dataset, name)) for name in names_of(ours)]
    mine, at = np.fromfile(ours, np.float64), 0
    for one in parsed:
        rows, of_all = program.features(one)
        of_rows, at = mine[at:at + rows.size].reshape(rows.shape), at + rows.size
        require_close(of_rows, rows, relative, "features")
        of_whole = mine[at:at + len(of_all)].reshape(1, -1)
        require_close(of_whole, np.reshape(of_all, (1, -1)), relative, "globals")
        at += len(of_all)
    require(at == len(mine), f"{at} numbers, and {len(mine)} of ours")
    return measure(runs, lambda: [program.features(one) for one in parsed])


def generate_by_reference(runs, ours, dataset, scratch):
    """Each bundle of ours again, from the parameters in its own metadata."""
    reference = Reference()
    from motionanalyzer.synthetic import SyntheticConfig, generate_synthetic_bundle
    wanted = []
    for name in names_of(ours):
        with open(os.path.join(dataset, name, "metadata.json"), encoding="utf-8") as file:
            metadata = json.load(file)
        extra = dict(list(metadata.items())[list(metadata).index("outputs") + 1:])
        wanted.append((name, SyntheticConfig(**metadata["config"]), extra))

    def generate():
        for name, config, extra in wanted:
            folder = reference.path(scratch) / name
            folder.mkdir(parents=True, exist_ok=True)
            generate_synthetic_bundle(folder, config, extra_metadata=dict(extra))

    generate()
    for name, _, _ in wanted:
        mine, theirs = os.path.join(dataset, name), os.path.join(scratch, name)
        require(sorted(os.listdir(mine)) == sorted(os.listdir(theirs)), f"other files in {name}")
        for file in os.listdir(mine):
            with open(os.path.join(mine, file), "rb") as a, open(os.path.join(theirs, file), "rb") as b:
                require(a.read() == b.read(), f"other bytes in {name}/{file}")
    return measure(runs, generate)


WORKS = {
    "bundle_load/pandas": lambda *rest: measure_load(InPandas, *rest),
    "vectors_table/pandas": lambda *rest: measure_vectors(InPandas, *rest),
    "features_table/pandas": lambda *rest: measure_features(InPandas, *rest),
    "features_single/pandas": lambda *rest: measure_features(InPandas, *rest, relative=RELATIVE_SINGLE),
    "features_single/reference": lambda *rest: measure_features(Reference(), *rest, relative=RELATIVE_SINGLE),
    "bundle_load/reference": lambda *rest: measure_load(Reference(), *rest),
    "vectors_table/reference": lambda *rest: measure_vectors(Reference(), *rest),
    "features_table/reference": lambda *rest: measure_features(Reference(), *rest),
    "generate_text/reference": generate_by_reference,
}
