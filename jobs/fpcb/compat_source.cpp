#include <chrono>
#include <cstdio>
#include <set>

#include <nlohmann/json.hpp>

#include "jobs/fpcb/compat_recipe.h"
#include "jobs/fpcb/sequence_source.h"
#include "jobs/runtime/clock.h"
#include "jobs/runtime/job_impl.h"
#include "jobs/runtime/spread.h"

namespace nightshift::jobs {

namespace {

using nlohmann::json;

/// "2026-11-28T13:04:05+00:00"
std::string utc_text(UnixMs time) {
    using namespace std::chrono;
    const sys_seconds now{std::chrono::seconds(time.value / 1000)};
    const sys_days day = floor<days>(now);
    const year_month_day date(day);
    const hh_mm_ss clock(now - day);
    char text[64];
    std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d+00:00", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                  static_cast<int>(clock.seconds().count()));
    return text;
}

std::vector<CompatSequence> listed(const json& entries) {
    std::vector<CompatSequence> out;
    std::set<std::string> names;
    std::int64_t point_frames = 0;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const std::string where = "sequences[" + std::to_string(i) + "]";
        out.push_back(compat_sequence_of(entries[i], where));
        if (!names.insert(out.back().name).second)
            throw JobError("bad_param", where + ": name '" + out.back().name + "' is there already");
        point_frames += std::int64_t{out.back().config.frames} * out.back().config.points;
        if (point_frames > kCompatPointFramesMax) {
            throw JobError("bad_param", where + ": the list comes to more than " +
                                            std::to_string(kCompatPointFramesMax) +
                                            " points over all frames; give the rest to another job");
        }
    }
    return out;
}

class CompatSource final : public SequenceSource {
  public:
    explicit CompatSource(std::vector<CompatSequence> sequences) : sequences_(std::move(sequences)) {}

    std::size_t size() const override { return sequences_.size(); }
    std::vector<Sequence> make(std::size_t first, std::size_t last, int threads,
                               kernels::Backend*) const override {
        std::vector<Sequence> out(last - first);
        spread(out.size(), threads, [&](std::size_t i) {
            out[i] = make_compat_sequence(sequences_[first + i], static_cast<std::int64_t>(first + i));
        });
        return out;
    }
    std::string manifest() const override { return compat_manifest(sequences_, utc_text(wall_now())); }

  private:
    std::vector<CompatSequence> sequences_;
};

}  // namespace

std::unique_ptr<SequenceSource> make_compat_source(const json& params) {
    if (params.at("resolution") != "pixel") {
        throw JobError("unsupported_param",
                       "rng=compat writes whole pixels as the reference does; leave out resolution, or use "
                       "rng=philox for resolution=subpixel");
    }
    if (params.at("difficulty") != "standard") {
        throw JobError(
            "unsupported_param",
            "rng=compat has the reference's constants and no difficulty; leave out difficulty, or use "
            "rng=philox");
    }
    const bool has_counts = !params.at("counts").empty();
    if (!params.at("sequences").empty()) {
        if (has_counts) throw JobError("bad_param", "counts and sequences exclude each other; leave one out");
        return std::make_unique<CompatSource>(listed(params.at("sequences")));
    }
    const ClassCounts counts =
        has_counts ? counts_of(params.at("counts")) : preset_counts(params.at("preset").get<std::string>());
    return std::make_unique<CompatSource>(compat_dataset(counts, params.at("seed").get<std::uint64_t>()));
}

}  // namespace nightshift::jobs
