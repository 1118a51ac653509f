#include "tests/product_sim/line.h"

#include <algorithm>

namespace nightshift::tests {

namespace {

constexpr int kTravelMaxMs = 4;
/// One line in so many breaks the connection.
constexpr int kBreaksOneIn = 500;

}  // namespace

Millis Line::travel(std::int64_t& last) {
    last = std::max(last, agenda_.steady().value + dice_.between(0, kTravelMaxMs));
    return Millis{last - agenda_.steady().value};
}

void Line::open(std::function<void(wire::FromWorker)> on_message,
                std::function<void(const std::string&)> on_close) {
    on_message_ = std::move(on_message);
    on_close_ = std::move(on_close);
}

void Line::send(const wire::FromDaemon& message) {
    if (!is_daemon_there_ || !is_worker_there_) return;
    agenda_.after(travel(last_down_),
                  [self = shared_from_this(), text = wire::encode(message)] { self->hear(text); });
    if (dice_.one_in(kBreaksOneIn)) close("broken");
}

void Line::hear(const std::string& text) {
    if (!is_worker_there_ || !on_heard_) return;
    const auto message = wire::decode_from_daemon(text);
    if (!message || !*message) diary_.fail("the daemon sent a line that means nothing: " + text);
    const auto handler = on_heard_;
    handler(**message);
}

void Line::close(const std::string& why) {
    if (!is_daemon_there_) return;
    is_daemon_there_ = false;
    agenda_.after(travel(last_down_), [self = shared_from_this()] {
        if (self->is_worker_there_ && self->on_cut_) std::exchange(self->on_cut_, nullptr)();
    });
    on_message_ = nullptr;
    if (const auto closed = std::exchange(on_close_, nullptr)) closed(why);
}

void Line::attach(std::function<void(const wire::FromDaemon&)> on_message, std::function<void()> on_cut) {
    on_heard_ = std::move(on_message);
    on_cut_ = std::move(on_cut);
}

void Line::say(const wire::FromWorker& message) {
    if (!is_worker_there_) return;
    agenda_.after(travel(last_up_),
                  [self = shared_from_this(), text = wire::encode(message)] { self->take(text); });
}

void Line::take(const std::string& text) {
    if (!is_daemon_there_ || !on_message_) return;
    auto message = wire::decode_from_worker(text);
    if (!message || !*message) diary_.fail("a worker's line was not understood: " + text);
    const auto handler = on_message_;
    handler(std::move(**message));
}

void Line::hang_up() {
    if (!is_worker_there_) return;
    is_worker_there_ = false;
    on_heard_ = nullptr;
    on_cut_ = nullptr;
    agenda_.after(travel(last_up_), [self = shared_from_this()] { self->close("the worker closed it"); });
}

void Line::lose_daemon() {
    on_close_ = nullptr;
    close("the daemon died");
}

}  // namespace nightshift::tests
