#include "kernels/knn.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "kernels/buffer.h"
#include "kernels/cpu/knn_bank.h"
#include "kernels/cpu/knn_checks.h"
#include "kernels/cuda/knn_filter.cuh"
#include "kernels/cuda/knn_settle.cuh"

namespace nightshift::kernels {
namespace {

using namespace cuda;

/// What one launch's queries may take on the device, where the budget has so much.
constexpr std::int64_t kQueryBytes = std::int64_t{64} << 20;

/// in values [panels, d, kKnnPanel]; out scaled [panels, kKnnPanel, wide]. One thread an element of scaled.
__global__ void scale_bank(const float* values, int panels, int d, int wide, float scale, half* scaled) {
    const std::int64_t at = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    const std::int64_t rows = static_cast<std::int64_t>(panels) * kKnnPanel;
    if (at >= rows * wide) return;
    const std::int64_t row = at / wide, panel = row / kKnnPanel;
    const int j = static_cast<int>(at % wide), place = static_cast<int>(row % kKnnPanel);
    const float value = j < d ? values[(panel * d + j) * kKnnPanel + place] : 0.0F;
    scaled[at] = __float2half_rn(value * scale);
}

/// The bank packed for the device, and what it keeps there.
template <typename T>
class DeviceBank {
  public:
    DeviceBank(const Op& op, Rows<T> bank)
        : rows_(op.backend(),
                std::span<const T>(bank.data, static_cast<std::size_t>(bank.rows * bank.columns)),
                "knn.bank") {
        const KnnBank packed = pack_bank(bank, kKnnPanel);
        table_.rows = bank.rows;
        table_.d = static_cast<int>(bank.columns);
        table_.panels = static_cast<int>((bank.rows + kKnnPanel - 1) / kKnnPanel);
        table_.wide = (table_.d + kKnnFragment - 1) / kKnnFragment * kKnnFragment;
        table_.is_usable = packed.is_usable && find_scale(packed.values);
        if (table_.is_usable) put(op, packed);
    }

    const KnnDeviceBank& table() const { return table_; }
    const T* rows() const { return rows_.data(); }

  private:
    /// False where no power of two brings the values near 1.
    bool find_scale(const std::vector<float>& values) {
        float largest = 0;
        for (const float value : values) largest = std::max(largest, std::abs(value));
        if (largest == 0) {
            table_.scale = 1;
            return true;
        }
        int exponent = 0;
        std::frexp(largest, &exponent);
        table_.scale = std::ldexp(1.0F, 5 - exponent);
        // Its square, which products are divided by, has to be a normal number, too.
        return std::abs(5 - exponent) <= 60;
    }

    void put(const Op& op, const KnnBank& packed) {
        Backend& backend = op.backend();
        const double d = table_.d, s = table_.scale;
        table_.unit = 0x1p-9 + (d + 16) * 0x1p-22;
        table_.tiny = (d + 16) * 0x1p-36 / (s * s) + packed.tiny;
        table_.fine_unit = packed.unit;
        table_.fine_tiny = packed.tiny;
        std::vector<float> low(packed.low_norms.size()), widths(low.size());
        for (std::size_t r = 0; r < low.size(); ++r) {
            low[r] = packed.low_norms[r];
            if (std::isinf(low[r])) continue;  // beyond the last row
            const double norm = static_cast<double>(packed.low_norms[r]) / (1 - packed.unit);
            low[r] = static_cast<float>(norm - table_.unit * norm);
            widths[r] = static_cast<float>(2 * (table_.unit * norm + table_.tiny));
        }
        values_ = {backend, packed.values, "knn.bank"};
        low_norms_ = {backend, low, "knn.bank"};
        widths_ = {backend, widths, "knn.bank"};
        fine_low_norms_ = {backend, packed.low_norms, "knn.bank"};
        centre_ = {backend, packed.centre, "knn.bank"};
        const std::int64_t halves = std::int64_t{table_.panels} * kKnnPanel * table_.wide;
        scaled_ = {backend, static_cast<std::size_t>(halves), "knn.bank"};
        launch(op, "scale_bank", blocks_for(halves, 256), 256, 0, scale_bank, values_.data(), table_.panels,
               table_.d, table_.wide, table_.scale, scaled_.data());
        table_.scaled = scaled_.data();
        table_.values = values_.data();
        table_.low_norms = low_norms_.data();
        table_.widths = widths_.data();
        table_.fine_low_norms = fine_low_norms_.data();
        table_.centre = centre_.data();
    }

    KnnDeviceBank table_{};
    Buffer<T> rows_;
    Buffer<half> scaled_;
    Buffer<float> values_, low_norms_, widths_, fine_low_norms_;
    Buffer<double> centre_;
};

/// Device memory for the queries of one launch.
template <typename T>
class DeviceQueries {
  public:
    DeviceQueries(Backend& backend, const KnnDeviceBank& bank, std::int64_t rows, int k)
        : rows_(backend, size(rows, bank.d), "knn.queries"),
          squared_(backend, size(rows, k), "knn.result"),
          indices_(backend, size(rows, k), "knn.result") {
        if (!bank.is_usable) return;
        const std::int64_t padded = (rows + kKnnTile - 1) / kKnnTile * kKnnTile;
        scaled_ = {backend, size(padded, bank.wide), "knn.queries"};
        values_ = {backend, size(rows, bank.d), "knn.queries"};
        norms_ = {backend, size(rows, 1), "knn.queries"};
        limits_ = {backend, size(rows, 1), "knn.queries"};
        lows_ = {backend, size(rows, bank.panels), "knn.queries"};
    }

