#include "tests/db/store_fixture.h"

using namespace nightshift;
using namespace nightshift::tests;

namespace {

JobSpec after(std::vector<Dependency> parents) {
    JobSpec spec = StoreFixture::spec("child");
    spec.after = std::move(parents);
    return spec;
}

}  // namespace

TEST_CASE("dependencies: a child becomes a candidate in the transaction of its parent's end") {
    StoreFixture f;
    const JobId parent = f.insert(f.spec());
    const JobId child = f.insert(after({{parent, DependencyKind::kSuccess}}));
    CHECK(f.get(child).dependencies_open == 1);
    const Attempt attempt = f.grant(parent);
    CHECK_FALSE(f.commit([&] { return f.store->grant(child, "t", "host", {}, kNow, kEvent); }));
    REQUIRE(f.end(attempt.id, JobState::kSucceeded, AttemptEnd::kOk));
    CHECK(f.get(child).dependencies_open == 0);
    CHECK(f.get(child).state == JobState::kWaiting);
    f.grant(child);
    f.check_sound();
}

TEST_CASE("dependencies: a child that can never run is skipped, and its children after it") {
    StoreFixture f;
    const JobId parent = f.insert(f.spec());
    const JobId child = f.insert(after({{parent, DependencyKind::kSuccess}}));
    const JobId grandchild = f.insert(after({{child, DependencyKind::kSuccess}}));
    const JobId anyway = f.insert(after({{child, DependencyKind::kAny}}));
    const JobId on_failure = f.insert(after({{parent, DependencyKind::kFailure}}));
    REQUIRE(f.end(f.grant(parent).id, JobState::kFailed, AttemptEnd::kFailed));
    CHECK(f.get(child).state == JobState::kSkipped);
    CHECK(f.get(grandchild).state == JobState::kSkipped);
    REQUIRE(f.get(grandchild).outcome);
    CHECK(f.get(grandchild).outcome->code == "dependency");
    CHECK(f.get(anyway).state == JobState::kWaiting);
    CHECK(f.get(anyway).dependencies_open == 0);
    CHECK(f.get(on_failure).dependencies_open == 0);
    f.check_sound();
}

TEST_CASE("dependencies: cancelling a waiting parent settles its children too") {
    StoreFixture f;
    const JobId parent = f.insert(f.spec());
    const JobId child = f.insert(after({{parent, DependencyKind::kSuccess}}));
    const Outcome outcome{"cancelled", "words", {}, {}, false};
    const auto skipped = f.commit(
        [&] { return f.store->finish_waiting(parent, JobState::kCancelled, outcome, kNow, kEvent); });
    REQUIRE(skipped);
    CHECK(*skipped == std::vector<JobId>{child});
    f.check_sound();
}

TEST_CASE("dependencies: a parent that has ended counts at once, for or against") {
    StoreFixture f;
    const JobId parent = f.insert(f.spec());
    REQUIRE(f.end(f.grant(parent).id, JobState::kSucceeded, AttemptEnd::kOk));
    CHECK(f.get(f.insert(after({{parent, DependencyKind::kSuccess}}))).dependencies_open == 0);
    CHECK(f.get(f.insert(after({{parent, DependencyKind::kFailure}}))).state == JobState::kSkipped);
    f.check_sound();
}

TEST_CASE("dependencies: unknown and circular ones are refused") {
    StoreFixture f;
    REQUIRE(f.store->begin());
    const auto unknown =
        f.store->insert_job(after({{JobId{99}, DependencyKind::kAny}}), "", {}, {}, 10, kNow, kEvent);
    f.store->rollback();
    REQUIRE_FALSE(unknown);
    CHECK(unknown.error().reason == "unknown_dependency");
    const JobId first = f.insert(f.spec());
    const JobId second = f.insert(after({{first, DependencyKind::kSuccess}}));
    const JobId third = f.insert(after({{second, DependencyKind::kSuccess}}));
    const auto circle = f.commit([&] {
        return f.store->update_spec(first, after({{third, DependencyKind::kSuccess}}), 1, kNow, kEvent);
    });
    REQUIRE_FALSE(circle);
    CHECK(circle.error().reason == "circular_dependency");
    CHECK(f.get(first).spec.after.empty());
    f.check_sound();
}

TEST_CASE("dependencies: a chain of a thousand jobs is settled in one go") {
    StoreFixture f;
    JobId last = f.insert(f.spec());
    const JobId first = last;
    REQUIRE(f.store->begin());
    for (int i = 0; i < 1000; ++i) {
        const auto next =
            f.store->insert_job(after({{last, DependencyKind::kSuccess}}), "", {}, {}, 10'000, kNow, kEvent);
        REQUIRE(next);
        last = *next;
    }
    REQUIRE(f.store->commit());
    REQUIRE(f.end(f.grant(first).id, JobState::kFailed, AttemptEnd::kFailed));
    CHECK(f.get(last).state == JobState::kSkipped);
    f.check_sound();
}
