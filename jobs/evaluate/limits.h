#pragma once

#include <string>
#include <vector>

#include "jobs/evaluate/evaluation.h"

namespace nightshift::jobs {

struct Limit {
    std::string en, ko;
};

/// What these figures do not show, whatever they are: when the damage came, and how other data would do.
/// (findings.h has what can be read off the figures themselves.)
std::vector<Limit> limits_of(const Evaluation& evaluation);

}  // namespace nightshift::jobs
