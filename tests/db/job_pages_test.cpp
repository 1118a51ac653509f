#include "db/job_pages.h"

#include <algorithm>
#include <random>

#include "tests/db/store_fixture.h"
#include "tests/support/seed.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

const std::vector<std::string> kKinds{"sleep", "command", "train.dream"};
const std::vector<JobState> kStates{JobState::kWaiting, JobState::kCancelled, JobState::kSkipped,
                                    JobState::kExpired, JobState::kFailed};

std::unique_ptr<db::Connection> reader(const StoreFixture& f) {
    auto opened = db::Connection::open(f.path, db::Connection::Mode::kReader);
    REQUIRE(opened);
    return std::move(*opened);
}

/// Follows the cursor to the end.
std::vector<std::int64_t> all_of(db::Connection& connection, db::JobFilter filter) {
    std::vector<std::int64_t> ids;
    for (;;) {
        const auto page = db::read_job_page(connection, filter);
        REQUIRE(page);
        CHECK(page->jobs.size() <= static_cast<std::size_t>(filter.limit));
        for (const Job& job : page->jobs) ids.push_back(job.id.value);
        if (page->next_before_id == 0) return ids;
        CHECK((filter.before_id == 0 || page->next_before_id < filter.before_id));
        filter.before_id = page->next_before_id;
    }
}

struct RandomQueue {
    StoreFixture f;
    std::mt19937_64 random{seed()};
    std::vector<Job> jobs;

    int below(int n) { return static_cast<int>(random() % static_cast<std::uint64_t>(n)); }
    explicit RandomQueue(int count) {
        REQUIRE(f.store->begin());
        for (int i = 0; i < count; ++i) {
            JobSpec spec =
                f.spec(below(3) == 0 ? "밤 실험 " + std::to_string(i % 7) : "Crack-" + std::to_string(i));
            spec.kind = kKinds[static_cast<std::size_t>(below(3))];
            spec.job_class = kJobClasses[static_cast<std::size_t>(below(4))];
            const std::string schedule = below(4) == 0 ? "nightly" : "";
            const auto id = f.store->insert_job(spec, schedule, {}, {}, 1'000'000, kNow, kEvent);
            REQUIRE(id);
            const JobState end = kStates[static_cast<std::size_t>(below(4))];
            if (end != JobState::kWaiting)
                REQUIRE(
                    f.store->finish_waiting(*id, end, Outcome{"c", "words", {}, {}, false}, kNow, kEvent));
            if (end != JobState::kWaiting && below(5) == 0) REQUIRE(f.store->set_hidden(*id, kNow, kEvent));
        }
        REQUIRE(f.store->commit());
        for (int id = count; id >= 1; --id) jobs.push_back(f.get(JobId{id}));
    }
    db::JobFilter random_filter() {
        db::JobFilter filter;
        for (const JobState state : kStates) {
            if (below(3) == 0) filter.states.push_back(state);
        }
        for (const std::string& kind : kKinds) {
            if (below(4) == 0) filter.kinds.push_back(kind);
        }
        for (const JobClass job_class : kJobClasses) {
            if (below(4) == 0) filter.classes.push_back(job_class);
        }
        if (below(3) == 0) filter.text = below(2) == 0 ? "실험 3" : "crack-1";
        if (below(4) == 0) filter.schedule = "nightly";
        filter.limit = 1 + below(40);
        return filter;
    }
    /// What the filter means, without any index.
    std::vector<std::int64_t> expected(const db::JobFilter& filter) const {
        const auto has = [](const auto& wanted, const auto& value) {
            return wanted.empty() || std::find(wanted.begin(), wanted.end(), value) != wanted.end();
        };
        const auto lower = [](std::string text) {
            for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
            return text;
        };
        std::vector<std::int64_t> ids;
        for (const Job& job : jobs) {
            const bool is_wanted = !job.hidden && has(filter.states, job.state) &&
                                   has(filter.kinds, job.spec.kind) &&
                                   has(filter.classes, job.spec.job_class) &&
                                   (filter.schedule.empty() || job.schedule == filter.schedule) &&
                                   lower(job.spec.name).find(lower(filter.text)) != std::string::npos;
            if (is_wanted) ids.push_back(job.id.value);
        }
        return ids;
    }
};

}  // namespace

TEST_CASE("pages: every combination of filters gives what a walk over all jobs gives, in its order") {
    RandomQueue queue(600);
    const auto connection = reader(queue.f);
    int with_jobs = 0;
    for (int i = 0; i < 300; ++i) {
        const db::JobFilter filter = queue.random_filter();
        const auto expected = queue.expected(filter);
        with_jobs += expected.empty() ? 0 : 1;
        CHECK(all_of(*connection, filter) == expected);
    }
    CHECK(with_jobs > 50);
    queue.f.check_sound();
}

TEST_CASE("pages: a text that only old jobs have is found over several short pages") {
    StoreFixture f;
    REQUIRE(f.store->begin());
    for (int i = 0; i < db::kPageRowsMax + 500; ++i) {
        const std::string name = i == 3 ? "오래된 실험" : "other";
        REQUIRE(f.store->insert_job(f.spec(name), "", {}, {}, 1'000'000, kNow, kEvent));
    }
    REQUIRE(f.store->commit());
    const auto connection = reader(f);
    db::JobFilter filter;
    filter.text = "된 실";
    const auto first = db::read_job_page(*connection, filter);
    REQUIRE(first);
    CHECK(first->jobs.empty());
    CHECK(first->next_before_id == 501);
    CHECK(all_of(*connection, filter) == std::vector<std::int64_t>{4});
}
