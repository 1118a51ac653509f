#include "jobs/models/model_folder.h"

#include <bit>
#include <cstring>
#include <fstream>
#include <numeric>

#include <nlohmann/json.hpp>

#include "jobs/runtime/durable_file.h"
#include "jobs/runtime/job_impl.h"
#include "jobs/runtime/sha256.h"

namespace nightshift::jobs {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "tensors are written as they lie in memory");

constexpr std::string_view kFormat = "nightshift-model";
/// A model.json beyond this is no model.json.
constexpr std::uintmax_t kDescriptionBytesMax = 16u << 20;

std::string_view bytes_of(const Tensor& tensor) {
    return std::visit(
        [](const auto& values) {
            return std::string_view(reinterpret_cast<const char*>(values.data()),
                                    values.size() * sizeof values[0]);
        },
        tensor.values);
}

std::string read_bytes(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in)
        throw JobError("bad_model", file.string() + " cannot be read; copy the model again or train again");
    return {std::istreambuf_iterator<char>(in), {}};
}

template <typename T>
Tensor::Values values_of(const std::string& bytes) {
    std::vector<T> values(bytes.size() / sizeof(T));
    std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
    return values;
}

Tensor read_tensor(const fs::path& folder, const json& row) {
    Tensor tensor;
    row.at("name").get_to(tensor.name);
    row.at("shape").get_to(tensor.shape);
    const fs::path name = row.at("file").get<std::string>();
    if (name.has_parent_path())
        throw JobError("bad_model",
                       folder.string() + ": tensor file '" + name.string() + "' leaves the folder");
    const std::string bytes = read_bytes(folder / name);
    const auto recorded = row.at("sha256").get<std::string>();
    const std::string found = sha256_of(bytes);
    if (found != recorded) {
        throw JobError("hash_mismatch", (folder / name).string() + " has SHA-256 " + found +
                                            ", model.json records " + recorded +
                                            "; copy the model again or train again");
    }
    tensor.values = row.at("dtype") == "<f8" ? values_of<double>(bytes) : values_of<float>(bytes);
    const auto count =
        std::accumulate(tensor.shape.begin(), tensor.shape.end(), std::int64_t{1}, std::multiplies<>());
    if (static_cast<std::size_t>(count) != tensor.size()) {
        throw JobError("bad_model", (folder / name).string() + ": shape and size differ; train again");
    }
    return tensor;
}

std::string what_is_there(const fs::path& folder) {
    std::error_code error;
    if (!fs::exists(folder, error)) return "it does not exist";
    if (!fs::is_directory(folder, error)) return "it is a file";
    std::string names;
    int count = 0;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
        if (++count <= 4) names += (names.empty() ? "" : ", ") + entry.path().filename().string();
    }
    return count == 0 ? "it is empty" : "it has " + names + (count > 4 ? ", ..." : "");
}

}  // namespace

std::size_t Tensor::size() const {
    return std::visit([](const auto& v) { return v.size(); }, values);
}

const Tensor& Model::tensor(std::string_view name) const {
    for (const Tensor& each : tensors) {
        if (each.name == name) return each;
    }
    throw JobError("bad_model", "the model has no tensor '" + std::string(name) + "'; train again");
}

void write_model(const Model& model, const fs::path& folder) {
    fs::create_directories(folder);
    json list = json::array();
    for (const Tensor& tensor : model.tensors) {
        const std::string_view bytes = bytes_of(tensor);
        const std::string name = tensor.name + ".bin";
        write_durably(folder / name, bytes);
        list.push_back({{"name", tensor.name},
                        {"dtype", std::holds_alternative<std::vector<double>>(tensor.values) ? "<f8" : "<f4"},
                        {"shape", tensor.shape},
                        {"file", name},
                        {"sha256", sha256_of(bytes)}});
    }
    const json description{
        {"format", kFormat},
        {"version", kModelFormatVersion},
        {"kind", model.kind},
        {"features", model.features},
        {"feature_set", model.feature_set},
        {"normalizer", model.normalizer ? to_json(*model.normalizer) : json(nullptr)},
        {"threshold", model.threshold},
        {"threshold_rule", model.threshold_rule},
        {"settings", json::parse(model.settings_json)},
        {"training", json::parse(model.training_json)},
        {"tensors", list},
    };
    write_durably(folder / "model.json", description.dump(1) + "\n");
}

Model read_model(const fs::path& folder) {
    const fs::path file = folder / "model.json";
    std::error_code error;
    const std::uintmax_t size = fs::file_size(file, error);
    if (error) {
        throw JobError("not_a_model", folder.string() + " has no model.json (" + what_is_there(folder) +
                                          "); give the model/ folder of a training job, or job:ID");
    }
    if (size > kDescriptionBytesMax)
        throw JobError("bad_model", file.string() + " is too large to be a model.json");
    try {
        const json description = json::parse(read_bytes(file));
        if (description.at("format") != kFormat)
            throw JobError("not_a_model", file.string() + " is not a nightshift model");
        if (description.at("version").get<int>() > kModelFormatVersion) {
            throw JobError("bad_model", file.string() + " comes from a newer nightshift; update this one");
        }
        Model model;
        description.at("kind").get_to(model.kind);
        description.at("features").get_to(model.features);
        description.at("feature_set").get_to(model.feature_set);
        if (!description.at("normalizer").is_null()) {
            model.normalizer = normalizer_from_json(description.at("normalizer"), file.string());
        }
        description.at("threshold").get_to(model.threshold);
        description.at("threshold_rule").get_to(model.threshold_rule);
        model.settings_json = description.at("settings").dump();
        model.training_json = description.at("training").dump();
        for (const json& row : description.at("tensors")) model.tensors.push_back(read_tensor(folder, row));
        if (model.normalizer && model.normalizer->columns() != model.features.size()) {
            throw JobError("bad_model",
                           file.string() + ": normalizer and features differ in number; train again");
        }
        return model;
    } catch (const json::exception& problem) {
        throw JobError("bad_model", file.string() + " cannot be read (" + problem.what() + "); train again");
    }
}

}  // namespace nightshift::jobs
