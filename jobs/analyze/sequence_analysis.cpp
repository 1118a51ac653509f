#include "jobs/analyze/sequence_analysis.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <nlohmann/json.hpp>

#include "jobs/fpcb/vector_table.h"
#include "jobs/models/percentile.h"
#include "jobs/runtime/job_impl.h"
#include "jobs/table/csv.h"

namespace nightshift::jobs {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// The reference's summary in its order. Without a scale the SI cells are empty.
constexpr const char* kSummaryKeys[] = {"fps",
                                        "frame_count",
                                        "point_count_per_frame_min",
                                        "point_count_per_frame_max",
                                        "unique_index_count",
                                        "mean_speed",
                                        "max_speed",
                                        "mean_acceleration",
                                        "max_acceleration",
                                        "mean_curvature_like",
                                        "p95_curvature_like",
                                        "max_curvature_like",
                                        "meters_per_pixel",
                                        "mean_speed_m_s",
                                        "max_speed_m_s",
                                        "mean_acceleration_m_s2",
                                        "max_acceleration_m_s2",
                                        "mean_crack_risk",
                                        "max_crack_risk"};

double mean_of(const std::vector<double>& values) {
    return kernels::pairwise_sum(values) / static_cast<double>(values.size());
}

double largest(const std::vector<double>& values) {
    return *std::max_element(values.begin(), values.end());
}

void add_text(Table& table, const char* name, std::string_view value) {
    table.add(name, std::vector<std::string>{std::string(value)});
}

void add_number(Table& table, const char* name, double value) {
    table.add(name, std::vector<double>{value});
}

/// The row with the largest risk; of equal ones the earliest frame's, there the first point's.
std::size_t worst_row(const kernels::CompatVectors& v) {
    std::size_t worst = 0;
    for (std::size_t i = 1; i < v.rows(); ++i) {
        if (v.crack_risk[i] > v.crack_risk[worst] ||
            (v.crack_risk[i] == v.crack_risk[worst] && v.frame[i] < v.frame[worst]))
            worst = i;
    }
    return worst;
}

Table summary_of(const Sequence& s, const VectorTable& vectors) {
    const nlohmann::ordered_json summary = vector_summary(vectors, s);
    const kernels::CompatVectors& v = vectors.vectors;
    const std::size_t worst = worst_row(v);
    Table row;
    add_text(row, "sequence", s.info.name);
    add_text(row, "scenario", s.info.scenario);
    add_text(row, "goal", s.info.goal);
    add_number(row, "label", s.info.label);
    add_text(row, "split", name_of(s.info.split));
    add_number(row, "event_frame", s.info.event_frame);
    add_number(row, "has_frame_metrics", vectors.metrics ? 1 : 0);
    for (const char* key : kSummaryKeys) {
        const auto found = summary.find(key);
        add_number(row, key, found == summary.end() || found->is_null() ? kNaN : found->get<double>());
    }
    add_number(row, "p95_crack_risk", percentile(v.crack_risk, 95));
    add_number(row, "max_crack_risk_frame", s.frame_number[static_cast<std::size_t>(v.frame[worst])]);
    add_number(row, "max_crack_risk_index", s.point_index[static_cast<std::size_t>(v.point[worst])]);
    add_number(row, "mean_strain_surrogate", mean_of(v.strain));
    add_number(row, "max_strain_surrogate", largest(v.strain));
    add_number(row, "mean_impact_surrogate", mean_of(v.impact));
    add_number(row, "max_impact_surrogate", largest(v.impact));
    return row;
}

/// The largest surrogates and risk of a point in each frame that has one.
Table frames_of(const Sequence& s, const kernels::CompatVectors& v) {
    const auto frames = static_cast<std::size_t>(s.info.frames);
    std::vector<double> strain(frames, kNaN), impact(frames, kNaN), risk(frames, kNaN);
    for (std::size_t i = 0; i < v.rows(); ++i) {
        const auto f = static_cast<std::size_t>(v.frame[i]);
        strain[f] = std::fmax(strain[f], v.strain[i]);
        impact[f] = std::fmax(impact[f], v.impact[i]);
        risk[f] = std::fmax(risk[f], v.crack_risk[i]);
    }
    Table rows;
    rows.add("sequence", std::vector<std::string>(frames, s.info.name));
    rows.add("frame", std::vector<double>(s.frame_number.begin(), s.frame_number.end()));
    rows.add("strain_surrogate", strain);
    rows.add("stress_surrogate", strain);  // a modulus of 1
    rows.add("impact_surrogate", impact);
    rows.add("crack_risk", risk);
    return rows;
}

std::size_t header_bytes(const std::string& text) {
    return text.find('\n') + 1;  // no column's name has a line end
}

std::string rows_of(const Table& table) {
    const std::string text = csv_text(table);
    return text.substr(header_bytes(text));
}

std::string header_of(const Table& table) {
    const std::string text = csv_text(table);
    return text.substr(0, header_bytes(text));
}

/// One point in one frame: enough to name columns.
Sequence smallest_sequence() {
    Sequence s;
    s.info.points = s.info.frames = 1;
    s.info.fps = 1;
    s.x = s.y = {0};
    s.point_index = {1};
    s.frame_number = {0};
    return s;
}

void require_finite(const Sequence& s, const VectorTable& vectors) {
    if (!vectors.metrics) return;
    const kernels::FrameMetrics& m = *vectors.metrics;
    for (std::size_t f = 0; f < m.bend_angle_deg.size(); ++f) {
        if (std::isfinite(m.bend_angle_deg[f]) && std::isfinite(m.curvature_concentration[f]) &&
            std::isfinite(m.est_max_strain[f]))
            continue;
        throw JobError("bad_bundle", s.info.name + "/frame_metrics.csv: the row of frame " +
                                         std::to_string(s.frame_number[f]) +
                                         " has no number in one of its columns; repair or remove the file");
    }
}

}  // namespace

bool can_be_analysed(const SequenceInfo& info) {
    return info.frames > 0 && info.points > 0 &&
           static_cast<std::size_t>(info.frames) * static_cast<std::size_t>(info.points) <= kVectorRowsMax;
}

SequenceAnalysis analyze_sequence(const Sequence& s, const AnalysisOptions& options) {
    const VectorTable vectors = vector_table(s, options.fps, options.meters_per_pixel, options.risk);
    require_finite(s, vectors);
    const std::vector<double>& risk = vectors.vectors.crack_risk;
    SequenceAnalysis out;
    out.risk.place = static_cast<std::size_t>(s.info.id);
    const std::size_t worst = worst_row(vectors.vectors);
    out.risk.max = risk[worst];
    out.risk.mean = mean_of(risk);
    out.risk.frame = vectors.vectors.frame[worst];
    out.risk.has_metrics = vectors.metrics.has_value();
    out.summary_row = rows_of(summary_of(s, vectors));
    out.frame_rows = rows_of(frames_of(s, vectors.vectors));
    return out;
}

std::string summary_header() {
    const Sequence s = smallest_sequence();
    return header_of(summary_of(s, vector_table(s, 0, 0)));
}

std::string risk_header() {
    const Sequence s = smallest_sequence();
    return header_of(frames_of(s, vector_table(s, 0, 0).vectors));
}

}  // namespace nightshift::jobs
