#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "jobs/evaluate/leak_guard.h"
#include "jobs/evaluate/metrics.h"
#include "jobs/models/feature_set.h"

namespace nightshift::jobs {

/// What is judged: one entry a sequence, or a row of a plain table.
struct Units {
    std::string noun_en = "sequence", noun_ko = "시퀀스";
    std::vector<std::string> name;
    std::vector<int> label;  ///< 1 damaged, 0 not; < 0: not judged
    std::vector<Split> split;
    std::vector<std::string> group;  ///< scenario, or the plain table's group column; may be empty
    std::vector<char> is_outside;    ///< 1: shown by group only, not part of the question (variants)

    std::size_t size() const { return name.size(); }
};

/// Scores of a model that a candidate is made of.
struct MemberScores {
    std::string name;
    std::vector<double> scores;  ///< of all units
};

/// How far a score goes along with one feature.
struct FollowedFeature {
    std::string name;
    double correlation = 0;  ///< Spearman's, -1 to 1
};

/// Scores of one model for all units.
struct Candidate {
    std::string name;
    std::string note;  ///< what it is, in words
    bool is_baseline = false;
    std::vector<double> scores;
    std::optional<double> own_threshold;     ///< the model's, used where nothing better is known
    std::vector<MemberScores> members{};     ///< of an ensemble; else empty
    std::vector<FollowedFeature> follows{};  ///< the strongest first; empty where no features are known
};

/// A model against another one on the judged part.
struct Comparison {
    std::string name;       ///< the other's
    double roc_auc = 0;     ///< the other's
    double difference = 0;  ///< the model's less the other's
    Interval interval{};    ///< of the difference, by paired bootstrap

    /// Only a difference whose whole interval lies on one side of 0 counts.
    bool is_better() const { return interval.low > 0; }
    bool is_worse() const { return interval.high < 0; }
};

/// How a model does on one group of the judged part.
struct GroupResult {
    std::string group;
    bool is_damaged = false;
    bool is_outside = false;
    std::int64_t count = 0;
    std::int64_t called = 0;                    ///< at or above the threshold
    double roc_auc = 0, average_precision = 0;  ///< damaged groups: against all normals
    Interval interval{};
};

struct ModelResult {
    std::string name, note;
    bool is_baseline = false;
    std::int64_t damaged = 0, normal = 0;
    double roc_auc = 0, average_precision = 0, pr_auc_trapezoid = 0;
    Interval interval{};
    double threshold = 0;
    std::string threshold_rule_en, threshold_rule_ko;
    Confusion confusion;
    double recall_at_precision_95 = 0, recall_at_precision_997 = 0;  ///< on the judged part, for comparison
    std::vector<GroupResult> groups;
    std::vector<RocPoint> roc;
    std::vector<PrPoint> pr;
    std::vector<std::size_t> false_alarms, misses;  ///< units, the worst first
    std::vector<double> scores;                     ///< of all units
    std::vector<FollowedFeature> follows;           ///< the candidate's
    std::optional<Comparison> best_member;          ///< of an ensemble, the one with the largest ROC AUC
    std::optional<Comparison> against_line;         ///< logistic regression, where it was fitted
};

struct Evaluation {
    std::string goal;    ///< "1", "2", "all", or "table"
    std::string source;  ///< name of the table or data set
    Units units;
    std::vector<ModelResult> models;  ///< candidates first, then baselines
    bool has_split = false;
    std::int64_t judged = 0;
    std::optional<LeakReport> leak;
};

/// Units that count: those of the test split where splits are known, else all with a label.
std::vector<std::size_t> judged_units(const Units& units);

/// Sets the model's scores beside another's by a paired bootstrap of the judged units.
Comparison compared(const Units& units, const std::vector<double>& scores, const MemberScores& other,
                    std::uint64_t seed);

/// Judges one model. The threshold comes from the validation split alone; without one from the model, or,
/// where it has none, from the judged rows themselves, and the result says so.
ModelResult judge(const Units& units, const Candidate& candidate, std::uint64_t seed);

}  // namespace nightshift::jobs
