#include "tests/support/many_nights.h"

#include <cstdlib>

namespace nightshift::tests {

int nights() {
    static const char* const wish = std::getenv("NIGHTSHIFT_NIGHTS");
    return wish != nullptr ? std::atoi(wish) : 20'000;
}

std::map<std::int64_t, Job> candidates_of(const Snapshot& s) {
    std::map<std::int64_t, Job> jobs;
    for (const auto& list : s.candidates) {
        for (const Job& job : list) jobs[job.id.value] = job;
    }
    return jobs;
}

std::string text_of(const Plan& plan) {
    std::string text;
    for (const Start& s : plan.starts) {
        text += "start " + std::to_string(s.job.value) + " " + s.device + " " +
                std::to_string(s.budget.value) + "\n";
    }
    for (const Yield& y : plan.yields) {
        text += "yield " + std::to_string(y.job.value) + " for " + std::to_string(y.beneficiary.value) + " " +
                y.reason + " " + std::to_string(y.deadline.value) + "\n";
    }
    for (const JobId id : plan.expired) text += "expired " + std::to_string(id.value) + "\n";
    for (const Explanation& e : plan.waiting) {
        text += "wait " + std::to_string(e.job.value) + (e.is_head_of_class ? " head" : "");
        for (const Gate& g : e.gates) text += " " + g.code;
        text += "\n";
    }
    return text;
}

}  // namespace nightshift::tests
