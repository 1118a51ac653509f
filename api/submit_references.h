#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "api/field_reader.h"
#include "api/submit_codec.h"

namespace nightshift::api {

/// The jobs that a submit names: "job:12" or 12 for one that exists, "job:#n" for the n-th of its own list.
/// The arguments outlive the object.
class SubmitReferences {
  public:
    /// `chain`: ids that the jobs of the list got so far, by place; 0 where not yet made or refused.
    SubmitReferences(const SubmitDefaults& defaults, std::span<const JobId> chain, std::vector<Error>& errors)
        : defaults_(defaults), chain_(chain), errors_(errors) {}

    static bool refers_to_list(const nlohmann::json& value);
    /// Replaces every "job:#n" in `value` by the id that job got; `pointer` is where `value` stands.
    void resolve(nlohmann::json& value, const std::string& pointer);
    /// Field `after`, and `parents` (jobs that params read from) with "success"; each pair once.
    std::vector<Dependency> read_after(FieldReader& fields, const std::vector<JobId>& parents);

  private:
    std::optional<JobId> chain_id(const std::string& text, const std::string& pointer);
    std::optional<JobId> job(const nlohmann::json& value, const std::string& pointer);

    const SubmitDefaults& defaults_;
    std::span<const JobId> chain_;
    std::vector<Error>& errors_;
};

}  // namespace nightshift::api
