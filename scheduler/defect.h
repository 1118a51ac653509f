#pragma once

/// A rule that is easy to break, with a way to break it. The product compiles the rule alone; the
/// programs of the mutation check, compiled with NIGHTSHIFT_DEFECTS, applies `broken` instead while the
/// defect of this number is switched on, and some test has to fail then. Numbers are used once.
#ifdef NIGHTSHIFT_DEFECTS
namespace nightshift {
/// The number in NIGHTSHIFT_DEFECT; 0 = none.
int active_defect();
}  // namespace nightshift
#define NIGHTSHIFT_RULE(number, rule, broken) (::nightshift::active_defect() == (number) ? (broken) : (rule))
#else
#define NIGHTSHIFT_RULE(number, rule, broken) (rule)
#endif