    /// Bytes of one query.
    static std::int64_t bytes(const KnnDeviceBank& bank, int k) {
        return std::int64_t{bank.d} * static_cast<std::int64_t>(sizeof(T) + sizeof(float)) + 2 * bank.wide +
               4 * std::int64_t{bank.panels} + 12 * std::int64_t{k} + 12;
    }

    /// `count` rows of queries through both looks; distances and rows to the host.
    void answer(const Op& op, const DeviceBank<T>& bank, const T* queries, std::int64_t count, int k,
                std::span<double> distances, std::span<std::int32_t> rows) {
        const KnnDeviceBank& table = bank.table();
        rows_.upload({queries, size(count, table.d)});
        const KnnDeviceQueries own{scaled_.data(), values_.data(), norms_.data(),
                                   limits_.data(), lows_.data(),   count};
        if (table.is_usable) filter(op, table, own, count, k);
        launch(op, "settle", blocks_for(count, kSettleWarps), kSettleWarps * kWarp, 0, settle<T>, table, own,
               bank.rows(), rows_.data(), k, squared_.data(), indices_.data());
        squared_.download(distances);
        indices_.download(rows);
        for (double& each : distances) each = std::sqrt(each);
    }

  private:
    static std::size_t size(std::int64_t rows, std::int64_t columns) {
        return static_cast<std::size_t>(rows * columns);
    }

    void filter(const Op& op, const KnnDeviceBank& table, const KnnDeviceQueries& own, std::int64_t count,
                int k) {
        const std::int64_t padded = (count + kKnnTile - 1) / kKnnTile * kKnnTile;
        launch(op, "pack_queries", blocks_for(padded * kWarp, 256), 256, 0, pack_queries<T>, table,
               rows_.data(), count, padded, scaled_.data(), values_.data(), norms_.data());
        const std::size_t room = op.backend().info().shared_bytes;
        const std::size_t whole = filter_shared_bytes(table.wide, table.panels);
        const bool is_resident = whole <= room;
        const int chunk = is_resident ? table.wide : std::min(table.wide, kKnnChunk);
        const std::size_t shared = is_resident ? whole : filter_shared_bytes(chunk, 1);
        const auto tiles = static_cast<unsigned>(padded / kKnnTile);
        const unsigned blocks = std::min(tiles, blocks_together(op, filter_tiles, kKnnThreads, shared));
        launch(op, "filter_tiles", blocks, kKnnThreads, shared, filter_tiles, table, own, k, chunk,
               is_resident);
    }

    Buffer<T> rows_;
    Buffer<double> squared_;
    Buffer<std::int32_t> indices_;
    Buffer<half> scaled_;
    Buffer<float> values_, limits_, lows_;
    Buffer<double> norms_;
};

template <typename T>
Neighbours search(Backend& backend, Rows<T> bank, Rows<T> queries, int k) {
    check_knn(bank.rows, bank.columns, queries.rows, queries.columns, k);
    const std::string d = std::to_string(bank.columns);
    const Op op(backend, "knn",
                "bank [" + std::to_string(bank.rows) + ", " + d + "], queries [" +
                    std::to_string(queries.rows) + ", " + d + "], k " + std::to_string(k));
    Neighbours out;
    out.k = k;
    out.distances.resize(static_cast<std::size_t>(queries.rows * k));
    out.indices.resize(out.distances.size());
    if (queries.rows == 0) return out;
    const DeviceBank<T> own(op, bank);
    // Half of what the budget has left: the pool needs some room to move.
    const BackendMemory memory = backend.memory();
    const auto left = static_cast<std::int64_t>(
        std::min<std::size_t>((memory.budget_bytes - memory.held_bytes) / 2, kQueryBytes));
    const std::int64_t at_once =
        std::clamp<std::int64_t>(left / DeviceQueries<T>::bytes(own.table(), k), 1, queries.rows);
    DeviceQueries<T> some(backend, own.table(), at_once, k);
    for (std::int64_t at = 0; at < queries.rows; at += at_once) {
        const std::int64_t count = std::min(at_once, queries.rows - at);
        const auto first = static_cast<std::size_t>(at * k), size = static_cast<std::size_t>(count * k);
        some.answer(op, own, queries.row(at), count, k, std::span(out.distances).subspan(first, size),
                    std::span(out.indices).subspan(first, size));
    }
    return out;
}

}  // namespace

Neighbours knn_cuda(Backend& backend, Rows<double> bank, Rows<double> queries, int k) {
    return search(backend, bank, queries, k);
}
Neighbours knn_cuda(Backend& backend, Rows<float> bank, Rows<float> queries, int k) {
    return search(backend, bank, queries, k);
}

}  // namespace nightshift::kernels
