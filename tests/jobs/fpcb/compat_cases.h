#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "jobs/fpcb/compat_bundle.h"
#include "tests/jobs/fpcb/sequences.h"

namespace nightshift::tests {

/// The reference's own runs: {entry, files, sha256 of all its files one after the other}.
inline const nlohmann::json& compat_cases() {
    static const auto cases =
        nlohmann::json::parse(bytes_of(data_folder() / "golden/compat/bundles.json"));
    return cases;
}

/// The sequence that the reference made for a case, drawn anew.
inline jobs::Sequence compat_case(const std::string& name) {
    for (const nlohmann::json& one : compat_cases()) {
        if (one.at("entry").at("name") == name)
            return jobs::make_compat_sequence(jobs::compat_sequence_of(one.at("entry"), name), 0);
    }
    throw std::runtime_error("no case " + name);
}

}  // namespace nightshift::tests
