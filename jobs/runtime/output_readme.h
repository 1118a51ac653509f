#pragma once

#include <memory>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "jobs/runtime/job_impl.h"

namespace nightshift::jobs {

/// README.txt of an output folder: what made it, what each artifact is, in English and Korean, and the
/// parameters. It depends on nothing else, so that equal jobs leave equal files.
std::string output_readme(const Kind& kind, const nlohmann::json& params);

/// The job of a kind, params complete. Where the kind leaves artifacts and the job ends well, README.txt lies
/// beside them (the job's own, where it wrote one). Throws what the kind's `make` throws.
std::unique_ptr<JobImpl> make_documented_job(const Kind& kind, const nlohmann::json& params);

}  // namespace nightshift::jobs
