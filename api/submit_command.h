#pragma once

#include <vector>

#include "api/field_reader.h"
#include "api/submit_codec.h"

namespace nightshift::api {

/// Fields `command`, `cwd` and `env` of a submit whose spec.kind is set: they belong to kind `command`, which
/// needs the first; a known kind of another name refuses them ("not_for_this_kind").
void read_command(FieldReader& fields, const SubmitDefaults& defaults, bool is_known_kind, JobSpec& spec,
                  std::vector<Error>& errors);

}  // namespace nightshift::api
