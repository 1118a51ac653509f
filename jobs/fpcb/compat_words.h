#pragma once

#include <string>
#include <string_view>

#include "kernels/panel_recipe.h"

namespace nightshift::jobs {

/// The reference's word for a noise mode; "" for none.
std::string_view compat_word(kernels::NoiseMode mode);

/// A noise mode or a scenario by its word. `where` starts the message of JobError("bad_param"), which names
/// the nearest word.
kernels::NoiseMode noise_mode_of(std::string_view word, const std::string& where);
kernels::PanelClass panel_of(std::string_view word, const std::string& where);

}  // namespace nightshift::jobs
