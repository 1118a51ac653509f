#include "daemon/daemon.h"

#include <spdlog/spdlog.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdio>

#include "api/http_server.h"
#include "api/policy_codec.h"
#include "daemon/ballast.h"
#include "daemon/credentials.h"
#include "daemon/descriptor_limit.h"
#include "daemon/engine.h"
#include "daemon/instance_file.h"
#include "daemon/instance_lock.h"
#include "daemon/kinds_table.h"
#include "daemon/log_sink.h"
#include "daemon/paths.h"
#include "daemon/recovery.h"
#include "daemon/rescue.h"
#include "daemon/shell.h"
#include "daemon/storage_keeper.h"
#include "daemon/system_clock.h"
#include "daemon/time_zones.h"
#include "daemon/upkeep.h"
#include "daemon/version.h"
#include "daemon/watched_queries.h"
#include "daemon/worker/identity.h"
#include "scheduler/crash_point.h"

namespace nightshift::daemon {

namespace {

constexpr const char* kDatabase = "nightshift.db";
constexpr const char* kInstanceFile = "instance.json";
constexpr const char* kPolicyFile = "policy.json";
constexpr const char* kBackupFolder = "backup";
constexpr const char* kBallastFile = "ballast";
constexpr std::size_t kPolicyFileMax = 1 << 20;
/// Answers under way at the stop have this long to reach their clients.
constexpr auto kDrainStep = std::chrono::milliseconds(20);
constexpr int kDrainSteps = 50;

}  // namespace

/// Declared in the order they are built; destroyed in reverse.
struct Daemon::Parts {
    const Config& config;
    SystemClock clock;
    SystemTimeZones zones;
    boost::asio::io_context io{1};
    SystemAlarms alarms{io};
    std::unique_ptr<Processes> processes = make_system_processes(io);
    UnixMs started_at;
    std::unique_ptr<InstanceLock> lock;
    std::unique_ptr<db::Store> store;
    std::unique_ptr<db::Queries> queries;
    std::vector<api::KindInfo> kinds;
    std::string not_ready_reason;
    Ballast ballast{kBallastFile};
    std::unique_ptr<StorageKeeper> storage;
    std::unique_ptr<Projector> projector;
    std::unique_ptr<Engine> engine;
    std::unique_ptr<Upkeep> upkeep;
    std::unique_ptr<api::HttpServer> server;
    std::unique_ptr<Shell> shell;
    std::unique_ptr<boost::asio::steady_timer> drain;
    bool is_ready = false;
    bool is_stopping = false;
    std::optional<Error> damage;  ///< found while running: the database cannot be trusted any more

    explicit Parts(const Config& c) : config(c), started_at(clock.now()) {}

