#include "jobs/optimize/trial_file.h"

#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>

#include <nlohmann/json.hpp>

#include "jobs/runtime/durable_file.h"
#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t kFileBytesMax = 64 << 20;

std::string line_of(const SearchSpace& space, std::size_t number, const TrialLine& line) {
    ordered_json row;
    row["trial"] = number;
    row["params"] = to_json(space, line.trial.point);
    row["value"] = std::isnan(line.trial.value) ? ordered_json(nullptr) : ordered_json(line.trial.value);
    if (!line.error.empty()) row["error"] = line.error;
    return row.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

[[noreturn]] void refuse(const std::filesystem::path& file, std::size_t number) {
    throw JobError("bad_trials", file.string() + ": line " + std::to_string(number) +
                                     " is no trial of this search; start it anew");
}

}  // namespace

void append_trial(const std::filesystem::path& file, const SearchSpace& space, std::size_t number,
                  const TrialLine& line) {
    std::ofstream out(file, std::ios::binary | std::ios::app);
    out << line_of(space, number, line) << std::flush;
    if (!out) throw JobError("io_error", "cannot write " + file.string() + "; look whether its disk is full");
}

void write_trials(const std::filesystem::path& file, const SearchSpace& space,
                  const std::vector<TrialLine>& lines) {
    std::string text;
    for (std::size_t i = 0; i < lines.size(); ++i) text += line_of(space, i + 1, lines[i]);
    write_durably(file, text);
}

std::vector<TrialLine> read_trials(const std::filesystem::path& file, const SearchSpace& space) {
    std::istringstream in(read_text(file, kFileBytesMax));
    std::vector<TrialLine> lines;
    for (std::string text; std::getline(in, text);) {
        const json row = json::parse(text, nullptr, false);
        const std::size_t number = lines.size() + 1;
        if (!row.is_object() || row.value("trial", json()) != number || !row.contains("params")) {
            refuse(file, number);
        }
        TrialLine line;
        line.trial.point = point_from_json(space, row.at("params"));
        const json value = row.value("value", json());
        line.trial.value = value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
        line.error = row.value("error", "");
        lines.push_back(std::move(line));
    }
    return lines;
}

}  // namespace nightshift::jobs
