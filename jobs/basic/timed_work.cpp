#include "jobs/basic/timed_work.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>

#include <nlohmann/json.hpp>

#include "jobs/runtime/durable_file.h"

namespace nightshift::jobs {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

constexpr Millis kSlice{100};
constexpr Millis kStep{100};  ///< one step of progress
constexpr const char* kStateName = "elapsed.json";
constexpr std::size_t kStateBytesMax = 4096;
constexpr std::int64_t kSecondsMax = 31'536'000;  ///< a year

Millis load_elapsed(const fs::path& checkpoint) {
    const auto json =
        nlohmann::json::parse(read_text(checkpoint / kStateName, kStateBytesMax), nullptr, false);
    if (!json.is_object() || !json.value("elapsed_ms", nlohmann::json()).is_number_integer()) {
        throw JobError("bad_checkpoint",
                       (checkpoint / kStateName).string() + " holds no elapsed time; retry from the start");
    }
    return Millis{json.at("elapsed_ms").get<std::int64_t>()};
}

void save_elapsed(const fs::path& folder, Millis elapsed) {
    std::ofstream stream(folder / kStateName);
    stream << nlohmann::json{{"elapsed_ms", elapsed.value}}.dump() << "\n";
    if (!stream.flush()) throw JobError("io_error", "cannot write " + (folder / kStateName).string());
}

void report(JobContext& context, const TimedWork& work, Millis elapsed) {
    Progress progress;
    progress.phase = work.phase;
    progress.step = elapsed.value / kStep.value;
    progress.steps = work.length.value / kStep.value;
    progress.eta = work.length - elapsed;
    context.progress(progress);
}

}  // namespace

nlohmann::ordered_json timed_schema() {
    using json = nlohmann::ordered_json;
    return {{"type", "object"},
            {"required", json::array()},
            {"properties",
             {{"seconds",
               {{"type", "number"},
                {"minimum", 0},
                {"maximum", kSecondsMax},
                {"default", 10},
                {"x-unit", "s"},
                {"description", "How long it runs"},
                {"x-ko", "실행 시간"}}},
              {"allocate",
               {{"type", json::array({"integer", "string"})},
                {"minimum", 0},
                {"default", 0},
                {"x-unit", "bytes"},
                {"description", "Memory it claims; 0 means its budget"},
                {"x-ko", "차지할 메모리 (0이면 예산만큼)"}}},
              {"checkpoint_every",
               {{"type", "number"},
                {"minimum", 0},
                {"maximum", kSecondsMax},
                {"default", 0},
                {"x-unit", "s"},
                {"description", "Seconds between checkpoints; 0 means only when it has to yield"},
                {"x-ko", "체크포인트 간격 (0이면 양보할 때만)"}}}}}};
}

TimedWork read_timed_work(std::string phase, const nlohmann::json& params) {
    TimedWork work;
    work.phase = std::move(phase);
    work.length.value = static_cast<std::int64_t>(params.value("seconds", 10.0) * 1000);
    work.checkpoint_every.value = static_cast<std::int64_t>(params.value("checkpoint_every", 0.0) * 1000);
    const nlohmann::json allocate = params.value("allocate", nlohmann::json(0));
    if (allocate.is_string()) {
        const auto bytes = parse_bytes(allocate.get<std::string>());
        if (!bytes) throw JobError("bad_param", "parameter 'allocate': " + bytes.error().message);
        work.allocate = *bytes;
    } else {
        work.allocate.value = allocate.get<std::int64_t>();
    }
    return work;
}

void pass_time(JobContext& context, const TimedWork& work, const std::function<void()>& tick) {
    Millis done_before{};
    if (const auto checkpoint = context.resume_from()) done_before = load_elapsed(*checkpoint);
    const auto begin = steady_clock::now();
    const auto elapsed_now = [&] {
        const auto passed =
            std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - begin);
        return std::min(done_before + Millis{passed.count()}, work.length);
    };
    Millis saved_at = done_before;
    for (Millis elapsed = elapsed_now(); elapsed < work.length; elapsed = elapsed_now()) {
        report(context, work, elapsed);
        const auto save = [&](const fs::path& folder) { save_elapsed(folder, elapsed); };
        const std::int64_t step = elapsed.value / kStep.value;
        context.check(step, save);
        if (work.checkpoint_every.value > 0 && elapsed - saved_at >= work.checkpoint_every) {
            context.checkpoint(step, save);
            saved_at = elapsed;
        }
        tick();
        const Millis slice = std::min(kSlice, work.length - elapsed);
        std::this_thread::sleep_for(std::chrono::milliseconds(slice.value));
    }
    report(context, work, work.length);
}

}  // namespace nightshift::jobs
