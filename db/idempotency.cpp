#include "db/idempotency.h"

#include <charconv>

#include "db/statement.h"

namespace nightshift::db {

namespace {

std::string text_of(const std::vector<JobId>& jobs) {
    std::string text;
    for (const JobId job : jobs) text += (text.empty() ? "" : " ") + std::to_string(job.value);
    return text;
}

std::vector<JobId> jobs_of(std::string_view text) {
    std::vector<JobId> jobs;
    while (!text.empty()) {
        const std::string_view word = text.substr(0, text.find(' '));
        JobId job;
        std::from_chars(word.data(), word.data() + word.size(), job.value);
        jobs.push_back(job);
        text.remove_prefix(std::min(word.size() + 1, text.size()));
    }
    return jobs;
}

}  // namespace

Result<std::optional<IdempotentAnswer>> find_idempotent(Connection& connection, const std::string& scope,
                                                        const std::string& key) {
    Statement row(connection, "SELECT request_hash, jobs FROM idem WHERE scope = ? AND key = ?", scope, key);
    const auto has_row = row.step();
    if (!has_row) return has_row.error();
    if (!*has_row) return std::optional<IdempotentAnswer>{};
    return std::optional<IdempotentAnswer>(IdempotentAnswer{row.text(0), jobs_of(row.text(1))});
}

Status insert_idempotent(Connection& connection, const std::string& scope, const std::string& key,
                         const IdempotentAnswer& answer, UnixMs expires) {
    Statement put(connection,
                  "INSERT INTO idem (scope, key, request_hash, jobs, expires_at_ms) VALUES (?, ?, ?, ?, ?)",
                  scope, key, answer.request_hash, text_of(answer.jobs), expires);
    return put.run();
}

}  // namespace nightshift::db
