#include "jobs/kinds.h"

namespace nightshift::jobs {

const std::vector<Kind>& kinds() {
    static const std::vector<Kind> table{
    };
    return table;
}

const Kind* find_kind(std::string_view name) {
    for (const Kind& kind : kinds()) {
        if (kind.name == name) return &kind;
    }
    return nullptr;
}

}  // namespace nightshift::jobs
