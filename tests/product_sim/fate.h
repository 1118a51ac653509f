#pragma once

#include <optional>

#include "scheduler/job.h"
#include "scheduler/wire.h"
#include "tests/support/dice.h"

namespace nightshift::tests {

/// How the work of an attempt ends when nobody interferes.
enum class Ending { kExit, kSignal, kSilence, kHang, kNoFile };

/// What a simulated worker is going to do, decided at its birth.
struct Fate {
    Millis up_after;          ///< until it connects
    bool dies_early = false;  ///< before it connects
    Ending ending = Ending::kExit;
    int exit_code = 0;              ///< of kExit and kNoFile
    int percent = 100;              ///< of its work that it gets done
    int over_budget_percent = 0;    ///< memory beyond its budget
    bool dies_before_done = false;  ///< between result.json and Done
    Millis frees_after;             ///< its memory, after its end
    Millis stuck_after_kill;        ///< cannot be killed for so long

    static Fate roll(Dice& dice);
    /// A worker of a night that has calmed down: works, ends well.
    static Fate calm(Dice& dice);
};

/// What it makes of a request to leave.
enum class Answer { kSaves, kSavesLate, kIgnores, kFails, kForgetsToSave, kGoesOn };
Answer answer_to_yield(Dice& dice);

}  // namespace nightshift::tests
