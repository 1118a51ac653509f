#pragma once

#include <string>
#include <vector>

#include "tests/product_sim/observer.h"

namespace nightshift::tests {

/// The people and scripts of a simulated night. They ask the real commands for whatever comes to their mind,
/// remember what was acknowledged, and repeat a submit with a key whose answer the daemon's death took.
class Users {
  public:
    Users(Agenda& agenda, Dice& dice, Diary& diary, Observer& observer, const TimeZones& zones,
          Bytes vram_max);

    /// One of them does something.
    void act(Life& life);
    void submit(Life& life);
    /// Nobody wants anything any more: what keeps jobs from ending is taken away.
    void calm_down(Life& life);
    /// Cancels some job that has a process.
    void cancel_one(Life& life);
    /// Ends jobs that would run for ever.
    void cancel(Life& life, JobId id);
    /// The daemon is dead: what was under way has no answer.
    void lose_answers();

    std::int64_t acknowledged() const { return acknowledged_; }
    std::int64_t refused() const { return refused_; }

  private:
    struct Submit {
        JobSpec spec;
        std::string key;
    };
    JobSpec random_spec(Life& life);
    void send(Life& life, Submit submit);
    void on_submitted(Life& life, const Submit& submit, const Result<api::SubmitReply>& reply);
    void act_on(Life& life, JobId id, api::JobAction action);
    void change_place(Life& life);
    void edit(Life& life);
    void retry(Life& life);
    void change_policy(Life& life);
    void pause(Life& life, bool is_paused);
    void put_schedule(Life& life);
    void change_schedule(Life& life);
    JobId one_of(const std::set<JobId>& ids);
    /// Counts an answer that carries nothing else.
    std::function<void(Result<void>)> answered(const std::string& what);
    api::IdempotencyKey key_of(const std::string& key) const;

    Agenda& agenda_;
    Dice& dice_;
    Diary& diary_;
    Observer& observer_;
    const TimeZones& zones_;
    Bytes vram_max_;
    int names_ = 0;
    int schedules_ = 0;
    std::int64_t acknowledged_ = 0, refused_ = 0;
    std::vector<Submit> unanswered_;  ///< with a key
    std::vector<Submit> to_repeat_;
};

}  // namespace nightshift::tests
