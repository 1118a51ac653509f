#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "scheduler/wire.h"

using namespace nightshift;
using namespace nightshift::wire;

namespace {

constexpr const char* kBoot = "b-1";

struct WorkerLine {
    FromWorker message;
    std::string line;
};

std::vector<WorkerLine> worker_lines() {
    Hello hello;
    hello.attempt = {JobId{7}, 2};
    hello.token = "abc";
    hello.worker = {kBoot, 10, 20};
    hello.command = ProcessIdentity{kBoot, 11, 21};
    hello.is_started = true;
    hello.build = "0.1.0";
    Progress progress{"train", 3, 40, Millis{1500}, {{"loss", 0.25}}};
    Checkpoint checkpoint{JobId{7}, 2, "jobs/7/2/checkpoint/000001-step-3", 3, Bytes{99}, "ff", UnixMs{1000}};
    Done done;
    done.exit_code = 3;
    done.error_code = "exit_code";
    done.message = "끝";
    return {
        {hello, R"({"type":"hello","protocol":1,"job":7,"attempt":2,"token":"abc",)"
                R"("worker":{"boot_id":"b-1","pid":10,"start_ticks":20},"is_started":true,)"
                R"("command":{"boot_id":"b-1","pid":11,"start_ticks":21},"build":"0.1.0"})"},
        {Started{ProcessIdentity{kBoot, 11, 21}, EnforcementGrade::kWatchdog, seconds(5)},
         R"({"type":"started","grade":"watchdog",)"
         R"("command":{"boot_id":"b-1","pid":11,"start_ticks":21},)"
         R"("ran_ms":5000})"},
        {Started{}, R"({"type":"started","grade":"none"})"},
        {ProgressReport{progress}, R"({"type":"progress","phase":"train","step":3,"steps":40,)"
                                   R"("eta_ms":1500,"metrics":[["loss",0.25]]})"},
        {ProgressReport{}, R"({"type":"progress","phase":"","step":0,"steps":0})"},
        {MemoryReport{Bytes{5}, Bytes{6}}, R"({"type":"memory","used":5,"peak":6})"},
        {CheckpointCommitted{checkpoint},
         R"({"type":"checkpoint","checkpoint":{"job":7,"attempt":2,)"
         R"("path":"jobs/7/2/checkpoint/000001-step-3",)"
         R"("step":3,"bytes":99,"sha256":"ff","committed_at_ms":1000}})"},
        {CheckpointRefused{"jobs/7/1/checkpoint/000001-step-3", "file a is missing"},
         R"({"type":"checkpoint_refused","path":"jobs/7/1/checkpoint/000001-step-3",)"
         R"("reason":"file a is missing"})"},
        {done, R"({"type":"done","exit_code":3,"error_code":"exit_code","message":"끝"})"},
        {Done{std::nullopt, 9, "", "", true, {}}, R"({"type":"done","signal":9,"cached":true})"},
        {Done{0, {}, "", "", false, Millis{1500}}, R"({"type":"done","exit_code":0,"ran_ms":1500})"},
        {Pong{8}, R"({"type":"pong","n":8})"},
    };
}

struct DaemonLine {
    FromDaemon message;
    std::string line;
};

std::vector<DaemonLine> daemon_lines() {
    Start start;
    start.attempt = {JobId{7}, 2};
    start.kind = "command";
    start.params_json = R"({"a":"b"})";
    start.command = {"sh", "-c", "echo \"x\"\n"};
    start.cwd = "/tmp";
    start.env = {{"NAME", "value"}};
    start.checkpoint = CheckpointMode::kSignal;
    start.folder = "/data/jobs/7/2";
    start.resume_folder = "/data/jobs/7/1/checkpoint/000001-step-3";
    start.cache_folder = "/data/checkpoints/cache";
    start.inputs = {{JobId{5}, "/data/jobs/5/1"}};
    start.vram = mebibytes(1);
    start.device = "GPU-1";
    start.is_simulated = true;
    start.threads = 4;
    start.log_max = mebibytes(1);
    start.processes_max = 64;
    return {
        {start, R"({"type":"start","job":7,"attempt":2,"kind":"command","params":"{\"a\":\"b\"}",)"
                R"("command":["sh","-c","echo \"x\"\n"],"cwd":"/tmp","env":[["NAME","value"]],)"
                R"("checkpoint":"signal","folder":"/data/jobs/7/2",)"
                R"("resume_folder":"/data/jobs/7/1/checkpoint/000001-step-3",)"
                R"("cache_folder":"/data/checkpoints/cache","inputs":[{"job":5,"folder":"/data/jobs/5/1"}],)"
                R"("vram":1048576,"device":"GPU-1","is_simulated":true,"threads":4,)"
                R"("log_max":1048576,"processes_max":64})"},
        {Welcome{}, R"({"type":"welcome"})"},
        {YieldRequest{Millis{60000}, "inference"},
         R"({"type":"yield","grace_ms":60000,"reason":"inference"})"},
        {CancelRequest{Millis{10}, "user"}, R"({"type":"cancel","grace_ms":10,"reason":"user"})"},
        {Ping{3}, R"({"type":"ping","n":3})"},
        {Refuse{"stale"}, R"({"type":"refuse","reason":"stale"})"},
        {Bye{}, R"({"type":"bye"})"},
    };
}

}  // namespace

