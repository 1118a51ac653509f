#pragma once

#include <functional>
#include <memory>

#include "db/queries.h"

namespace nightshift::daemon {

/// The same answers, and a word to `on_damage` when one of them shows that the database is damaged.
std::unique_ptr<db::Queries> watch(std::unique_ptr<db::Queries> queries,
                                   std::function<void(const Error&)> on_damage);

}  // namespace nightshift::daemon
