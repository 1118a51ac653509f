#include <cstdio>
#include <exception>

#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/paths.h"
#include "daemon/restore.h"
#include "scheduler/crash_point.h"

int main(int argc, char** argv) {
    using namespace nightshift::daemon;
    // Everything the daemon and its jobs write is the owner's alone unless they say otherwise.
    make_new_files_private();
    ParsedConfig parsed = parse_config(argc, argv);
    if (parsed.exit_code) {
        std::fputs(parsed.text.c_str(), *parsed.exit_code == kExitOk ? stdout : stderr);
        return *parsed.exit_code;
    }
    if (const auto armed = nightshift::arm_crash_point_of_environment(""); !armed) {
        std::fprintf(stderr, "nightshiftd: %s %s\n", armed.error().message.c_str(),
                     armed.error().hint.c_str());
        return kExitUsage;
    }
    try {
        if (!parsed.config.restore_file.empty()) {
            const auto done = restore_backup(parsed.config.data_folder, parsed.config.restore_file);
            if (done) std::fputs(done->c_str(), stdout);
            if (!done) {
                const nightshift::Error& error = done.error();
                std::fprintf(stderr, "nightshiftd: %s %s\n", error.message.c_str(), error.hint.c_str());
            }
            return done ? kExitOk : exit_code_of(done.error());
        }
        return Daemon(std::move(parsed.config)).run();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "nightshiftd: %s\n", error.what());
        return 70;
    }
}