TEST_CASE("wire: the lines of a worker are these, and read back as they were") {
    for (const WorkerLine& it : worker_lines()) {
        CHECK(encode(it.message) == it.line);
        const auto decoded = decode_from_worker(it.line);
        REQUIRE_MESSAGE(decoded.has_value(), it.line);
        REQUIRE(decoded->has_value());
        CHECK((*decoded)->index() == it.message.index());
        CHECK(encode(**decoded) == it.line);
    }
}

TEST_CASE("wire: the lines of a daemon are these, and read back as they were") {
    for (const DaemonLine& it : daemon_lines()) {
        CHECK(encode(it.message) == it.line);
        const auto decoded = decode_from_daemon(it.line);
        REQUIRE_MESSAGE(decoded.has_value(), it.line);
        REQUIRE(decoded->has_value());
        CHECK((*decoded)->index() == it.message.index());
        CHECK(encode(**decoded) == it.line);
    }
}

TEST_CASE("wire: types and fields of a later version are passed over") {
    CHECK_FALSE(decode_from_worker(R"({"type":"telemetry","x":1})")->has_value());
    CHECK_FALSE(decode_from_daemon(R"({"type":"pause"})")->has_value());
    CHECK(decode_from_worker(R"({"type":"pong","n":1,"later":[1,2]})")->has_value());
    CHECK_FALSE(decode_from_daemon(R"({"type":"hello","n":1})")->has_value());
}

TEST_CASE("wire: a bad line says what is wrong with it") {
    for (const auto& [line, words] : std::vector<std::pair<std::string, std::string>>{
             {"", "not JSON"},
             {"{", "not JSON"},
             {"\xff\xfe", "not JSON"},
             {"[]", "not an object"},
             {"{}", "'type' is missing"},
             {R"({"type":7})", "'type' is not a string"},
             {R"({"type":"pong"})", "pong: field 'n' is missing"},
             {R"({"type":"pong","n":"1"})", "'n' is not an integer"},
             {R"({"type":"pong","n":1.5})", "'n' is not an integer"},
             {R"({"type":"pong","n":18446744073709551615})", "'n' is too large"},
             {R"({"type":"done","exit_code":99999999999})", "'exit_code' is too large"},
             {R"({"type":"started","grade":"iron"})", "'grade' has no meaning"},
             {R"({"type":"hello","protocol":1,"job":1,"attempt":1,"token":"t"})", "'worker' is missing"},
             {R"({"type":"hello","protocol":1,"job":1,"attempt":1,"token":"t",)"
              R"("worker":{"pid":0,"start_ticks":1}})",
              "hello.worker: field 'pid' is not a process id"},
             {R"({"type":"progress","step":1,"metrics":[["a"]]})", "not [name, number]"},
             {R"({"type":"progress","step":1,"metrics":{"a":1}})", "'metrics' is not a list"},
             {R"({"type":"checkpoint"})", "'checkpoint' is missing"},
             {R"({"type":"checkpoint","checkpoint":{"job":1}})",
              "checkpoint.checkpoint: field 'attempt' is missing"},
         }) {
        const auto decoded = decode_from_worker(line);
        REQUIRE_MESSAGE(!decoded.has_value(), line);
        CHECK(decoded.error().code == ErrorCode::kCorrupt);
        CHECK_MESSAGE(decoded.error().message.find(words) != std::string::npos, decoded.error().message);
    }
    CHECK_FALSE(decode_from_daemon(R"({"type":"start","job":1,"attempt":1,"kind":"x","params":"{}",)"
                                   R"("checkpoint":"often","folder":"/"})")
                    .has_value());
    CHECK_FALSE(decode_from_daemon(R"({"type":"start","job":1,"attempt":1,"kind":"x","params":"{}",)"
                                   R"("checkpoint":"none","folder":"/","command":"ls -l"})")
                    .has_value());
    CHECK_FALSE(decode_from_daemon(R"({"type":"yield","reason":"no grace"})").has_value());
}

