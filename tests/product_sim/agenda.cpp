#include "tests/product_sim/agenda.h"

#include <algorithm>
#include <optional>

namespace nightshift::tests {

namespace {

class AgendaAlarm final : public daemon::Alarm {
  public:
    explicit AgendaAlarm(Agenda& agenda) : agenda_(agenda) {}
    ~AgendaAlarm() override { silence(); }

    void set(Millis wait, std::function<void()> ring) override {
        silence();
        auto key = std::make_shared<std::optional<Agenda::Key>>();
        *key = agenda_.after(wait, [key, ring = std::move(ring)] {
            key->reset();
            ring();
        });
        key_ = std::move(key);
    }
    void silence() override {
        if (is_set()) agenda_.forget(**key_);
        if (key_) key_->reset();
    }
    bool is_set() const override { return key_ && key_->has_value(); }

  private:
    Agenda& agenda_;
    std::shared_ptr<std::optional<Agenda::Key>> key_;  ///< empty once it rang
};

}  // namespace

Agenda::Key Agenda::after(Millis wait, std::function<void()> happen) {
    const Key key{steady_.value + std::max<std::int64_t>(wait.value, 0), ++written_};
    entries_.emplace(key, std::move(happen));
    return key;
}

std::unique_ptr<daemon::Alarm> Agenda::make() {
    return std::make_unique<AgendaAlarm>(*this);
}

std::function<void()> Agenda::next(Millis until) {
    if (entries_.empty() || entries_.begin()->first.first > until.value) {
        steady_ = std::max(steady_, until);
        return nullptr;
    }
    auto entry = entries_.extract(entries_.begin());
    steady_ = Millis{entry.key().first};
    return std::move(entry.mapped());
}

}  // namespace nightshift::tests
