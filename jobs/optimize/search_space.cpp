#include "jobs/optimize/search_space.h"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "jobs/runtime/job_impl.h"
#include "jobs/table/nearest_word.h"

namespace nightshift::jobs {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr int kPointsMax = 1000;

[[noreturn]] void refuse(const Dimension& dimension, const std::string& why) {
    throw JobError("bad_param", "space: '" + dimension.name + "' " + why);
}

double place_of_word(const Dimension& dimension, const std::string& word) {
    const auto found = std::find(dimension.words.begin(), dimension.words.end(), word);
    if (found == dimension.words.end()) {
        std::string all;
        for (const std::string& each : dimension.words) all += (all.empty() ? "" : ", ") + each;
        refuse(dimension, "cannot be '" + word + "'; it can be " + all);
    }
    return static_cast<double>(found - dimension.words.begin());
}

void narrow_choice(Dimension& dimension, const json& given) {
    std::vector<std::string> words;
    const json& list = given.is_object() ? given.value("choices", json()) : given;
    if (list.is_string()) words.push_back(list.get<std::string>());
    if (list.is_array()) {
        for (const json& word : list) words.push_back(word.is_string() ? word.get<std::string>() : "");
    }
    if (words.empty()) refuse(dimension, "needs one word or {\"choices\": [\"...\"]}");
    for (const std::string& word : words) place_of_word(dimension, word);
    dimension.words = words;
    dimension.high = static_cast<double>(words.size() - 1);
}

void narrow_number(Dimension& dimension, const json& given) {
    const double least = dimension.least.value_or(dimension.low),
                 most = dimension.most.value_or(dimension.high);
    if (given.is_number()) {
        dimension.low = dimension.high = given.get<double>();
        dimension.points = 1;
    } else if (given.is_object()) {
        for (const auto& [key, value] : given.items()) {
            const bool is_flag = key == "log";
            if (!is_flag && key != "low" && key != "high" && key != "points") {
                refuse(dimension, "has no field '" + key + "'; it has low, high, log and points");
            }
            if (is_flag ? !value.is_boolean() : !value.is_number()) {
                refuse(dimension,
                       "needs " + std::string(is_flag ? "true or false" : "a number") + " as " + key);
            }
        }
        dimension.low = given.value("low", dimension.low);
        dimension.high = given.value("high", dimension.high);
        dimension.is_log = given.value("log", dimension.is_log);
        dimension.points = static_cast<int>(
            std::clamp(given.value("points", static_cast<double>(dimension.points)), 0.0, kPointsMax + 1.0));
    } else {
        refuse(dimension, "needs a number or {\"low\": ..., \"high\": ...}");
    }
    if (!(dimension.low <= dimension.high)) refuse(dimension, "has a low end above its high one");
    if (dimension.low < least || dimension.high > most) {
        refuse(dimension, "can go from " + json(least).dump() + " to " + json(most).dump());
    }
    if (dimension.is_log && dimension.low <= 0) refuse(dimension, "is searched by ratios and needs low > 0");
    if (dimension.points < 1 || dimension.points > kPointsMax) {
        refuse(dimension, "needs 1 to " + std::to_string(kPointsMax) + " points");
    }
}

}  // namespace

double Dimension::inner(double value) const {
    return is_log ? std::log(value) : value;
}

double Dimension::outer(double inner) const {
    double value = is_log ? std::exp(inner) : inner;
    if (kind != Kind::kReal) value = std::round(value);
    // Logarithms do not come back to the bit; the ends of a range are numbers that somebody wrote.
    for (const double end : {low, high}) {
        if (std::abs(value - end) <= 1e-12 * std::abs(end)) value = end;
    }
    return std::clamp(value, low, high);
}

std::vector<double> Dimension::grid() const {
    std::vector<double> values;
    const int count = kind == Kind::kChoice ? static_cast<int>(words.size()) : points;
    const double from = inner(low), to = inner(high);
    for (int i = 0; i < count; ++i) {
        const double share = count == 1 ? 0.5 : static_cast<double>(i) / (count - 1);
        const double value = outer(from + (to - from) * share);
        if (values.empty() || value > values.back()) values.push_back(value);
    }
    return values;
}

SearchSpace narrowed(SearchSpace space, const json& given) {
    std::vector<std::string> names;
    for (const Dimension& dimension : space) names.push_back(dimension.name);
    for (const auto& [name, value] : given.items()) {
        const auto found = std::find(names.begin(), names.end(), name);
        if (found == names.end()) {
            throw JobError("bad_param",
                           "space: this target has no '" + name + "' to search." + did_you_mean(name, names));
        }
        Dimension& dimension = space[static_cast<std::size_t>(found - names.begin())];
        dimension.kind == Dimension::Kind::kChoice ? narrow_choice(dimension, value)
                                                   : narrow_number(dimension, value);
    }
    return space;
}

ordered_json to_json(const SearchSpace& space, const Point& point) {
    ordered_json out = ordered_json::object();
    for (std::size_t i = 0; i < space.size(); ++i) {
        const Dimension& dimension = space[i];
        switch (dimension.kind) {
            case Dimension::Kind::kReal:
                out[dimension.name] = point[i];
                break;
            case Dimension::Kind::kInteger:
                out[dimension.name] = static_cast<std::int64_t>(point[i]);
                break;
            case Dimension::Kind::kChoice:
                out[dimension.name] = dimension.words[static_cast<std::size_t>(point[i])];
                break;
        }
    }
    return out;
}

Point point_from_json(const SearchSpace& space, const json& params) {
    Point point;
    for (const Dimension& dimension : space) {
        const auto found = params.find(dimension.name);
        const bool is_word = dimension.kind == Dimension::Kind::kChoice;
        if (found == params.end() || (is_word ? !found->is_string() : !found->is_number())) {
            throw JobError("bad_trials", "a trial has no '" + dimension.name +
                                             "'; it belongs to another search, start this one anew");
        }
        point.push_back(is_word ? place_of_word(dimension, found->get<std::string>()) : found->get<double>());
    }
    return point;
}

}  // namespace nightshift::jobs
