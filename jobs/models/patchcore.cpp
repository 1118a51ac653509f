#include "jobs/models/patchcore.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "jobs/runtime/job_impl.h"
#include "kernels/coreset.h"
#include "kernels/knn.h"
#include "kernels/pcg64.h"

namespace nightshift::jobs {
namespace {

std::vector<float> to_float(std::span<const double> values) {
    return {values.begin(), values.end()};
}

std::vector<double> mean_distances(const kernels::Neighbours& found) {
    const auto k = static_cast<std::size_t>(found.k);
    std::vector<double> scores(found.distances.size() / k);
    for (std::size_t r = 0; r < scores.size(); ++r) {
        double sum = 0;
        for (std::size_t i = 0; i < k; ++i) sum += found.distances[r * k + i];
        scores[r] = sum / static_cast<double>(k);
    }
    return scores;
}

/// All rows at hand, as the scores see them: the picks are defined by double sums of these values.
RowStore<double> all_rows(const ModelRows& rows, const PatchCoreOptions& options, const RowRoom& room) {
    RowStore<double> out(rows.columns(), room);
    for (std::int64_t first = 0; first < rows.count(); first += kRowsAtATime) {
        std::vector<double> values = rows.block(first, std::min(kRowsAtATime, rows.count() - first));
        if (options.precision == PatchCoreOptions::Precision::kFp32) {
            const std::vector<float> narrow = to_float(values);
            values.assign(narrow.begin(), narrow.end());
        }
        out.append(values);
    }
    return out;
}

std::shared_ptr<kernels::Backend> backend_of(const PatchCoreOptions& options) {
    if (options.backend) return options.backend;
    return kernels::make_cpu_backend(options.threads);
}

std::optional<std::vector<std::int64_t>> greedy_picks(const ModelRows& rows, std::int64_t count,
                                                      const PatchCoreOptions& options, const RowRoom& room,
                                                      const FitProgress& progress) {
    bool is_stopped = false;
    const auto report = [&](std::int64_t picked) {
        is_stopped = progress && !progress(static_cast<double>(picked) / static_cast<double>(count));
        return !is_stopped;
    };
    const RowStore<double> stored = all_rows(rows, options, room);
    const kernels::Rows<double> data{stored.all().data(), stored.rows(), stored.columns()};
    kernels::Coreset coreset =
        kernels::greedy_coreset(*backend_of(options), data, count, options.start, report);
    if (is_stopped) return std::nullopt;
    return std::move(coreset.picks);
}

}  // namespace

std::int64_t bank_rows(double bank, std::int64_t rows) {
    const double wanted = bank < 1 ? std::floor(bank * static_cast<double>(rows)) : std::floor(bank);
    return std::clamp<std::int64_t>(static_cast<std::int64_t>(wanted), 1, rows);
}

std::optional<PatchCoreBank> pick_bank(const ModelRows& rows, const PatchCoreOptions& options,
                                       const RowRoom& room, const FitProgress& progress) {
    const std::int64_t count = bank_rows(options.bank, rows.count());
    if (count < options.k) {
        throw JobError("bad_param", "k is " + std::to_string(options.k) + " but the bank has only " +
                                        std::to_string(count) + " rows; lower k or raise bank");
    }
    if (options.start < 0 || options.start >= rows.count()) {
        throw JobError("bad_param", "start is " + std::to_string(options.start) + " but there are " +
                                        std::to_string(rows.count()) + " training rows; the first is 0");
    }
    PatchCoreBank bank;
    if (options.sampling == PatchCoreOptions::Sampling::kGreedy) {
        auto picks = greedy_picks(rows, count, options, room, progress);
        if (!picks) return std::nullopt;
        bank.picks = std::move(*picks);
    } else if (count == rows.count()) {
        bank.picks.resize(static_cast<std::size_t>(count));
        std::iota(bank.picks.begin(), bank.picks.end(), std::int64_t{0});
    } else {
        bank.picks = kernels::Pcg64(options.seed).choice(rows.count(), count);
    }
    bank.values = rows.gathered(bank.picks);
    return bank;
}

std::vector<double> patchcore_scores(std::span<const double> bank, std::span<const double> values,
                                     std::int64_t columns, const PatchCoreOptions& options) {
    const auto bank_size = static_cast<std::int64_t>(bank.size()) / columns;
    const auto rows = static_cast<std::int64_t>(values.size()) / columns;
    if (options.precision == PatchCoreOptions::Precision::kFp32) {
        const std::vector<float> narrow_bank = to_float(bank);
        const std::vector<float> narrow = to_float(values);
        const kernels::Rows<float> a{narrow_bank.data(), bank_size, columns};
        const kernels::Rows<float> b{narrow.data(), rows, columns};
        return mean_distances(kernels::knn(*backend_of(options), a, b, options.k));
    }
    const kernels::Rows<double> a{bank.data(), bank_size, columns};
    const kernels::Rows<double> b{values.data(), rows, columns};
    return mean_distances(kernels::knn(*backend_of(options), a, b, options.k));
}

}  // namespace nightshift::jobs
