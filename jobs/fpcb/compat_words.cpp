#include "jobs/fpcb/compat_words.h"

#include <array>
#include <vector>

#include "jobs/runtime/job_impl.h"
#include "jobs/table/nearest_word.h"

namespace nightshift::jobs {

namespace {

// In the order of kernels::NoiseMode.
constexpr std::array<std::string_view, 6> kModes{
    "", "gaussian", "outlier", "temporal_drift", "scale_jitter", "mixed"};

/// Position of a word in a list; refuses one that is not there.
std::size_t place_of(std::string_view word, const std::vector<std::string>& words, const char* what,
                     const std::string& where) {
    std::string list;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i].empty()) continue;
        if (words[i] == word) return i;
        list += (list.empty() ? "" : ", ") + words[i];
    }
    throw JobError("bad_param", where + ": no " + what + " '" + std::string(word) + "' (there are " + list +
                                    ")." + did_you_mean(word, words));
}

}  // namespace

std::string_view compat_word(kernels::NoiseMode mode) {
    return kModes[static_cast<std::size_t>(mode)];
}

kernels::NoiseMode noise_mode_of(std::string_view word, const std::string& where) {
    const std::vector<std::string> words(kModes.begin(), kModes.end());
    return static_cast<kernels::NoiseMode>(place_of(word, words, "noise_mode", where));
}

kernels::PanelClass panel_of(std::string_view word, const std::string& where) {
    std::vector<std::string> words;
    for (int c = 0; c < kernels::kPanelClasses; ++c)
        words.emplace_back(kernels::name_of(static_cast<kernels::PanelClass>(c)));
    return static_cast<kernels::PanelClass>(place_of(word, words, "scenario", where));
}

}  // namespace nightshift::jobs
