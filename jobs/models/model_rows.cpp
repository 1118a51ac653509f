#include "jobs/models/model_rows.h"

#include <algorithm>
#include <utility>

namespace nightshift::jobs {

ModelRows::ModelRows(const Model& model, const FeatureSet& set, const std::string& name)
    : model_(model),
      set_(set),
      places_(feature_places(set, model.features, name)),
      takes_all_(model.features == set.names) {}

template <typename RowOf>
std::vector<double> ModelRows::prepared(std::vector<double> values, RowOf row_of) const {
    if (!takes_all_) {
        const auto width = static_cast<std::size_t>(set_.columns());
        std::vector<double> chosen;
        chosen.reserve(width == 0 ? 0 : values.size() / width * places_.size());
        for (std::size_t at = 0; at < values.size(); at += width) {
            for (const std::int64_t place : places_)
                chosen.push_back(values[at + static_cast<std::size_t>(place)]);
        }
        values = std::move(chosen);
    }
    if (model_.normalizer) {
        model_.normalizer->apply(values);
    } else {
        const std::size_t width = places_.size();
        for (std::size_t r = 0; r * width < values.size(); ++r) {
            require_finite(std::span(values).subspan(r * width, width), model_.features, set_.origin,
                           set_.table_row(row_of(r)));
        }
    }
    return values;
}

std::vector<double> ModelRows::block(std::int64_t first, std::int64_t count) const {
    return prepared(set_.values(first, count),
                    [&](std::size_t r) { return first + static_cast<std::int64_t>(r); });
}

std::vector<double> ModelRows::gathered(std::span<const std::int64_t> which) const {
    return prepared(set_.values(which), [&](std::size_t r) { return which[r]; });
}

RowStore<float> ModelRows::narrow(const RowRoom& room) const {
    RowStore<float> out(columns(), room);
    for (std::int64_t first = 0; first < count(); first += kRowsAtATime) {
        const std::vector<double> values = block(first, std::min(kRowsAtATime, count() - first));
        out.append(std::vector<float>(values.begin(), values.end()));
    }
    return out;
}

Normalizer fit_normalizer(const FeatureSet& set) {
    NormalizerFit fit(set.names.size());
    const auto add = [&](std::int64_t, const std::vector<double>& values) { fit.add(values); };
    for_blocks(set, add);
    fit.start_again();
    for_blocks(set, add);
    return fit.finish();
}

}  // namespace nightshift::jobs
