#include <doctest/doctest.h>

#include "daemon/gpu/device_book.h"
#include "daemon/gpu/probe.h"

using namespace nightshift;
using namespace nightshift::daemon;

namespace {

struct SetClock final : Clock {
    Millis at;
    UnixMs now() const override { return UnixMs{1'790'000'000'000} + at; }
    Millis steady() const override { return at; }
};

/// A card of 8 GiB that shows what the test says.
struct PlayedProbe final : GpuProbe {
    std::vector<Device> all;
    std::vector<DeviceSample> next;
    Millis asked_at;
    PlayedProbe() {
        Device card;
        card.uuid = "GPU-a";
        card.total = gibibytes(8);
        all.push_back(card);
    }
    const std::vector<Device>& devices() const override { return all; }
    void sample(OnSamples done) override { done(next, asked_at); }
    std::optional<Millis> next_sample_in(bool) const override { return seconds(1); }
    static DeviceSample of(const std::string& uuid, Bytes used) {
        DeviceSample sample;
        sample.uuid = uuid;
        sample.used = used;
        return sample;
    }
};

struct PlayedBook {
    SetClock clock;
    PlayedProbe* probe = new PlayedProbe;
    Bytes ours;
    DeviceBook book{std::unique_ptr<GpuProbe>(probe), clock,
                    [this](const DeviceSample&, Bytes) {
                        return DeviceBook::Ours{ours, {}};
                    }};
    bool refresh() {
        bool is_changed = false;
        book.refresh([&](bool changed) { is_changed = changed; });
        return is_changed;
    }
};

}  // namespace

TEST_CASE("fake probe: used is what jobs claim and what other programs hold, by the clock") {
    SetClock clock;
    Bytes claimed = gibibytes(2);
    const auto spec = parse_simulate("gpu=8GiB,foreign=1GiB@10s-60s,temp=70");
    REQUIRE(spec);
    DeviceBook book(make_fake_probe(*spec, clock, [&](const std::string&) { return claimed; }), clock,
                    [&](const DeviceSample&, Bytes) {
                        return DeviceBook::Ours{claimed, {}};
                    });
    bool is_changed = false;
    const auto refresh = [&] { book.refresh([&](bool changed) { is_changed = changed; }); };
    refresh();
    CHECK(is_changed);
    CHECK(book.is_simulated());
    CHECK(book.states()[0].sample->used == gibibytes(2));
    CHECK(book.states()[0].foreign == Bytes{});
    CHECK(book.states()[0].sample->temperature_c == 70.0);
    CHECK(book.next_sample_in(false) == seconds(10));
    clock.at = seconds(10);
    refresh();
    CHECK(book.states()[0].foreign == gibibytes(1));
    CHECK(book.states()[0].sample->used == gibibytes(3));
    REQUIRE(book.states()[0].foreign_programs.size() == 1);
    clock.at = seconds(11);
    refresh();
    CHECK_FALSE(is_changed);
    clock.at = seconds(60);
    claimed = Bytes{};
    refresh();
    CHECK(is_changed);
    CHECK(book.states()[0].foreign == Bytes{});
    CHECK(book.history(book.devices()[0].uuid, UnixMs{0}).size() == 3);
}

TEST_CASE("host probe: half of the memory is one device, charged by claims") {
    SetClock clock;
    const auto probe = make_host_probe(clock, [](const std::string&) { return gibibytes(1); });
    REQUIRE(probe->devices().size() == 1);
    CHECK(probe->devices()[0].uuid == "host");
    CHECK(probe->devices()[0].is_host);
    CHECK(probe->devices()[0].total == Bytes{machine_memory().value / 2});
    std::vector<DeviceSample> samples;
    probe->sample([&](std::vector<DeviceSample> taken, Millis) { samples = std::move(taken); });
    REQUIRE(samples.size() == 1);
    CHECK(samples[0].used == gibibytes(1));
}

TEST_CASE("device book: a sick driver's silence changes no number, and says so") {
    PlayedBook it;
    it.ours = gibibytes(2);
    it.probe->next = {PlayedProbe::of("GPU-a", gibibytes(3))};
    CHECK(it.refresh());
    CHECK(it.book.states()[0].foreign == gibibytes(1));
    DeviceSample sick;
    sick.uuid = "GPU-a";
    sick.is_healthy = false;
    sick.fault = "lost";
    it.probe->next = {sick};
    it.clock.at = seconds(60);
    CHECK(it.refresh());
    CHECK_FALSE(it.refresh());
    const DeviceState state = it.book.states()[0];
    CHECK_FALSE(state.sample->is_healthy);
    CHECK(state.sample->fault == "lost");
    CHECK(state.sample->used == gibibytes(3));
    CHECK(state.foreign == gibibytes(1));
    it.probe->next = {PlayedProbe::of("GPU-a", gibibytes(3))};
    CHECK(it.refresh());
    CHECK(it.book.states()[0].sample->is_healthy);
    CHECK(it.book.states()[0].sample->fault.empty());
}

TEST_CASE("device book: a sample counts from when it was asked for, a sick one never") {
    PlayedBook it;
    it.probe->next = {PlayedProbe::of("GPU-a", gibibytes(1))};
    it.probe->asked_at = seconds(10);
    CHECK_FALSE(it.book.is_sampled_since("GPU-a", seconds(1)));
    it.refresh();
    CHECK(it.book.is_sampled_since("GPU-a", seconds(10)));
    CHECK_FALSE(it.book.is_sampled_since("GPU-a", seconds(11)));
    it.probe->next[0].is_healthy = false;
    it.probe->asked_at = seconds(20);
    it.refresh();
    CHECK_FALSE(it.book.is_sampled_since("GPU-a", seconds(11)));
    CHECK_FALSE(it.book.is_sampled_since("GPU-b", seconds(1)));
}

TEST_CASE("device book: a GPU that appears takes the place of the one that stood for it") {
    PlayedBook it;
    it.probe->all[0] = Device{};
    it.probe->all[0].uuid = "GPU-not-answering";
    it.refresh();
    CHECK(it.book.states().size() == 1);
    PlayedProbe fresh;
    it.probe->all = fresh.all;
    it.probe->next = {PlayedProbe::of("GPU-a", gibibytes(1))};
    CHECK(it.refresh());
    REQUIRE(it.book.states().size() == 1);
    CHECK(it.book.states()[0].device.uuid == "GPU-a");
    CHECK(it.book.states()[0].sample->used == gibibytes(1));
}
