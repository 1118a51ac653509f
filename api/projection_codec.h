#pragma once

#include <nlohmann/json_fwd.hpp>

#include "api/commands.h"

namespace nightshift::api {

/// GET /api/v1/plan: {until, jobs:[{job, name, class, state, verdict, chance, …}], …}.
nlohmann::ordered_json contract_object(const ContractAnswer& answer);

/// POST /api/v1/replay: {from, until, agreement, recorded, same, changed, jobs:[…]}. The jobs are those
/// whose wait differs most between `same` and `changed`.
nlohmann::ordered_json replay_object(const ReplayAnswer& answer);

}  // namespace nightshift::api
