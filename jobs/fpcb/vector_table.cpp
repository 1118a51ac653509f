#include "jobs/fpcb/vector_table.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <initializer_list>

#include <nlohmann/json.hpp>

#include "jobs/fpcb/frame_metrics.h"
#include "jobs/fpcb/python_text.h"
#include "jobs/models/percentile.h"
#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {

namespace {

using kernels::CompatVectors;
using nlohmann::ordered_json;

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

/// One column: how its value in a row is written.
struct Field {
    std::string name;
    std::function<double(std::size_t row)> value;
    bool is_whole = false;
};

Field field(const char* name, const std::vector<double>& values) {
    return {name, [&values](std::size_t i) { return values[i]; }};
}

Field si_field(const VectorTable& t, const char* name, const std::vector<double>& values) {
    return {name, [&values, scale = t.meters_per_pixel](std::size_t i) { return values[i] * scale; }};
}

Field metric_field(const VectorTable& t, const char* name, const std::vector<double>& values) {
    return {name, [&values, &frame = t.vectors.frame](std::size_t i) {
                return values[static_cast<std::size_t>(frame[i])];
            }};
}

/// frame, index, x, y: as the sequence numbers them; whole unless it has sub-pixels.
std::vector<Field> place_fields(const CompatVectors& v, const Sequence& s) {
    const bool is_whole = s.info.units_per_pixel == 1;
    return {
        {"frame", [&](std::size_t i) { return double(s.frame_number[static_cast<std::size_t>(v.frame[i])]); },
         true},
        {"index", [&](std::size_t i) { return double(s.point_index[static_cast<std::size_t>(v.point[i])]); },
         true},
        {"x", [&](std::size_t i) { return v.x[i]; }, is_whole},
        {"y", [&](std::size_t i) { return v.y[i]; }, is_whole}};
}

void add_si(const VectorTable& t, std::vector<Field>& fields) {
    if (!(t.meters_per_pixel > 0)) return;
    const CompatVectors& v = t.vectors;
    fields.insert(fields.end(), {si_field(t, "vx_si", v.vx), si_field(t, "vy_si", v.vy),
                                 si_field(t, "speed_si", v.speed), si_field(t, "ax_si", v.ax),
                                 si_field(t, "ay_si", v.ay), si_field(t, "acceleration_si", v.acceleration)});
}

void add_surrogates(const VectorTable& t, std::vector<Field>& fields) {
    fields.insert(fields.end(),
                  {field("strain_surrogate", t.vectors.strain), field("stress_surrogate", t.vectors.strain),
                   field("impact_surrogate", t.vectors.impact)});
}

template <typename Write>
void put_rows(const std::vector<Field>& fields, std::size_t rows, const TextSink& put, const Write& write) {
    std::string piece;
    for (std::size_t j = 0; j < fields.size(); ++j) piece += (j > 0 ? "," : "") + fields[j].name;
    piece += '\n';
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < fields.size(); ++j) {
            if (j > 0) piece += ',';
            const double value = fields[j].value(i);
            if (fields[j].is_whole)
                piece += std::to_string(static_cast<long long>(value));
            else
                write(piece, value);
        }
        piece += '\n';
        if (piece.size() >= kPieceBytes) {
            put(piece);
            piece.clear();
        }
    }
    put(piece);
}

double mean_of(const std::vector<double>& values) {
    return kernels::pairwise_sum(values) / static_cast<double>(values.size());
}

double largest(const std::vector<double>& values) {
    return *std::max_element(values.begin(), values.end());
}

void add_mean_and_max(ordered_json& out, const std::string& name, const std::vector<double>& values) {
    out["mean_" + name] = mean_of(values);
    out["max_" + name] = largest(values);
}

std::vector<double> scaled(std::vector<double> values, double factor) {
    for (double& value : values) value *= factor;
    return values;
}

std::string six_decimals(double value) {
    char text[400];
    std::snprintf(text, sizeof text, "%.6f", value);
    return text;
}

}  // namespace

VectorTable vector_table(const Sequence& s, double fps, double meters_per_pixel,
                         const kernels::CompatRisk& risk) {
    const std::size_t rows = s.x.size();
    if (rows > kVectorRowsMax) {
        throw JobError("too_large", "sequence " + s.info.name + " has " + std::to_string(rows) +
                                        " points over all frames; vectors takes up to " +
                                        std::to_string(kVectorRowsMax) + ". Use extract for the whole set.");
    }
    if (rows == 0) throw JobError("bad_bundle", "sequence " + s.info.name + " has no points");
    VectorTable out;
    kernels::TrackView view = view_of(s);
    if (fps > 0) view.fps = fps;
    if (!(view.fps > 0) || !std::isfinite(view.fps)) {
        throw JobError("no_fps", "sequence " + s.info.name +
                                     " has no frame rate, without which there are no speeds; give fps");
    }
    out.fps = view.fps;
    out.meters_per_pixel = meters_per_pixel > 0 ? meters_per_pixel : s.info.meters_per_pixel;
    if (has_frame_metrics(s)) out.metrics = frame_metrics_of(s);
    out.vectors = kernels::compat_vectors(view, out.metrics ? &*out.metrics : nullptr, risk);
    if (out.vectors.rows() == 0)
        throw JobError("bad_bundle", "sequence " + s.info.name + " has no point in any frame");
    return out;
}

