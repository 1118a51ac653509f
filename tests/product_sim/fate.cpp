#include "tests/product_sim/fate.h"

namespace nightshift::tests {

Fate Fate::calm(Dice& dice) {
    Fate fate;
    fate.up_after = Millis{dice.one_in(3) ? dice.between(5, 3000) : dice.between(5, 300)};
    fate.frees_after = Millis{dice.between(0, 3000)};
    return fate;
}

Fate Fate::roll(Dice& dice) {
    Fate fate = calm(dice);
    if (dice.one_in(30)) fate.up_after = seconds(dice.between(5, 50));
    fate.dies_early = dice.one_in(60);
    if (dice.one_in(8)) fate.percent = dice.between(0, 99);
    switch (dice.between(0, 40)) {
        case 0:
        case 1:
        case 2:
            fate.exit_code = 1;
            break;
        case 3:
        case 4:
            fate.exit_code = 75;
            break;
        case 5:
            fate.exit_code = 85;
            break;
        case 6:
            fate.exit_code = 86;
            break;
        case 7:
            fate.ending = Ending::kSignal;
            break;
        case 8:
        case 9:
            fate.ending = Ending::kSilence;
            break;
        case 10:
            fate.ending = Ending::kHang;
            break;
        case 11:
            fate.ending = Ending::kNoFile;
            fate.exit_code = 1;
            break;
        default:
            break;
    }
    if (dice.one_in(25)) fate.over_budget_percent = dice.between(1, 40);
    fate.dies_before_done = dice.one_in(40);
    if (dice.one_in(6)) fate.frees_after = seconds(dice.between(3, 60));
    if (dice.one_in(25)) fate.stuck_after_kill = seconds(dice.between(1, 30));
    return fate;
}

Answer answer_to_yield(Dice& dice) {
    switch (dice.between(0, 11)) {
        case 0:
            return Answer::kSavesLate;
        case 1:
            return Answer::kIgnores;
        case 2:
            return Answer::kFails;
        case 3:
            return Answer::kForgetsToSave;
        case 4:
            return Answer::kGoesOn;
        default:
            return Answer::kSaves;
    }
}

}  // namespace nightshift::tests
