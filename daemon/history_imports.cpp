#include "daemon/history_imports.h"

#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>
#include <utility>

namespace nightshift::daemon {

namespace {

constexpr int kSweptPerTick = 1000;

}  // namespace

struct HistoryImports::State {
    Loop& loop;
    bool is_busy = false;
    std::int64_t current = 0;  ///< the import under way; 0 = none
};

class HistoryImports::Intake final : public api::HistoryIntake {
  public:
    Intake(std::shared_ptr<State> state, std::int64_t id, std::string database, std::string actor)
        : state_(std::move(state)), id_(id), database_(std::move(database)), actor_(std::move(actor)) {}
    ~Intake() override {
        state_->is_busy = false;
        state_->current = 0;
        if (!is_finished_) sweep(state_);
    }
    Intake(const Intake&) = delete;
    Intake& operator=(const Intake&) = delete;

    void add(std::vector<db::ImportedLine> lines, Reply<void> reply) override {
        // Counted apart: what was rolled back did not happen.
        auto counts = std::make_shared<db::ImportCounts>(*counts_);
        auto apply = [id = id_, lines = std::move(lines), counts](db::Store& store, UnixMs) -> Status {
            for (const db::ImportedLine& line : lines) NIGHTSHIFT_TRY(store.add_imported(id, line, *counts));
            return {};
        };
        state_->loop.change({std::move(apply),
                             [kept = counts_, counts, reply = std::move(reply)](const Status& stored) {
                                 if (stored) *kept = *counts;
                                 reply(stored);
                             },
                             false});
    }

    void finish(std::string chain, Reply<db::ImportCounts> reply) override {
        const nlohmann::json data{{"database", database_},
                                  {"chain", chain},
                                  {"added", counts_->added},
                                  {"replaced", counts_->replaced}};
        auto apply = [id = id_, counts = counts_, chain = std::move(chain), actor = actor_,
                      text = data.dump()](db::Store& store, UnixMs now) {
            return store.finish_import(id, chain, *counts, now, {"queue", "history_imported", actor, text});
        };
        state_->loop.change({std::move(apply),
                             [this, reply = std::move(reply)](const Status& stored) {
                                 if (!stored) return reply(stored.error());
                                 is_finished_ = true;
                                 spdlog::info("history_imported database={} added={} replaced={}", database_,
                                              counts_->added, counts_->replaced);
                                 reply(*counts_);
                             },
                             false});
    }

  private:
    std::shared_ptr<State> state_;
    std::int64_t id_;
    std::string database_, actor_;
    std::shared_ptr<db::ImportCounts> counts_ = std::make_shared<db::ImportCounts>();
    bool is_finished_ = false;
};

HistoryImports::HistoryImports(Loop& loop) : state_(std::make_shared<State>(State{loop})) {}

void HistoryImports::begin(const std::string& database, const std::string& actor,
                           std::function<void(Result<std::shared_ptr<api::HistoryIntake>>)> reply) {
    if (state_->is_busy) {
        return reply(Error{ErrorCode::kUnavailable, "import_busy", "Another history is being imported.",
                           "Wait until it is done and send this one again.", ""});
    }
    state_->is_busy = true;
    auto id = std::make_shared<std::int64_t>(0);
    auto apply = [id, database, actor, state = state_](db::Store& store, UnixMs) -> Status {
        const auto begun = store.begin_import(database, actor);
        if (!begun) return begun.error();
        // From here on, so that a sweep in the same transaction leaves it.
        *id = state->current = *begun;
        return {};
    };
    state_->loop.change(
        {std::move(apply),
         [id, database, actor, state = state_, reply = std::move(reply)](const Status& stored) {
             if (!stored) {
                 state->is_busy = false;
                 state->current = 0;
                 return reply(stored.error());
             }
             sweep(state);
             reply(
                 std::shared_ptr<api::HistoryIntake>(std::make_shared<Intake>(state, *id, database, actor)));
         },
         false});
}

void HistoryImports::sweep() {
    sweep(state_);
}

void HistoryImports::sweep(const std::shared_ptr<State>& state) {
    auto is_done = std::make_shared<bool>(true);
    auto apply = [state, is_done](db::Store& store, UnixMs) -> Status {
        const auto swept = store.sweep_imports(state->current, kSweptPerTick);
        if (!swept) return swept.error();
        *is_done = *swept;
        return {};
    };
    state->loop.change({std::move(apply),
                        [state, is_done](const Status& stored) {
                            if (stored && !*is_done) sweep(state);
                            if (!stored)
                                spdlog::warn("import_not_swept error=\"{}\"", stored.error().message);
                        },
                        false});
}

}  // namespace nightshift::daemon
