#pragma once

#include "api/field_reader.h"
#include "api/submit_codec.h"

namespace nightshift::api {

/// Field `gpu`, a UUID or an index: spec.gpu. Adds "unknown_gpu" for others.
void read_device(FieldReader& fields, const SubmitDefaults& defaults, JobSpec& spec);

/// Adds "vram_over_budget" where the class may not use as much as spec.vram, and "vram_impossible" where no
/// card that the job may use has that much: no waiting would help.
void check_budget(FieldReader& fields, const SubmitDefaults& defaults, const JobSpec& spec);

}  // namespace nightshift::api
