#include "jobs/kinds.h"

namespace nightshift::jobs {

const std::vector<Kind>& kinds() {
    static const std::vector<Kind> table{
        command_kind(),
        sleep_kind(),
        burn_kind(),
        generate_kind(),
        import_kind(),
        export_kind(),
        vectors_kind(),
        analyze_kind(),
        extract_kind(),
        train_dream_kind(),
        train_patchcore_kind(),
        train_temporal_kind(),
        train_supervised_kind(),
        train_ensemble_kind(),
        score_kind(),
        optimize_kind(),
        detect_cpd_kind(),
        evaluate_kind(),
    };
    return table;
}

}  // namespace nightshift::jobs
