#include "tests/support/fake_nvml/script.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

namespace nightshift::fake_nvml {

namespace {

using nlohmann::json;

std::string script_path() {
    const char* path = std::getenv("NIGHTSHIFT_FAKE_NVML");
    if (path == nullptr) {
        std::fprintf(stderr, "fake NVML: NIGHTSHIFT_FAKE_NVML names no script\n");
        std::abort();
    }
    return path;
}

template <typename T>
std::optional<T> maybe(const json& from, const char* key) {
    const auto found = from.find(key);
    if (found == from.end() || found->is_null()) return std::nullopt;
    return found->get<T>();
}

FakeGpu read_gpu(const json& from) {
    FakeGpu gpu;
    gpu.uuid = from.at("uuid");
    gpu.name = from.value("name", "Fake GPU");
    gpu.total = from.at("total");
    gpu.reserved = from.value("reserved", std::uint64_t{0});
    gpu.used = from.value("used", std::uint64_t{0});
    gpu.temperature_c = maybe<unsigned>(from, "temperature_c");
    gpu.power_mw = maybe<unsigned>(from, "power_mw");
    for (const json& row : from.value("processes", json::array())) {
        gpu.processes.push_back(
            {row.at("pid"), maybe<std::uint64_t>(row, "used"), row.value("graphics", false)});
    }
    return gpu;
}

}  // namespace

int Script::code_of(const std::string& function) const {
    if (const auto own = codes.find(function); own != codes.end()) return own->second;
    const auto all = codes.find("*");
    return all == codes.end() ? 0 : all->second;
}

Script read_script() {
    try {
        std::ifstream file(script_path());
        const json from = json::parse(file);
        Script script;
        script.driver = from.value("driver", script.driver);
        script.generation = from.value("generation", script.generation);
        script.codes = from.value("codes", script.codes);
        script.blocked = from.value("blocked", script.blocked);
        for (const json& gpu : from.at("gpus")) script.gpus.push_back(read_gpu(gpu));
        return script;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "fake NVML: %s cannot be read: %s\n", script_path().c_str(), error.what());
        std::abort();
    }
}

void note(const std::string& what) {
    using namespace std::chrono;
    const auto at = duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
    std::FILE* log = std::fopen((script_path() + ".log").c_str(), "ae");
    if (log == nullptr) return;  // the test's folder is gone: nobody reads it any more
    std::fprintf(log, "%lld %s\n", static_cast<long long>(at), what.c_str());
    std::fclose(log);
}

}  // namespace nightshift::fake_nvml