    Status open_data();
    Status load_credentials();
    Status make_engine();
    std::unique_ptr<GpuProbe> make_probe(GpuProbe::Claimed claimed);
    Status load_policy();
    Status open_door();
    api::ServerStatus status() const;
    void request_stop();
    void stop_now();
    void drain_answers(int steps_left);
    void write_policy_file();
    /// Ends the loop: the database cannot be trusted, only reading goes on.
    void leave_damaged(const Error& error);
};

Status Daemon::Parts::open_data() {
    NIGHTSHIFT_TRY(enter_data_folder(config.data_folder));
    auto taken = InstanceLock::take("nightshiftd.lock");
    if (!taken) return taken.error();
    lock = std::move(*taken);
    crash_point("start.locked");
    open_log(config.log_level);
    auto opened = db::Store::open(kDatabase, std::string("nightshiftd ") + kVersion);
    if (!opened) return opened.error();
    store = std::move(*opened);
    auto reader = db::open_queries(kDatabase);
    if (!reader) return reader.error();
    crash_point("start.database_open");
    queries = watch(std::move(*reader), [this](const Error& error) { leave_damaged(error); });
    return load_credentials();
}

Status Daemon::Parts::load_credentials() {
    const auto tokens = load_or_make_credentials(config.data_folder);
    if (!tokens) return tokens.error();
    NIGHTSHIFT_TRY(store->begin());
    for (const db::StoredToken& token : *tokens) NIGHTSHIFT_TRY(store->put_token(token));
    NIGHTSHIFT_TRY(store->commit());
    crash_point("start.credentials_stored");
    return {};
}

std::unique_ptr<GpuProbe> Daemon::Parts::make_probe(GpuProbe::Claimed claimed) {
    if (config.simulate) return make_fake_probe(*config.simulate, clock, std::move(claimed));
    if (auto probe = make_nvml_probe(io, clock)) return probe;
    return make_host_probe(clock, std::move(claimed));
}

Status Daemon::Parts::make_engine() {
    storage = std::make_unique<StorageKeeper>(io, clock, kDatabase, kBackupFolder);
    projector = std::make_unique<Projector>(io, kDatabase);
    Workplace workplace;
    workplace.data_folder = config.data_folder;
    workplace.worker_path = config.worker_path;
    workplace.command_path = config.command_path;
    workplace.descriptors_max = raise_descriptor_limit();
    workplace.processes = processes.get();
    workplace.memory = machine_memory();
    workplace.cores = machine_cores();
    engine = std::make_unique<Engine>(
        Machine{io, clock, alarms, zones, *store, ballast, kinds, *storage, *projector, std::move(workplace),
                [this](GpuProbe::Claimed claimed) { return make_probe(std::move(claimed)); },
                [this] { return status(); }, [this] { request_stop(); }, [this] { write_policy_file(); },
                [this] { return zones.refresh(); }});
    upkeep = std::make_unique<Upkeep>(
        engine->loop(), *storage, [this] { return engine->dispatcher().policy(); }, config.data_folder);
    for (const Device& device : engine->devices().devices()) {
        spdlog::info("device uuid={} name=\"{}\" total={}", device.uuid, device.name, device.total.value);
    }
    crash_point("start.devices_made");
    return make_folders(engine->crew().workplace().cache_folder());
}

Status Daemon::Parts::load_policy() {
    std::optional<std::string> given;
    if (!config.policy_file.empty()) {
        auto read = read_file(config.policy_file, kPolicyFileMax);
        if (!read) {
            return Error{ErrorCode::kInvalidArgument, "bad_policy", "--policy: " + read.error().message, "",
                         ""};
        }
        given = std::move(*read);
    }
    if (Status loaded = engine->load_policy(given); !loaded) {
        Error error = loaded.error();
        if (error.code != ErrorCode::kInvalidArgument) return error;
        error.message = config.policy_file + ": " + error.message;
        return error;
    }
    crash_point("start.policy_loaded");
    return {};
}

void Daemon::Parts::write_policy_file() {
    const Status written =
        write_file_durably(kPolicyFile, api::policy_to_json(engine->dispatcher().policy()) + "\n");
    if (!written) spdlog::warn("policy_file_not_written error=\"{}\"", written.error().message);
}

Status Daemon::Parts::open_door() {
    NIGHTSHIFT_TRY(engine->crew().open());
    api::ServerOptions options;
    options.address = config.address;
    options.port = config.port;
    options.socket_path = config.socket_path;
    options.web_root = config.web_root;
    auto started = api::HttpServer::start(io, options, engine->commands(), *queries);
    if (!started) return started.error();
    server = std::move(*started);
    crash_point("http.listening");
    InstanceFile instance;
    instance.process = own_identity();
    instance.port = server->port();
    instance.address = config.address;
    instance.socket = config.socket_path;
    instance.version = kVersion;
    NIGHTSHIFT_TRY(write_instance_file(kInstanceFile, instance));
    crash_point("start.instance_written");
    return {};
}

api::ServerStatus Daemon::Parts::status() const {
    api::ServerStatus status;
    status.version = kVersion;
    status.boot_id = boot_id();
    status.data_folder = config.data_folder;
    status.worker_path = config.worker_path;
    status.pid = own_identity().pid;
    status.started_at = started_at;
    status.is_simulated = engine->devices().is_simulated();
    status.is_ready = is_ready && not_ready_reason.empty() && !is_stopping;
    status.not_ready_reason = is_stopping ? "stopping" : not_ready_reason;
    Loop& loop = engine->loop();
    if (loop.is_disk_low()) {
        status.storage = "disk_low";
        status.storage_text = "The disk is full: only ends of jobs and cancels are stored. Free some space.";
    }
    if (const auto& trouble = loop.trouble(); trouble && !loop.is_disk_low()) {
        status.storage = "failing";
        status.storage_text = trouble->message + " " + trouble->hint;
        status.is_ready = false;
        status.not_ready_reason = status.storage_text;
    }
    status.last_commit = store->last_commit_time();
    status.plan_seq = engine->dispatcher().plan_seq();
    status.commits = loop.commits();
    status.passes = engine->dispatcher().passes();
    if (server) {
        status.connections = server->connections();
        status.rejected = server->rejected();
    }
    return status;
}

void Daemon::Parts::leave_damaged(const Error& error) {
    damage = error;
    io.stop();
}

void Daemon::Parts::request_stop() {
    if (is_stopping) return;
    if (!engine->dispatcher().is_draining() || engine->crew().size() == 0) return stop_now();
    // `nightshift down`: the jobs were asked to save and leave; the deadline of each bounds the wait.
    shell->notify("STATUS=waiting for jobs to save");
    engine->crew().set_on_empty([this] { stop_now(); });
}

void Daemon::Parts::stop_now() {
    if (is_stopping) return;
    is_stopping = true;
    crash_point("down.asked");
    shell->notify("STOPPING=1");
    spdlog::info("stopping jobs_left_running={}", engine->crew().size());
    engine->loop().remove_stages();
    server->stop();
    engine->loop().flush();
    crash_point("down.flushed");
    drain = std::make_unique<boost::asio::steady_timer>(io);
    drain_answers(kDrainSteps);
}

void Daemon::Parts::drain_answers(int steps_left) {
    if (server->connections() == 0 || steps_left == 0) return io.stop();
    drain->expires_after(kDrainStep);
    drain->async_wait([this, steps_left](const boost::system::error_code& error) {
        if (!error) drain_answers(steps_left - 1);
    });
}

Daemon::Daemon(Config config) : config_(std::move(config)) {}
Daemon::~Daemon() = default;

int Daemon::run() {
    parts_ = std::make_unique<Parts>(config_);
    Parts& parts = *parts_;
    const auto refuse = [this](const Error& error) {
        if (error.reason == "database_damaged") {
            parts_.reset();
            return run_rescue(config_, error);
        }
        std::fprintf(stderr, "nightshiftd: %s %s\n", error.message.c_str(), error.hint.c_str());
        return exit_code_of(error);
    };
    if (Status opened = parts.open_data(); !opened) return refuse(opened.error());
    auto kinds = read_kinds(config_.worker_path);
    if (kinds) {
        parts.kinds = std::move(*kinds);
    } else {
        parts.not_ready_reason = kinds.error().message + " " + kinds.error().hint;
        spdlog::error("worker_missing error=\"{}\"", parts.not_ready_reason);
    }
    if (Status made = parts.make_engine(); !made) return refuse(made.error());
    if (Status loaded = parts.load_policy(); !loaded) return refuse(loaded.error());
    parts.engine->loop().set_on_damage([&parts](const Error& error) { parts.leave_damaged(error); });
    const auto recovered = recover(parts.engine->loop(), parts.engine->crew(), parts.clock.now());
    if (!recovered) return refuse(recovered.error());
    parts.shell = make_shell(parts.io, [&parts] { parts.stop_now(); });
    if (Status open = parts.open_door(); !open) return refuse(open.error());
    parts.is_ready = true;
    parts.engine->commands().sweep_imports();
    parts.upkeep->start();
    parts.engine->begin();
    parts.shell->notify("READY=1");
    crash_point("start.ready");
    spdlog::info("ready version={} port={} data=\"{}\"", kVersion, parts.server->port(), config_.data_folder);
    parts.io.run();
    parts.server.reset();
    parts.engine->crew().close();
    if (parts.damage) {
        const Error damage = *parts.damage;
        parts_.reset();
        return run_rescue(config_, damage);
    }
    parts.engine->loop().flush();
    static_cast<void>(parts.store->checkpoint_wal());
    crash_point("down.wal_moved");
    forget_file(kInstanceFile);
    crash_point("down.instance_removed");
    spdlog::info("stopped");
    return kExitOk;
}

}  // namespace nightshift::daemon
