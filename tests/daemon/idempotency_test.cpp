#include "daemon/idempotency.h"

#include <doctest/doctest.h>

#include "tests/support/scratch_folder.h"

using namespace nightshift;
using namespace nightshift::daemon;

namespace {

constexpr UnixMs kNow{1'763'716'800'000};

struct StoreOnDisk {
    tests::ScratchFolder folder;
    std::unique_ptr<db::Store> store;
    int made = 0;

    StoreOnDisk() { open(); }
    void open() {
        store.reset();
        auto opened = db::Store::open((folder / "nightshift.db").string(), "test");
        REQUIRE(opened);
        store = std::move(*opened);
    }
    /// create_once in a transaction of its own, which is taken back when it fails.
    Result<api::Created> create(const api::IdempotencyKey& key, bool fails = false) {
        REQUIRE(store->begin());
        auto created = create_once(*store, key, kNow, [&]() -> Result<std::vector<JobId>> {
            ++made;
            if (fails) return Error{ErrorCode::kExhausted, "queue_full", "No room.", "", ""};
            return std::vector<JobId>{JobId{made}, JobId{made + 100}};
        });
        if (created)
            REQUIRE(store->commit());
        else
            store->rollback();
        return created;
    }
};

}  // namespace

TEST_CASE("idempotency: a key makes once, and says the same after the database was opened again") {
    StoreOnDisk f;
    const api::IdempotencyKey key{"run", "밤-1", "hash"};
    const auto first = f.create(key);
    REQUIRE(first);
    CHECK_FALSE(first->is_replayed);
    f.open();
    const auto again = f.create(key);
    REQUIRE(again);
    CHECK(again->is_replayed);
    CHECK(again->jobs == std::vector<JobId>{JobId{1}, JobId{101}});
    CHECK(f.made == 1);
}

TEST_CASE("idempotency: another request under the key is refused, another route is another key") {
    StoreOnDisk f;
    REQUIRE(f.create({"run", "k", "hash"}));
    const auto other = f.create({"run", "k", "other hash"});
    REQUIRE_FALSE(other);
    CHECK(other.error().reason == "idempotency_mismatch");
    CHECK(other.error().code == ErrorCode::kInvalidArgument);
    CHECK(f.made == 1);
    const auto elsewhere = f.create({"retry", "k", "other hash"});
    REQUIRE(elsewhere);
    CHECK_FALSE(elsewhere->is_replayed);
}

TEST_CASE("idempotency: what failed was not made, and no key means every time") {
    StoreOnDisk f;
    const api::IdempotencyKey key{"run", "k", "hash"};
    CHECK_FALSE(f.create(key, true));
    const auto second = f.create(key);
    REQUIRE(second);
    CHECK_FALSE(second->is_replayed);
    CHECK(f.create({})->jobs != f.create({})->jobs);
    CHECK(f.made == 4);
}
