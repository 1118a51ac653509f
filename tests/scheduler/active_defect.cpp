#include <cstdlib>

#include "scheduler/defect.h"

namespace nightshift {

int active_defect() {
    static const char* const wish = std::getenv("NIGHTSHIFT_DEFECT");
    static const int number = wish != nullptr ? std::atoi(wish) : 0;
    return number;
}

}  // namespace nightshift
