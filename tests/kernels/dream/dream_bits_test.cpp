// The bits of a step: each number is one sum over rising indices, whatever way the arrays lie.
#include <doctest/doctest.h>

#include <cmath>
#include <span>
#include <vector>

#include "kernels/cpu_variant.h"
#include "kernels/dream_step.h"
#include "tests/kernels/dream/dream_case.h"

using namespace nightshift::kernels;
using nightshift::tests::DreamCase;

namespace {

/// The gradients of a batch of up to 512 rows in plain loops, operation by operation as the contract has
/// them.
class PlainGradients {
  public:
    PlainGradients(const DreamCase& batch, bool is_fused)
        : case_(batch),
          layers_(dream_net_layers(batch.shape)),
          parameters_(batch.start().parameters),
          is_fused_(is_fused),
          gradients_(parameters_.size()) {}

    std::vector<float> found() {
        for (std::int64_t row = 0; row < case_.rows; ++row) learn(row);
        return gradients_;
    }

  private:
    using Values = std::vector<float>;

    float added(float sum, float a, float b) const {
        if (is_fused_) return std::fma(a, b, sum);
        const float product = a * b;
        return sum + product;
    }

    /// Factor of a hidden value's dropout; `before`: hidden values of a row in front of the layer's.
    float keep(std::int64_t before, std::int64_t out, std::int64_t row, std::int64_t o) const {
        if (case_.keep.empty()) return 1;
        return case_.keep[static_cast<std::size_t>(before * case_.rows + row * out + o)];
    }

    void learn(std::int64_t row) {
        const auto d = static_cast<std::size_t>(case_.shape.columns);
        const auto own = [&](const Values& all) {
            return std::span(all).subspan(static_cast<std::size_t>(row) * d, d);
        };
        const auto seen = own(case_.anomalous), clean = own(case_.clean);
        const std::size_t autoencoder = dream_net_autoencoder(case_.shape);
        std::vector<Values> inputs, outputs;
        Values values(seen.begin(), seen.end());
        for (std::size_t i = 0; i < layers_.size(); ++i) {
            if (i == autoencoder) values.insert(values.begin(), seen.begin(), seen.end());
            inputs.push_back(values);
            values = forward(i, values, row);
            outputs.push_back(values);
        }
        const float label = case_.labels[static_cast<std::size_t>(row)];
        const float probability = 1.0F / (1.0F + std::exp(-values[0]));
        const float share = 0.5F / static_cast<float>(case_.rows);
        Values slope{share * (probability - label)};
        for (std::size_t i = layers_.size(); i-- > 0;) {
            if (i + 1 == autoencoder) {
                slope.erase(slope.begin(), slope.begin() + static_cast<std::ptrdiff_t>(d));
                const float each = 2.0F / static_cast<float>(case_.rows * case_.shape.columns);
                for (std::size_t j = 0; j < d; ++j) {
                    const float more = each * (outputs[i][j] - clean[j]);
                    slope[j] += more;
                }
            }
            slope = back(i, inputs[i], outputs[i], slope, row);
        }
    }

    Values forward(std::size_t i, const Values& from, std::int64_t row) const {
        const DreamNetLayer& layer = layers_[i];
        Values to;
        for (std::int64_t o = 0; o < layer.out; ++o) {
            float sum = 0;
            for (std::int64_t p = 0; p < layer.in; ++p)
                sum = added(sum, weight(layer, o, p), from[static_cast<std::size_t>(p)]);
            sum += parameters_[static_cast<std::size_t>(layer.bias_offset() + o)];
            if (layer.is_hidden) sum = (sum < 0 ? 0.0F : sum) * keep(hidden_before(i), layer.out, row, o);
            to.push_back(sum);
        }
        return to;
    }

    Values back(std::size_t i, const Values& input, const Values& output, Values slope, std::int64_t row) {
        const DreamNetLayer& layer = layers_[i];
        Values to(static_cast<std::size_t>(layer.in));
        for (std::int64_t o = 0; o < layer.out; ++o) {
            float& own = slope[static_cast<std::size_t>(o)];
            if (layer.is_hidden) {
                own *= keep(hidden_before(i), layer.out, row, o);
                if (!(output[static_cast<std::size_t>(o)] > 0)) own = 0;
            }
            gradients_[static_cast<std::size_t>(layer.bias_offset() + o)] += own;
            for (std::int64_t p = 0; p < layer.in; ++p) {
                const auto at = static_cast<std::size_t>(p);
                float& gradient = gradients_[static_cast<std::size_t>(layer.offset + o * layer.in + p)];
                gradient = added(gradient, own, input[at]);
                to[at] = added(to[at], weight(layer, o, p), own);
            }
        }
        return to;
    }

    float weight(const DreamNetLayer& layer, std::int64_t o, std::int64_t p) const {
        return parameters_[static_cast<std::size_t>(layer.offset + o * layer.in + p)];
    }
    std::int64_t hidden_before(std::size_t layer) const {
        std::int64_t values = 0;
        for (std::size_t i = 0; i < layer; ++i) values += layers_[i].is_hidden ? layers_[i].out : 0;
        return values;
    }

    const DreamCase& case_;
    std::vector<DreamNetLayer> layers_;
    Values parameters_;
    bool is_fused_;
    Values gradients_;
};

}  // namespace

TEST_CASE("dream bits: gradients are the plain loops' in every bit, whatever the shape") {
    const std::vector<DreamNetShape> shapes{{81, {64, 32, 16}, 8, 64}, {1, {64, 32, 16}, 8, 2},
                                            {6, {64, 32, 16}, 8, 12},  {128, {40, 33}, 7, 64},
                                            {300, {261}, 5, 17},       {9, {}, 3, 18}};
    for (const DreamNetShape& shape : shapes) {
        for (const std::int64_t rows : {1, 7, 32, 33, 70}) {
            CAPTURE(shape.columns);
            CAPTURE(rows);
            const DreamCase each(shape, rows, 21 + static_cast<std::uint64_t>(rows), rows != 33);
            for (const CpuVariant variant : cpu_variants_here()) {
                const ScopedCpuVariant scoped(variant);
                const auto step = make_dream_step_cpu(each.options());
                step->set_state(each.start());
                step->step(each.batch());
                const bool is_fused = variant != CpuVariant::scalar;
                CHECK(step->gradients() == PlainGradients(each, is_fused).found());
            }
        }
    }
}

TEST_CASE("dream bits: a state comes back as it was set, and one step of Adam goes by the gradients") {
    for (const DreamNetShape& shape :
         {DreamNetShape{81, {64, 32, 16}, 8, 64}, DreamNetShape{5, {3, 9}, 2, 7}}) {
        const DreamCase each(shape, 40, 8, true);
        const auto step = make_dream_step_cpu(each.options());
        DreamStepState state = each.start();
        state.first_moment =
            nightshift::tests::normals(static_cast<std::int64_t>(state.parameters.size()), 5);
        state.second_moment = state.parameters;
        for (float& square : state.second_moment) square *= square;
        state.steps = 20'000;  // where the correction is 1
        step->set_state(state);
        CHECK(step->state().parameters == state.parameters);
        CHECK(step->state().first_moment == state.first_moment);
        CHECK(step->state().second_moment == state.second_moment);
        step->step(each.batch());
        adam_update(state.parameters, state.first_moment, state.second_moment, step->gradients(), 20'001,
                    each.options().adam);
        CHECK(step->state().parameters == state.parameters);
        CHECK(step->state().first_moment == state.first_moment);
        CHECK(step->state().second_moment == state.second_moment);
        CHECK(step->state().steps == 20'001);
    }
}