TEST_CASE("wire: a line above the limit is refused unread, an encoded one never is") {
    const std::string padding(kWireLineBytesMax, ' ');
    CHECK_FALSE(decode_from_worker(R"({"type":"pong","n":1})" + padding).has_value());
    CHECK(decode_from_daemon(R"({"type":"ping","n":1})" + padding)->has_value());

    Done done;
    done.message = std::string(1'000'000, '\x01');  // six bytes each when escaped
    done.error_code = std::string(1'000'000, 'x');
    CHECK(encode(done).size() < kWireLineBytesMax);
    CHECK(decode_from_worker(encode(done))->has_value());

    ProgressReport report;
    report.progress.phase = std::string(100'000, '"');
    for (int i = 0; i < 1000; ++i) report.progress.metrics.emplace_back(std::string(10'000, '\x02'), 1.0);
    const std::string line = encode(report);
    CHECK(line.size() < kWireLineBytesMax);
    CHECK(std::get<ProgressReport>(**decode_from_worker(line)).progress.metrics.size() == kWireMetricsMax);
}

TEST_CASE("wire: strings that are not UTF-8 are repaired, long ones are cut between characters") {
    Done done;
    done.message = "broken \xff\xc3 end";
    const auto read = decode_from_worker(encode(done));
    REQUIRE(read.has_value());
    CHECK(std::get<Done>(**read).message == "broken \xef\xbf\xbd\xef\xbf\xbd end");

    done.message.clear();
    for (std::size_t i = 0; i < kWireTextBytesMax; ++i) done.message += "야";
    const std::string kept = std::get<Done>(**decode_from_worker(encode(done))).message;
    CHECK(kept.size() == kWireTextBytesMax / 3 * 3);
    CHECK(kept.find("\xef\xbf\xbd") == std::string::npos);
}

TEST_CASE("wire: numbers that JSON does not have travel as null and come back as NaN") {
    ProgressReport report;
    report.progress.metrics = {{"loss", std::numeric_limits<double>::quiet_NaN()},
                               {"norm", std::numeric_limits<double>::infinity()}};
    const auto read = decode_from_worker(encode(report));
    REQUIRE(read.has_value());
    const auto metrics = std::get<ProgressReport>(**read).progress.metrics;
    REQUIRE(metrics.size() == 2);
    CHECK(std::isnan(metrics[0].second));
    CHECK(std::isnan(metrics[1].second));
}

TEST_CASE("wire: result.json reads back, and refuses what was cut or comes from elsewhere") {
    ResultFile result;
    result.attempt = {JobId{7}, 2};
    result.done.exit_code = 85;
    result.checkpoint = Checkpoint{JobId{7}, 2, "p", 3, Bytes{99}, "ff", UnixMs{1000}};
    result.artifacts = {{"dataset", "dataset", Bytes{10}, "aa"}, {"보고서.html", "report", Bytes{0}, ""}};
    result.peak_vram = gibibytes(3);
    result.started_at = {5};
    result.ended_at = {6};
    const std::string text = encode(result);
    const auto read = decode_result_file(text);
    REQUIRE(read.has_value());
    CHECK(encode(*read) == text);
    CHECK(read->artifacts[1].name == "보고서.html");
    CHECK(read->checkpoint->step == 3);

    CHECK_FALSE(decode_result_file(text.substr(0, text.size() / 2)).has_value());
    CHECK_FALSE(decode_result_file("").has_value());
    std::string other = text;
    other.replace(other.find("\"protocol\": 1"), 13, "\"protocol\": 2");
    REQUIRE_FALSE(decode_result_file(other).has_value());
    CHECK(decode_result_file(other).error().message.find("another protocol") != std::string::npos);
}
