"""pyarrow as the peer of the cache of features: it reads ours, ours reads what it wrote."""

import hashlib
import os

import numpy as np

from peer_measure import measure, require


def table_of(numbers_file, columns):
    import pyarrow
    pyarrow.set_cpu_count(1)
    pyarrow.set_io_thread_count(1)
    numbers = np.fromfile(numbers_file, np.float64).reshape(int(columns), -1)
    return pyarrow.table({f"column_{j}": column for j, column in enumerate(numbers)})


def writer(kind):
    from pyarrow import feather, parquet
    return {
        "feather": lambda table, file: feather.write_feather(table, file, compression="uncompressed"),
        "lz4": lambda table, file: feather.write_feather(table, file),
        "parquet": parquet.write_table,
    }[kind]


def read_whole(file):
    from pyarrow import feather, parquet
    if file.endswith(".parquet"):
        return parquet.read_table(file, use_threads=False, memory_map=False)
    return feather.read_table(file, use_threads=False, memory_map=False)


def write(kind, is_kept=False):
    """`ours_file` has to be the same table; is_kept: synced, and its hash beside it."""
    def compare(runs, _, numbers, columns, ours_file, theirs_file):
        table = table_of(numbers, columns)
        found = read_whole(ours_file)       # its schema differs: ours says that nothing is missing
        require(found.column_names == table.column_names and found.columns == table.columns,
                "pyarrow reads another table from our file")
        put = writer(kind)

        def once():
            put(table, theirs_file)
            if is_kept:
                with open(theirs_file, "rb") as file:
                    os.fsync(file.fileno())
                    found = hashlib.file_digest(file, "sha256").hexdigest()
                with open(theirs_file + ".sum", "w", encoding="ascii") as file:
                    file.write(found)

        return measure(runs, once)
    return compare


def leave(_, __, numbers, columns, theirs_file):
    """A file for ours to read."""
    kind = "parquet" if theirs_file.endswith(".parquet") else "feather"
    writer(kind)(table_of(numbers, columns), theirs_file)
    return {"cpu_s": [], "wall_s": []}


def read(runs, ours, numbers, file):
    with open(ours, "rb") as mine, open(numbers, "rb") as wanted:
        same = hashlib.file_digest(mine, "sha256").digest() == hashlib.file_digest(wanted, "sha256").digest()
    require(same, "ours reads other numbers from pyarrow's file")
    table_of(numbers, 81)       # one thread from here on
    return measure(runs, lambda: read_whole(file))


WORKS = {
    "write/feather": write("feather"), "write/lz4": write("lz4"), "write/parquet": write("parquet"),
    "keep/feather": write("feather", True), "keep/parquet": write("parquet", True),
    "leave/pyarrow": leave, "read/pyarrow": read,
}
