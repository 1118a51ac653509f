#include "jobs/runtime/output_readme.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include "jobs/runtime/durable_file.h"

namespace nightshift::jobs {
namespace {

constexpr const char* kFile = "README.txt";
constexpr std::size_t kGap = 2;

class DocumentedJob final : public JobImpl {
  public:
    DocumentedJob(std::unique_ptr<JobImpl> job, std::string readme)
        : job_(std::move(job)), readme_(std::move(readme)) {}

    void run(JobContext& context) override {
        job_->run(context);
        const std::filesystem::path file = context.output() / kFile;
        std::error_code error;
        if (std::filesystem::exists(file, error)) return;
        write_durably(file, readme_);
        context.artifact(kFile, "file");
    }

  private:
    std::unique_ptr<JobImpl> job_;
    std::string readme_;
};

}  // namespace

std::string output_readme(const Kind& kind, const nlohmann::json& params) {
    std::string text = kind.name + ": " + kind.summary_en + "\n" + kind.summary_ko + "\n\n";
    std::size_t width = 0;
    for (const ArtifactNote& each : kind.artifacts) width = std::max(width, each.name.size());
    const std::string indent(width + kGap, ' ');
    for (const ArtifactNote& each : kind.artifacts) {
        text += each.name + std::string(width + kGap - each.name.size(), ' ') + each.en + "\n";
        text += indent + each.ko + "\n";
    }
    text +=
        "\nA file's SHA-256 lies beside it where there is one: sha256sum -c NAME.sha256\n"
        "NAME.sha256가 있으면 위 명령으로 파일이 온전한지 확인할 수 있습니다.\n"
        "\nParameters / 매개변수:\n";
    return text + params.dump(1) + "\n";
}

std::unique_ptr<JobImpl> make_documented_job(const Kind& kind, const nlohmann::json& params) {
    std::unique_ptr<JobImpl> job = kind.make(params);
    if (kind.artifacts.empty()) return job;
    return std::make_unique<DocumentedJob>(std::move(job), output_readme(kind, params));
}

}  // namespace nightshift::jobs
