#include <algorithm>
#include <system_error>

#include <nlohmann/json.hpp>

#include "jobs/fpcb/bundle_tree.h"
#include "jobs/fpcb/dataset.h"
#include "jobs/fpcb/python_text.h"
#include "jobs/fpcb/text_bundle.h"
#include "jobs/kinds.h"
#include "jobs/runtime/durable_file.h"
#include "jobs/runtime/phase.h"
#include "jobs/runtime/spread.h"

namespace nightshift::jobs {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kSequencesPerStep = 16;  ///< between two looks at a stop
constexpr std::uintmax_t kBytesPerFrame = 4'500, kBytesPerPoint = 20;

/// A sequence as one table: frame,index,x,y of every point that is there, in pixels.
std::string sequence_csv(const Sequence& s) {
    std::string out = "frame,index,x,y\n";
    const auto pixels = [&](std::int16_t value) {
        return s.info.units_per_pixel == 1 ? std::to_string(value)
                                           : python_repr(value / double(s.info.units_per_pixel));
    };
    for (int f = 0; f < s.info.frames; ++f) {
        for (int p = 0; p < s.info.points; ++p) {
            if (!s.is_present(f, p)) continue;
            out += std::to_string(s.frame_number[static_cast<std::size_t>(f)]) + "," +
                   std::to_string(s.point_index[static_cast<std::size_t>(p)]) + "," +
                   pixels(s.x[s.at(f, p)]) + "," + pixels(s.y[s.at(f, p)]) + "\n";
        }
    }
    return out;
}

class ExportJob final : public JobImpl {
  public:
    explicit ExportJob(json params) : params_(std::move(params)), is_csv_(params_.at("format") == "csv") {}

    void run(JobContext& context) override {
        const auto dataset = open_dataset(context.input(params_.at("dataset").get<std::string>(), "dataset"));
        const fs::path folder = context.output() / "bundles";
        fs::create_directories(folder);
        judge(*dataset, folder);
        for (std::size_t first = 0; first < dataset->size(); first += kSequencesPerStep) {
            const std::size_t last = std::min(first + kSequencesPerStep, dataset->size());
            spread(last - first, std::max(1, context.threads()),
                   [&](std::size_t i) { write(folder, dataset->read(first + i)); });
            const Progress progress = step_of("export", last, dataset->size());
            context.progress(progress);
            context.check(progress.step, {});
        }
        context.artifact("bundles/", is_csv_ ? "file" : "dataset");
        context.log("exported " + std::to_string(dataset->size()) + " sequences");
    }

  private:
    /// Everything that can be refused is refused before the first file is written.
    void judge(const Dataset& dataset, const fs::path& folder) const {
        std::uintmax_t needed = 0;
        for (std::size_t i = 0; i < dataset.size(); ++i) {
            const SequenceInfo& info = dataset.info(i);
            if (!is_bundle_name(info.name)) {
                throw JobError("bad_sequence", "sequence name '" + info.name +
                                                   "' is no relative path of plain names, so it cannot be a "
                                                   "folder; import the data again under another name");
            }
            if (!is_csv_ && info.units_per_pixel != 1) {
                throw JobError("bad_sequence",
                               info.name +
                                   ": text bundles hold whole pixels and the data set has parts of them; "
                                   "use format=csv, or generate with resolution=pixel");
            }
            const auto frames = static_cast<std::uintmax_t>(info.frames);
            needed += frames * (is_csv_ ? 0 : kBytesPerFrame) +
                      frames * static_cast<std::uintmax_t>(info.points) * (is_csv_ ? kBytesPerPoint : 0);
        }
        std::error_code error;
        const auto space = fs::space(folder, error);
        if (!error && space.available < needed) {
            throw JobError("disk_full", "the export needs about " + std::to_string(needed >> 20) +
                                            " MiB, the disk of " + folder.string() + " has " +
                                            std::to_string(space.available >> 20) + " MiB; make room");
        }
    }

    void write(const fs::path& folder, const Sequence& sequence) const {
        if (!is_csv_) {
            write_bundle(folder / sequence.info.name, sequence);
            return;
        }
        const fs::path file = folder / (sequence.info.name + ".csv");
        fs::create_directories(file.parent_path());
        write_durably(file, sequence_csv(sequence));
    }

    json params_;
    bool is_csv_;
};

nlohmann::ordered_json schema() {
    nlohmann::ordered_json properties;
    properties["dataset"] = {{"type", "string"},
                             {"x-artifact", "dataset"},
                             {"description", "Folder of a data set, or job:ID"},
                             {"x-ko", "데이터셋 폴더 또는 job:ID"}};
    properties["format"] = {{"type", "string"},
                            {"enum", {"bundles", "csv"}},
                            {"default", "bundles"},
                            {"description",
                             "bundles: a folder of text files per sequence, imported ones byte "
                             "for byte; csv: a table of frame, index, x, y per sequence"},
                            {"x-ko", "bundles: 시퀀스별 텍스트 묶음, csv: 시퀀스별 표"}};
    return {{"type", "object"}, {"properties", properties}, {"required", {"dataset"}}};
}

}  // namespace

Kind export_kind() {
    Kind kind;
    kind.name = "export";
    kind.job_class = JobClass::kSynthesis;
    kind.summary_en = "Writes a data set as text files";
    kind.summary_ko = "데이터셋을 텍스트 파일로 내보냅니다";
    kind.ram = mebibytes(256);
    kind.checkpoint = CheckpointMode::kNone;
    kind.schema = schema;
    kind.artifacts = {
        {"bundles/",
         "text bundles: a folder a sequence, frame_NNNNN.txt with index,x,y in px, fps.txt, metadata.json",
         "텍스트 묶음: 시퀀스마다 폴더 하나, frame_NNNNN.txt(index,x,y, px), fps.txt, metadata.json"}};
    kind.make = [](const json& params) { return std::make_unique<ExportJob>(params); };
    return kind;
}

}  // namespace nightshift::jobs
