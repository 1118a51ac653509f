#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "db/sqlite_store.h"
#include "db/store.h"
#include "tests/support/scratch_folder.h"

namespace nightshift::tests {

inline const db::EventText kEvent{"job", "test", "tester", "{}"};
inline constexpr UnixMs kNow{1'790'000'000'000};

/// A store on a real file.
struct StoreFixture {
    ScratchFolder folder;
    std::string path = (folder / "nightshift.db").string();
    std::unique_ptr<db::Store> store = open();

    std::unique_ptr<db::Store> open() const {
        auto opened = db::Store::open(path, "test");
        REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message));
        return std::move(*opened);
    }
    void reopen() {
        store.reset();
        store = open();
    }
    db::Connection& connection() const { return dynamic_cast<db::SqliteStore&>(*store).connection(); }

    static JobSpec spec(const std::string& name = "일 하나") {
        JobSpec spec;
        spec.name = name;
        spec.kind = "sleep";
        spec.job_class = JobClass::kTraining;
        spec.vram = gibibytes(2);
        return spec;
    }
    JobId insert(const JobSpec& spec, UnixMs now = kNow) const {
        REQUIRE(store->begin());
        auto id = store->insert_job(spec, "", {}, {}, 1'000'000, now, kEvent);
        REQUIRE_MESSAGE(id.has_value(), (id ? "" : id.error().message));
        REQUIRE(store->commit());
        return *id;
    }
    template <typename Change>
    auto commit(Change&& change) const {
        REQUIRE(store->begin());
        auto result = change();
        if (result) {
            REQUIRE(store->commit());
        } else {
            store->rollback();
        }
        return result;
    }
    Attempt grant(JobId id) const {
        const std::string token =
            "token-" + std::to_string(id.value) + "-" + std::to_string(get(id).attempt + 1);
        auto attempt = commit([&] { return store->grant(id, token, "host", gibibytes(2), kNow, kEvent); });
        REQUIRE(attempt.has_value());
        return *attempt;
    }
    Status end(const AttemptId& id, JobState to, AttemptEnd how) const {
        Transition transition;
        transition.state = to;
        transition.end = how;
        if (is_terminal(to)) transition.outcome = Outcome{"code", "words", 0, {}, false};
        const auto skipped = commit(
            [&] { return store->end_attempt(id, transition, AttemptReport{}, {}, Bytes{}, kNow, kEvent); });
        if (!skipped) return skipped.error();
        return {};
    }
    Job get(JobId id) const {
        const auto job = store->job(id);
        REQUIRE(job.has_value());
        REQUIRE(job->has_value());
        return **job;
    }
    void check_sound() const {
        const auto broken = store->self_check();
        REQUIRE(broken.has_value());
        for (const std::string& line : *broken) FAIL_CHECK(line);
    }
};

}  // namespace nightshift::tests
