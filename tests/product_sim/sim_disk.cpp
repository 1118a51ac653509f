#include "tests/product_sim/sim_disk.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace nightshift::tests {

namespace {

/// Writes that the ballast's 8 MiB hold.
constexpr int kReserveWrites = 2000;

}  // namespace

SimDisk::SimDisk(std::string folder, bool records)
    : folder_(std::move(folder)), database_(folder_ + "/nightshift.db"), records_(records) {
    disk_.record(records_);
}

DiskImage SimDisk::read() const {
    DiskImage image;
    for (const char* suffix : {"", "-wal"}) {
        std::ifstream file(database_ + suffix, std::ios::binary);
        if (!file) continue;
        image[database_ + suffix].assign(std::istreambuf_iterator<char>(file), {});
    }
    return image;
}

void SimDisk::write(const DiskImage& image) const {
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(database_ + suffix);
    for (const auto& [path, content] : image) {
        std::ofstream file(path, std::ios::binary);
        file.write(content.data(), static_cast<std::streamsize>(content.size()));
    }
}

void SimDisk::freeze() {
    frozen_ = read();
    disk_.record(false);
}

void SimDisk::thaw() {
    write(frozen_);
    frozen_.clear();
    disk_.record(records_);
}

void SimDisk::plan_power_cut(int left) {
    is_cut_planned_ = true;
    disk_.fail_from(left + 1, EIO);
}

Loss SimDisk::lose_power(Dice& dice) {
    is_cut_planned_ = false;
    is_full_ = false;
    disk_.heal();
    auto newest = disk_.take_steps();
    steps_.insert(steps_.end(), std::make_move_iterator(newest.begin()),
                  std::make_move_iterator(newest.end()));
    CrashImages crashes(steps_);
    while (crashes.next_sync()) {
    }
    const Loss loss =
        kLosses[static_cast<std::size_t>(dice.between(0, static_cast<int>(kLosses.size()) - 1))];
    const DiskImage image = crashes.image(loss, dice.engine());
    frozen_.clear();
    write(image);
    disk_.record(records_);
    steps_.clear();
    for (const auto& [path, content] : image) {
        steps_.push_back({DiskStep::Kind::kCreate, path, 0, {}, false});
        steps_.push_back({DiskStep::Kind::kWrite, path, 0, content, false});
        steps_.push_back({DiskStep::Kind::kSync, path, 0, {}, true});
    }
    return loss;
}

void SimDisk::set_full(bool is_full) {
    if (is_cut_planned_) return;
    is_full_ = is_full;
    has_refused_ = false;
    if (is_full) {
        disk_.fail_from(1, ENOSPC);
    } else {
        disk_.heal();
    }
}

void SimDisk::give_up() {
    if (!is_full_) return;
    has_refused_ = true;
    disk_.fail_from(kReserveWrites, ENOSPC);
}

}  // namespace nightshift::tests
