// Runs one part of the pipeline in this process, on one thread, and writes what it found for a peer to
// compare. usage: nightshift_pipeline_bench RUNS OUT load|features|features32|vectors DATASET
//        nightshift_pipeline_bench RUNS OUT cusum|window|pelt SIGNALS LENGTH PEN
//        nightshift_pipeline_bench RUNS OUT knn|knn32 BANK QUERIES COLUMNS K
//        nightshift_pipeline_bench RUNS OUT coreset ROWS COLUMNS COUNT START
// Prints a line `wall_s cpu_s` a run after one to warm up. Numbers in files are float64 or int32, C order.
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "jobs/fpcb/dataset.h"
#include "jobs/fpcb/frame_metrics.h"
#include "kernels/compat_features.h"
#include "kernels/compat_vectors.h"
#include "kernels/coreset.h"
#include "kernels/knn.h"
#include "kernels/series_changes.h"
#include "tests/bench/part_timer.h"

namespace {

using namespace nightshift;
using namespace nightshift::bench;
namespace fs = std::filesystem;

constexpr int kMinSize = 3, kJump = 5;

std::vector<jobs::Sequence> read_all(const fs::path& folder) {
    const auto dataset = jobs::open_dataset(folder);
    std::vector<jobs::Sequence> sequences;
    for (std::size_t i = 0; i < dataset->size(); ++i) sequences.push_back(dataset->read(i));
    return sequences;
}

/// Names a line, in the order of the numbers, and what the work gave.
void write_names(const fs::path& out, const std::vector<jobs::Sequence>& sequences) {
    std::ofstream names(out.string() + ".names");
    for (const jobs::Sequence& sequence : sequences) names << sequence.info.name << "\n";
}

void load(int runs, const fs::path& out, const fs::path& folder) {
    const std::vector<jobs::Sequence> sequences = read_all(folder);
    std::vector<std::int32_t> rows;
    for (const jobs::Sequence& s : sequences) {
        for (int p = 0; p < s.info.points; ++p) {
            for (int f = 0; f < s.info.frames; ++f) {
                if (!s.is_present(f, p)) continue;
                rows.insert(rows.end(),
                            {s.point_index[static_cast<std::size_t>(p)],
                             s.frame_number[static_cast<std::size_t>(f)], s.x[s.at(f, p)], s.y[s.at(f, p)]});
            }
        }
    }
    write_numbers(out, rows);
    write_names(out, sequences);
    measure(runs, [&] { read_all(folder); });
}

/// `make` adds the numbers of one sequence; what it reads from text is read before the clock starts.
void tables(int runs, const fs::path& out, const fs::path& folder, const std::string& work) {
    const bool is_features = work != "vectors";
    const kernels::Precision precision =
        work == "features32" ? kernels::Precision::fp32 : kernels::Precision::fp64;
    const std::vector<jobs::Sequence> sequences = read_all(folder);
    std::vector<kernels::FrameMetrics> metrics;
    for (const jobs::Sequence& sequence : sequences) metrics.push_back(jobs::frame_metrics_of(sequence));
    std::vector<double> values;
    for (std::size_t i = 0; i < sequences.size(); ++i) {
        if (is_features) {
            const auto found = kernels::compat_features(jobs::view_of(sequences[i]), metrics[i], precision);
            values.insert(values.end(), found.rows.begin(), found.rows.end());
            values.insert(values.end(), found.global.begin(), found.global.end());
            continue;
        }
        const auto v = kernels::compat_vectors(jobs::view_of(sequences[i]), &metrics[i]);
        for (std::size_t r = 0; r < v.rows(); ++r) {
            values.insert(values.end(), {v.speed[r], v.acceleration[r], v.curvature_like[r], v.strain[r],
                                         v.impact[r], v.crack_risk[r]});
        }
    }
    write_numbers(out, values);
    write_names(out, sequences);
    kernels::CompatVectors vectors;
    kernels::CompatFeatures features;
    measure(runs, [&] {
        for (std::size_t i = 0; i < sequences.size(); ++i) {
            const kernels::TrackView view = jobs::view_of(sequences[i]);
            if (is_features)
                kernels::compat_features(view, metrics[i], precision, features);
            else
                kernels::compat_vectors(view, &metrics[i], {}, vectors);
        }
    });
}

/// All series of a file at once.
void changes(int runs, const fs::path& out, const std::string& method,
             const std::vector<std::string>& given) {
    const std::vector<double> values = read_numbers<double>(given.at(0));
    const auto length = static_cast<std::size_t>(std::stoul(given.at(1)));
    const kernels::PeltOptions pelt{kMinSize, kJump, std::stod(given.at(2)), {}};
    const kernels::SeriesBatch batch = kernels::equal_series(values, values.size() / length, length);
    const auto find = [&]() -> kernels::BatchChanges {
        if (method == "cusum") return kernels::cusum_batch_cpu(batch, {}, {}, 1);
        if (method == "window") return kernels::window_batch_cpu(batch, {}, {}, 1);
        return kernels::pelt_batch_cpu(batch, kernels::Pelt::compat, pelt, 1).changes;
    };
    const kernels::BatchChanges found = find();
    std::vector<std::int32_t> indices;
    for (std::size_t i = 0; i < batch.series; ++i) {
        const std::span<const std::int32_t> points = found[i];
        indices.push_back(static_cast<std::int32_t>(points.size()));
        indices.insert(indices.end(), points.begin(), points.end());
    }
    write_numbers(out, indices);
    measure(runs, [&] { find(); });
}

/// Number: what both sides' rows are in memory; files hold doubles.
template <typename Number>
void knn(int runs, const fs::path& out, const std::vector<std::string>& given) {
    const std::vector<double> bank_read = read_numbers<double>(given.at(0)),
                              queries_read = read_numbers<double>(given.at(1));
    const std::vector<Number> bank(bank_read.begin(), bank_read.end());
    const std::vector<Number> queries(queries_read.begin(), queries_read.end());
    const std::int64_t columns = std::stoll(given.at(2));
    const int k = std::stoi(given.at(3));
    const auto rows = [&](const std::vector<Number>& values) {
        return kernels::Rows<Number>{values.data(), static_cast<std::int64_t>(values.size()) / columns,
                                     columns};
    };
    const auto search = [&] { return kernels::knn_cpu(rows(bank), rows(queries), k, 1); };
    const kernels::Neighbours found = search();
    write_numbers(out, found.distances);
    write_numbers(out.string() + ".ids", found.indices);
    measure(runs, [&] { search(); });
}

/// Picks; the first is given.
void coreset(int runs, const fs::path& out, const std::vector<std::string>& given) {
    const std::vector<double> values = read_numbers<double>(given.at(0));
    const std::int64_t columns = std::stoll(given.at(1)), count = std::stoll(given.at(2)),
                       start = std::stoll(given.at(3));
    const kernels::Rows<double> rows{values.data(), static_cast<std::int64_t>(values.size()) / columns,
                                     columns};
    const auto pick = [&] { return kernels::greedy_coreset_cpu(rows, count, start, 1); };
    const kernels::Coreset found = pick();
    write_numbers(out, std::vector<std::int32_t>(found.picks.begin(), found.picks.end()));
    measure(runs, [&] { pick(); });
}

}  // namespace

int main(int count, char** words) {
    const auto work = [](int runs, const fs::path& out, const std::string& name,
                         const std::vector<std::string>& rest) {
        if (name == "load")
            load(runs, out, rest.at(0));
        else if (name == "features" || name == "features32" || name == "vectors")
            tables(runs, out, rest.at(0), name);
        else if (name == "knn")
            knn<double>(runs, out, rest);
        else if (name == "knn32")
            knn<float>(runs, out, rest);
        else if (name == "coreset")
            coreset(runs, out, rest);
        else
            changes(runs, out, name, rest);
    };
    return bench::run_work("nightshift_pipeline_bench", count, words, work);
}
