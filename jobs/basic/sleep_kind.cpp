#include <nlohmann/json.hpp>

#include "jobs/basic/timed_work.h"
#include "jobs/kinds.h"

namespace nightshift::jobs {
namespace {

class SleepJob final : public JobImpl {
  public:
    explicit SleepJob(TimedWork work) : work_(std::move(work)) {}
    void run(JobContext& context) override {
        if (work_.allocate.value > 0) context.claim(work_.allocate);
        pass_time(context, work_, [] {});
    }

  private:
    TimedWork work_;
};

}  // namespace

Kind sleep_kind() {
    Kind kind;
    kind.name = "sleep";
    kind.job_class = JobClass::kSynthesis;
    kind.summary_en = "Waits: for trying the queue";
    kind.summary_ko = "기다립니다: 대기열 시험용";
    kind.ram = mebibytes(32);
    kind.estimate_param = "seconds";
    kind.schema = timed_schema;
    kind.make = [](const nlohmann::json& params) {
        return std::make_unique<SleepJob>(read_timed_work("sleep", params));
    };
    return kind;
}

}  // namespace nightshift::jobs
