#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "jobs/fpcb/dataset.h"

namespace nightshift::jobs {

/// What is known of a sequence of which somebody says when, and whether, something happened.
struct EventUnit {
    std::string name, scenario;
    int label = -1;           ///< 1 damaged, 0 not, -1 not known
    bool is_variant = false;  ///< neither normal nor damaged: not counted
    Split split = Split::kNone;
    int frames = 0;
    int event = -1;  ///< true frame index; -1 = none or not known

    bool is_damaged() const { return label == 1 && event >= 0; }
    bool is_normal() const { return label == 0 && !is_variant; }
};

/// A detector's word on every unit: a frame index (-1 = found nothing) and how sure it is.
struct EventDetector {
    std::string name, note_en, note_ko;
    bool is_baseline = false;
    std::vector<int> frame;
    std::vector<double> score;
};

struct EventCounts {
    std::int64_t count = 0;
    std::int64_t within = 0;          ///< frame at most kEventReach off
    std::int64_t alarmed = 0;         ///< score above the threshold
    std::int64_t alarmed_within = 0;  ///< both
    double median_error = 0;          ///< frames; a detector that found nothing is a whole sequence off
};

struct EventGroup {
    std::string scenario;
    bool is_damaged = false;
    EventCounts counts;
};

inline constexpr int kEventReach = 2;
inline constexpr int kErrorsShown = 10;

struct EventRates {
    std::string name, note_en, note_ko;
    bool is_baseline = false;
    double threshold = 0;
    EventCounts damaged, normal;
    std::array<double, kErrorsShown + 1> share_within{};  ///< of the damaged, at most k frames off
    std::vector<EventGroup> groups;                       ///< damaged ones first, by name
    std::vector<std::size_t> worst;                       ///< damaged units, the largest errors first
};

/// The lowest score that at most `rate` of these normal scores exceed; infinity for none.
double alarm_threshold(std::vector<double> normal_scores, double rate);

/// True where a threshold may look: normal units outside the test split (all where no split is known).
std::vector<std::size_t> learning_normals(const std::vector<EventUnit>& units);
/// Units that are judged: those of the test split, all where no split is known; damaged or normal ones.
std::vector<std::size_t> judged_events(const std::vector<EventUnit>& units);
bool has_splits(const std::vector<EventUnit>& units);

/// Threshold from learning_normals() alone, rates from judged_events() alone.
EventRates judge_events(const std::vector<EventUnit>& units, const EventDetector& detector, double rate);

}  // namespace nightshift::jobs
