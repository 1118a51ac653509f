#include "jobs/models/ensemble.h"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {
namespace {

using nlohmann::json;

/// Tensor "bank" of the first member is "m0.bank" here.
std::string prefix_of(std::size_t member) {
    return "m" + std::to_string(member) + ".";
}

json to_json(const EnsembleMember& member) {
    const Model& model = member.model;
    return {{"name", member.name},
            {"kind", model.kind},
            {"features", model.features},
            {"feature_set", model.feature_set},
            {"normalizer", model.normalizer ? to_json(*model.normalizer) : json(nullptr)},
            {"threshold", model.threshold},
            {"settings", json::parse(model.settings_json)},
            {"training", json::parse(model.training_json)},
            {"low", member.range.low},
            {"high", member.range.high}};
}

EnsembleMember member_of(const json& row, std::size_t index, const Model& whole) {
    EnsembleMember member;
    row.at("name").get_to(member.name);
    row.at("kind").get_to(member.model.kind);
    row.at("features").get_to(member.model.features);
    row.at("feature_set").get_to(member.model.feature_set);
    if (!row.at("normalizer").is_null())
        member.model.normalizer = normalizer_from_json(row.at("normalizer"), "member " + member.name);
    row.at("threshold").get_to(member.model.threshold);
    member.model.settings_json = row.at("settings").dump();
    member.model.training_json = row.at("training").dump();
    row.at("low").get_to(member.range.low);
    row.at("high").get_to(member.range.high);
    const std::string prefix = prefix_of(index);
    for (const Tensor& tensor : whole.tensors) {
        if (!tensor.name.starts_with(prefix)) continue;
        member.model.tensors.push_back(tensor);
        member.model.tensors.back().name.erase(0, prefix.size());
    }
    return member;
}

}  // namespace

EnsembleMethod method_of(std::string_view word) {
    if (word == "weighted") return EnsembleMethod::kWeighted;
    if (word == "max") return EnsembleMethod::kMax;
    if (word == "stacking") return EnsembleMethod::kStacking;
    throw JobError("bad_param", "method is '" + std::string(word) + "'; it can be weighted, max or stacking");
}

std::string_view name_of(EnsembleMethod method) {
    switch (method) {
        case EnsembleMethod::kWeighted:
            return "weighted";
        case EnsembleMethod::kMax:
            return "max";
        case EnsembleMethod::kStacking:
            return "stacking";
    }
    return "weighted";
}

ScoreColumns member_scores(const Ensemble& ensemble, const FeatureSet& set, const ScoreOptions& options) {
    ScoreColumns out;
    const auto count = static_cast<double>(ensemble.members.size());
    for (const EnsembleMember& member : ensemble.members) {
        ScoreOptions own = options;
        own.name = options.name + ": " + member.name;
        if (options.tick) {
            const auto before = static_cast<double>(out.size());
            own.tick = [&options, before, count](double share) { options.tick((before + share) / count); };
        }
        out.push_back(score_rows(member.model, set, own));
    }
    return out;
}

ScoreColumns scaled_scores(const Ensemble& ensemble, const ScoreColumns& raw) {
    ScoreColumns out;
    for (std::size_t m = 0; m < raw.size(); ++m)
        out.push_back(scaled(raw[m], ensemble.is_compat ? range_of(raw[m]) : ensemble.members[m].range));
    return out;
}

std::vector<double> mixed_scores(const Ensemble& ensemble, const ScoreColumns& scaled) {
    if (ensemble.method == EnsembleMethod::kMax) return largest(scaled);
    if (ensemble.method == EnsembleMethod::kWeighted) return weighted(scaled, ensemble.weights);
    const std::vector<double> log_odds = stacked(scaled, ensemble.weights, ensemble.intercept);
    return ensemble.is_compat ? probabilities(log_odds) : log_odds;
}

std::vector<double> ensemble_scores(const Ensemble& ensemble, const ScoreColumns& raw) {
    return mixed_scores(ensemble, scaled_scores(ensemble, raw));
}

std::string feature_set_of(const Ensemble& ensemble) {
    const std::vector<EnsembleMember>& members = ensemble.members;
    // The reference's sets hold one another; others do not mix.
    static constexpr std::array<std::string_view, 3> kGrowing{"compat21", "compat75", "compat81"};
    const auto rank = [](std::string_view set) { return std::find(kGrowing.begin(), kGrowing.end(), set); };
    std::string set = members.front().model.feature_set;
    for (const EnsembleMember& member : members) {
        const std::string& own = member.model.feature_set;
        if (own == set) continue;
        if (rank(own) == kGrowing.end() || rank(set) == kGrowing.end()) {
            throw JobError("bad_param", "model '" + members.front().name + "' was trained on features '" +
                                            set + "' and '" + member.name + "' on '" + own +
                                            "'; train all members on the same table");
        }
        if (rank(own) > rank(set)) set = own;
    }
    return set;
}

Model model_of_ensemble(const Ensemble& ensemble) {
    Model model;
    model.kind = "ensemble";
    model.feature_set = feature_set_of(ensemble);
    json members = json::array();
    for (std::size_t m = 0; m < ensemble.members.size(); ++m) {
        const EnsembleMember& member = ensemble.members[m];
        members.push_back(to_json(member));
        for (Tensor tensor : member.model.tensors) {
            tensor.name.insert(0, prefix_of(m));
            model.tensors.push_back(std::move(tensor));
        }
        for (const std::string& feature : member.model.features) {
            if (std::find(model.features.begin(), model.features.end(), feature) == model.features.end())
                model.features.push_back(feature);
        }
    }
    model.settings_json = json{
        {"method", name_of(ensemble.method)},
        {"compat", ensemble.is_compat},
        {"weights", ensemble.weights},
        {"intercept", ensemble.intercept},
        {"members", members}}.dump();
    return model;
}

Ensemble ensemble_of_model(const Model& model) {
    Ensemble out;
    try {
        const json settings = json::parse(model.settings_json);
        out.method = method_of(settings.at("method").get<std::string>());
        settings.at("compat").get_to(out.is_compat);
        settings.at("weights").get_to(out.weights);
        settings.at("intercept").get_to(out.intercept);
        const json& members = settings.at("members");
        for (std::size_t m = 0; m < members.size(); ++m)
            out.members.push_back(member_of(members[m], m, model));
    } catch (const json::exception& error) {
        throw JobError("bad_model", std::string("settings of the ensemble cannot be read (") + error.what() +
                                        "); train again");
    }
    if (out.members.empty() || out.weights.size() != out.members.size())
        throw JobError("bad_model", "the ensemble has " + std::to_string(out.members.size()) +
                                        " members and " + std::to_string(out.weights.size()) +
                                        " weights; train again");
    for (const EnsembleMember& member : out.members) {
        if (member.model.kind == "ensemble")
            throw JobError("bad_model",
                           "member '" + member.name + "' is an ensemble itself; train one of single models");
    }
    return out;
}

}  // namespace nightshift::jobs
