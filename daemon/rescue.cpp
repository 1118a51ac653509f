#include "daemon/rescue.h"

#include <spdlog/spdlog.h>

#include <boost/asio/steady_timer.hpp>
#include <cstdio>

#include "api/http_server.h"
#include "daemon/credentials.h"
#include "daemon/instance_file.h"
#include "daemon/instance_lock.h"
#include "daemon/log_sink.h"
#include "daemon/paths.h"
#include "daemon/rescue_commands.h"
#include "daemon/shell.h"
#include "daemon/storage_keeper.h"
#include "daemon/system_clock.h"
#include "daemon/time_zones.h"
#include "daemon/version.h"
#include "daemon/worker/identity.h"
#include "db/salvage.h"

namespace nightshift::daemon {

namespace {

constexpr const char* kDatabase = "nightshift.db";
constexpr const char* kInstanceFile = "instance.json";
constexpr const char* kState = "rescue";
constexpr auto kDrainStep = std::chrono::milliseconds(20);
constexpr int kDrainSteps = 50;

class Rescue {
  public:
    Rescue(const Config& config, const Error& damage)
        : config_(config), damage_(damage), started_at_(clock_.now()) {}

    Status open();
    void run();

  private:
    Status open_door();
    api::ServerStatus status() const;
    void stop();
    void drain(int steps_left);

    const Config& config_;
    Error damage_;
    SystemClock clock_;
    UnixMs started_at_;
    SystemTimeZones zones_;
    boost::asio::io_context io_{1};
    std::unique_ptr<InstanceLock> lock_;
    std::unique_ptr<db::Queries> queries_;
    std::unique_ptr<StorageKeeper> storage_;
    std::unique_ptr<RescueCommands> commands_;
    std::unique_ptr<api::HttpServer> server_;
    std::unique_ptr<Shell> shell_;
    boost::asio::steady_timer timer_{io_};
    bool is_stopping_ = false;
};

Status Rescue::open() {
    NIGHTSHIFT_TRY(enter_data_folder(config_.data_folder));
    auto taken = InstanceLock::take("nightshiftd.lock");
    if (!taken) return taken.error();
    lock_ = std::move(*taken);
    open_log(config_.log_level);
    auto tokens = load_or_make_credentials(config_.data_folder);
    if (!tokens) return tokens.error();
    auto queries = db::open_salvage(kDatabase, std::move(*tokens));
    if (!queries) return queries.error();
    queries_ = std::move(*queries);
    storage_ = std::make_unique<StorageKeeper>(io_, clock_, kDatabase, "backup");
    commands_ = std::make_unique<RescueCommands>(RescueCommands::Parts{
        zones_, clock_, *storage_, damage_.message, [this] { return status(); }, [this] { stop(); }});
    shell_ = make_shell(io_, [this] { stop(); });
    return open_door();
}

Status Rescue::open_door() {
    api::ServerOptions options;
    options.address = config_.address;
    options.port = config_.port;
    options.socket_path = config_.socket_path;
    options.web_root = config_.web_root;
    options.storage_state = kState;
    auto started = api::HttpServer::start(io_, options, *commands_, *queries_);
    if (!started) return started.error();
    server_ = std::move(*started);
    InstanceFile instance;
    instance.process = own_identity();
    instance.port = server_->port();
    instance.address = config_.address;
    instance.socket = config_.socket_path;
    instance.version = kVersion;
    return write_instance_file(kInstanceFile, instance);
}

void Rescue::run() {
    shell_->notify("READY=1\nSTATUS=rescue mode: the database is damaged, reading only");
    spdlog::critical("rescue port={} damage=\"{}\"", server_->port(), damage_.message);
    io_.run();
    server_.reset();
    forget_file(kInstanceFile);
    spdlog::info("stopped");
}

api::ServerStatus Rescue::status() const {
    api::ServerStatus status;
    status.version = kVersion;
    status.boot_id = boot_id();
    status.data_folder = config_.data_folder;
    status.pid = own_identity().pid;
    status.started_at = started_at_;
    status.is_ready = false;
    status.not_ready_reason = "rescue mode: " + damage_.message;
    status.storage = kState;
    status.storage_text = damage_.message +
                          " Only reading works. Stop the daemon and restore a backup: "
                          "`nightshift backup ls`, `nightshift restore FILE`.";
    if (server_) status.connections = server_->connections();
    return status;
}

void Rescue::stop() {
    if (is_stopping_) return;
    is_stopping_ = true;
    shell_->notify("STOPPING=1");
    server_->stop();
    drain(kDrainSteps);
}

void Rescue::drain(int steps_left) {
    if (server_->connections() == 0 || steps_left == 0) return io_.stop();
    timer_.expires_after(kDrainStep);
    timer_.async_wait([this, steps_left](const boost::system::error_code& error) {
        if (!error) drain(steps_left - 1);
    });
}

}  // namespace

int run_rescue(const Config& config, const Error& damage) {
    Rescue rescue(config, damage);
    if (Status opened = rescue.open(); !opened) {
        std::fprintf(stderr, "nightshiftd: %s %s\n", opened.error().message.c_str(),
                     opened.error().hint.c_str());
        return exit_code_of(opened.error());
    }
    rescue.run();
    return kExitOk;
}

}  // namespace nightshift::daemon
