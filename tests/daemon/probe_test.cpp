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

}  // namespace

TEST_CASE("fake probe: used is what jobs claim and what other programs hold, by the clock") {
    SetClock clock;
    Bytes claimed = gibibytes(2);
    const auto spec = parse_simulate("gpu=8GiB,foreign=1GiB@10s-60s,temp=70");
    REQUIRE(spec);
    DeviceBook book(make_fake_probe(*spec, clock, [&](const std::string&) { return claimed; }), clock,
                    [&](const DeviceSample&) {
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
    probe->sample([&](std::vector<DeviceSample> taken) { samples = std::move(taken); });
    REQUIRE(samples.size() == 1);
    CHECK(samples[0].used == gibibytes(1));
}
