#pragma once

#include <string>
#include <vector>

#include "jobs/evaluate/evaluation.h"

namespace nightshift::jobs {

/// One thing that a reader of the report should know, in both languages.
struct Finding {
    enum class Grade { kGood, kNote, kWarning };
    Grade grade = Grade::kNote;
    std::string en, ko;
};

/// What stands out: leaks first, then comparisons with the baselines, weak groups, false alarms.
std::vector<Finding> findings_of(const Evaluation& evaluation);

}  // namespace nightshift::jobs