void put_vectors_csv(const VectorTable& t, const Sequence& s, const TextSink& put) {
    const CompatVectors& v = t.vectors;
    std::vector<Field> fields = place_fields(v, s);
    fields.insert(fields.end(), {field("dx", v.dx), field("dy", v.dy), field("vx", v.vx), field("vy", v.vy),
                                 field("speed", v.speed), field("dvx", v.dvx), field("dvy", v.dvy),
                                 field("ax", v.ax), field("ay", v.ay), field("acceleration", v.acceleration),
                                 field("curvature_like", v.curvature_like)});
    add_si(t, fields);
    add_surrogates(t, fields);
    if (t.metrics) {
        fields.insert(fields.end(),
                      {metric_field(t, "bend_angle_deg", t.metrics->bend_angle_deg),
                       metric_field(t, "curvature_concentration", t.metrics->curvature_concentration),
                       metric_field(t, "est_max_strain", t.metrics->est_max_strain)});
    }
    fields.push_back(field("crack_risk", v.crack_risk));
    put_rows(fields, v.rows(), put, [](std::string& out, double value) { out += python_repr(value); });
}

void put_vectors_txt(const VectorTable& t, const Sequence& s, const TextSink& put) {
    const CompatVectors& v = t.vectors;
    std::vector<Field> fields = place_fields(v, s);
    fields.insert(fields.end(), {field("vx", v.vx), field("vy", v.vy), field("speed", v.speed),
                                 field("ax", v.ax), field("ay", v.ay), field("acceleration", v.acceleration),
                                 field("curvature_like", v.curvature_like)});
    add_si(t, fields);
    add_surrogates(t, fields);
    fields.push_back(field("crack_risk", v.crack_risk));
    put_rows(fields, v.rows(), put, [](std::string& out, double value) { out += six_decimals(value); });
}

ordered_json vector_summary(const VectorTable& t, const Sequence& s) {
    const CompatVectors& v = t.vectors;
    std::vector<int> points(static_cast<std::size_t>(s.info.frames));
    for (const int frame : v.frame) ++points[static_cast<std::size_t>(frame)];
    ordered_json out;
    out["fps"] = t.fps;
    out["frame_count"] = s.info.frames;
    out["point_count_per_frame_min"] = *std::min_element(points.begin(), points.end());
    out["point_count_per_frame_max"] = *std::max_element(points.begin(), points.end());
    out["unique_index_count"] = s.info.points;
    add_mean_and_max(out, "speed", v.speed);
    add_mean_and_max(out, "acceleration", v.acceleration);
    out["mean_curvature_like"] = mean_of(v.curvature_like);
    out["p95_curvature_like"] = percentile(v.curvature_like, 95);
    out["max_curvature_like"] = largest(v.curvature_like);
    out["meters_per_pixel"] = t.meters_per_pixel > 0 ? ordered_json(t.meters_per_pixel) : ordered_json();
    if (t.meters_per_pixel > 0) {
        add_mean_and_max(out, "speed_m_s", scaled(v.speed, t.meters_per_pixel));
        add_mean_and_max(out, "acceleration_m_s2", scaled(v.acceleration, t.meters_per_pixel));
    }
    add_mean_and_max(out, "crack_risk", v.crack_risk);
    return out;
}

std::string vector_summary_text(const ordered_json& summary) {
    std::string out =
        "motionanalyzer summary (units: speed/accel in px/s, px/s\u00b2; SI when meters_per_pixel set)\n";
    const auto line = [&](const std::string& name, const std::string& value) {
        out += name + "=" + value + "\n";
    };
    const auto decimals = [&](const std::string& key, const std::string& unit) {
        if (summary.contains(key)) line(key + unit, six_decimals(summary.at(key).get<double>()));
    };
    const double fps = summary.at("fps").get<double>();
    line("fps", python_repr(fps));
    line("dt_s", six_decimals(1 / fps));
    if (!summary.at("meters_per_pixel").is_null())
        line("meters_per_pixel", python_repr(summary.at("meters_per_pixel").get<double>()));
    for (const char* key :
         {"frame_count", "point_count_per_frame_min", "point_count_per_frame_max", "unique_index_count"})
        line(key, std::to_string(summary.at(key).get<int>()));
    for (const char* key : {"mean_speed", "max_speed"}) decimals(key, "_px_s");
    for (const char* key : {"mean_acceleration", "max_acceleration"}) decimals(key, "_px_s2");
    for (const char* key : {"mean_speed_m_s", "max_speed_m_s", "mean_acceleration_m_s2",
                            "max_acceleration_m_s2", "mean_curvature_like", "p95_curvature_like",
                            "max_curvature_like", "mean_crack_risk", "max_crack_risk"})
        decimals(key, "");
    return out;
}

}  // namespace nightshift::jobs
