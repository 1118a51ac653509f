#include "jobs/models/row_store.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <numeric>

#include "tests/jobs/models/temporary_folder.h"

using namespace nightshift::jobs;
using nightshift::tests::TemporaryFolder;

namespace {

constexpr std::int64_t kColumns = 3;

/// `rows` rows of 0, 1, 2, ... in parts of two rows.
RowStore<float> counting(std::int64_t rows, RowRoom room) {
    RowStore<float> store(kColumns, std::move(room));
    for (std::int64_t r = 0; r < rows; r += 2) {
        std::vector<float> part(static_cast<std::size_t>(std::min<std::int64_t>(2, rows - r) * kColumns));
        std::iota(part.begin(), part.end(), static_cast<float>(r * kColumns));
        store.append(part);
    }
    return store;
}

}  // namespace

TEST_CASE("row store: the same rows from memory and from a file") {
    const TemporaryFolder folder;
    const RowStore<float> held = counting(7, {1000, folder.path()});
    const RowStore<float> stored = counting(7, {60, folder.path()});  // five rows
    CHECK(held.is_in_memory());
    CHECK(!stored.is_in_memory());
    for (const RowStore<float>* store : {&held, &stored}) {
        CHECK(store->rows() == 7);
        std::vector<float> out(6);
        store->read(4, out);
        CHECK(out == std::vector<float>{12, 13, 14, 15, 16, 17});
        std::vector<float> gathered(15);
        const std::vector<std::int64_t> which{6, 0, 1, 2, 0};
        store->gather(which, gathered);
        CHECK(gathered == std::vector<float>{18, 19, 20, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2});
        std::vector<float> apart(9);
        const std::vector<std::int64_t> with_gaps{1, 3, 4};
        store->gather(with_gaps, apart);
        CHECK(apart == std::vector<float>{3, 4, 5, 9, 10, 11, 12, 13, 14});
        CHECK(store->all().size() == 21);
        CHECK(store->all()[20] == 20);
    }
    CHECK(held.hash() == stored.hash());
    CHECK(held.hash() != counting(6, {1000, folder.path()}).hash());
    CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("row store: without a folder everything stays in memory") {
    CHECK(counting(100, {1, {}}).is_in_memory());
    const RowStore<float> empty(kColumns);
    CHECK(empty.rows() == 0);
    CHECK(empty.all().empty());
}
