#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nightshift::tests {

/// One step of a night. Jobs are named by numbers that wrap around, so that a list keeps its meaning when
/// commands are dropped from it.
struct Command {
    int verb = 0, job = 0, other = 0, detail = 0;
};

/// Plays commands on a new database, through the functions that the daemon calls, and on the model.
/// Empty when they agreed after every command; else what differed. `defect`: the driver tells the store of
/// every exit code 75 as if it had been 1, to prove that this is noticed.
std::string play(const std::vector<Command>& commands, bool defect = false);

std::vector<Command> random_commands(std::uint64_t seed, int count);

/// The commands without those that the failure does not need.
std::vector<Command> shrink(std::vector<Command> commands, bool defect = false);

std::string text_of(const std::vector<Command>& commands);

}  // namespace nightshift::tests
