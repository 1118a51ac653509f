#include "jobs/optimize/target.h"

namespace nightshift::jobs {

const std::vector<TargetKind>& target_kinds() {
    static const std::vector<TargetKind> table{dream_target(), patchcore_target()};
    return table;
}

const TargetKind& find_target(const std::string& name) {
    std::string all;
    for (const TargetKind& kind : target_kinds()) {
        if (kind.name == name) return kind;
        all += (all.empty() ? "" : ", ") + kind.name;
    }
    throw JobError("bad_param", "target is '" + name + "'; it can be " + all);
}

}  // namespace nightshift::jobs
