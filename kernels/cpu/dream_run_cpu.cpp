#include "kernels/dream_run.h"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

#include "kernels/array_fill.h"
#include "kernels/cpu/dream_run_checks.h"

namespace nightshift::kernels {
namespace {

class DreamRunCpu final : public DreamRun {
  public:
    DreamRunCpu(const DreamRunOptions& options, std::span<const float> rows)
        : options_(options),
          rows_(rows),
          step_(make_dream_step_cpu(options.step)),
          hidden_(static_cast<std::size_t>(dream_net_hidden_values(options.step.shape))) {}

    std::vector<DreamStepLosses> run(std::span<const std::int64_t> order, std::int64_t epoch,
                                     std::int64_t first_batch) override {
        check_batches(options_, static_cast<std::int64_t>(rows_.size()) / options_.step.shape.columns, order,
                      epoch, first_batch);
        std::vector<DreamStepLosses> losses;
        const auto batch = static_cast<std::size_t>(options_.batch);
        for (std::size_t at = 0; at < order.size(); at += batch) {
            const auto own = order.subspan(at, std::min(batch, order.size() - at));
            losses.push_back(learn(own, epoch, first_batch + static_cast<std::int64_t>(losses.size())));
        }
        return losses;
    }

    DreamStepState state() const override { return step_->state(); }
    void set_state(DreamStepState state) override { step_->set_state(std::move(state)); }

  private:
    DreamStepLosses learn(std::span<const std::int64_t> own, std::int64_t epoch, std::int64_t batch) {
        const std::size_t n = own.size(), d = static_cast<std::size_t>(options_.step.shape.columns);
        clean_.resize(n * d);
        anomalous_.resize(n * d);
        labels_.resize(n);
        uniforms_.resize((1 + options_.scalings.size()) * n);
        keep_.resize(options_.drop > 0 ? hidden_ * n : 0);
        for (std::size_t r = 0; r < n; ++r)
            std::copy_n(rows_.data() + static_cast<std::size_t>(own[r]) * d, d, clean_.data() + r * d);
        const auto stream = [&](std::uint32_t kind) {
            return PhiloxStream{options_.seed, static_cast<std::uint32_t>(batch), kind,
                                static_cast<std::uint32_t>(epoch)};
        };
        fill_uniforms(stream(options_.anomaly_kind), uniforms_);
        dream_anomalies(clean_, uniforms_, options_.scalings, options_.step.shape.columns, anomalous_,
                        labels_);
        if (!keep_.empty()) fill_keep_factors(stream(options_.dropout_kind), options_.drop, keep_);
        return step_->step({static_cast<std::int64_t>(n), clean_, anomalous_, labels_, keep_});
    }

    DreamRunOptions options_;
    std::span<const float> rows_;
    std::unique_ptr<DreamStep> step_;
    std::size_t hidden_;
    std::vector<float> clean_, anomalous_, labels_, uniforms_, keep_;
};

}  // namespace

void check_run(const DreamRunOptions& options, std::span<const float> rows) {
    const std::int64_t d = options.step.shape.columns;
    dream_net_layers(options.step.shape);  // refuses sizes that cannot be
    const bool has_columns =
        std::all_of(options.scalings.begin(), options.scalings.end(),
                    [&](const DreamScaling& scaling) { return scaling.column >= 0 && scaling.column < d; });
    if (rows.empty() || rows.size() % static_cast<std::size_t>(d) != 0 || options.batch < 1 ||
        options.batch > kDreamRunBatchMax || !(options.drop >= 0 && options.drop < 1) || !has_columns)
        throw std::invalid_argument("dream run: " + std::to_string(rows.size()) + " values in rows of " +
                                    std::to_string(d) + ", batches of " + std::to_string(options.batch) +
                                    ": rows, batch, drop or scalings do not fit");
}

void check_batches(const DreamRunOptions& options, std::int64_t rows, std::span<const std::int64_t> order,
                   std::int64_t epoch, std::int64_t first_batch) {
    const bool fits =
        std::all_of(order.begin(), order.end(), [&](std::int64_t row) { return row >= 0 && row < rows; });
    constexpr std::int64_t kWordMax = std::numeric_limits<std::uint32_t>::max();
    const auto batches = static_cast<std::int64_t>(order.size()) / options.batch + 1;
    if (!fits || epoch < 0 || epoch > kWordMax || first_batch < 0 || first_batch > kWordMax - batches)
        throw std::invalid_argument("dream run: epoch " + std::to_string(epoch) + ", batch " +
                                    std::to_string(first_batch) + ", " + std::to_string(order.size()) +
                                    " rows of " + std::to_string(rows) + ": they do not fit");
}

std::unique_ptr<DreamRun> make_dream_run_cpu(const DreamRunOptions& options, std::span<const float> rows) {
    check_run(options, rows);
    return std::make_unique<DreamRunCpu>(options, rows);
}

}  // namespace nightshift::kernels
