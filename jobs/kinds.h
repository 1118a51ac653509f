#pragma once

#include "jobs/runtime/job_impl.h"

/// Every kind this build can run, one function each; jobs/runtime/registry.cpp lists them in the order
/// in which people see them. A kind lives in jobs/<folder>/<kind>_kind.cpp.
namespace nightshift::jobs {

Kind command_kind();   // jobs/basic
Kind sleep_kind();
Kind burn_kind();
Kind train_dream_kind();   // jobs/models
Kind train_patchcore_kind();
Kind train_temporal_kind();
Kind train_supervised_kind();
Kind train_ensemble_kind();
Kind score_kind();
Kind optimize_kind();   // jobs/optimize
Kind evaluate_kind();   // jobs/evaluate
Kind vectors_kind();
Kind analyze_kind();   // jobs/analyze
Kind detect_cpd_kind();   // jobs/cpd
Kind generate_kind();   // jobs/fpcb
Kind import_kind();
Kind export_kind();
Kind extract_kind();

}  // namespace nightshift::jobs
