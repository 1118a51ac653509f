#include "tests/product_sim/life.h"

#include "daemon/recovery.h"

namespace nightshift::tests {

namespace {

constexpr Bytes kMemory = gibibytes(64);
constexpr int kCores = 8;

}  // namespace

Life::Life(const Ground& ground)
    : ground_(ground), projector_(std::make_unique<daemon::Projector>(io_, ground.disk.database())) {}

Life::~Life() = default;

Status Life::start() {
    auto opened = db::Store::open(ground_.disk.database(), "simulation");
    if (!opened) return opened.error();
    store_ = std::move(*opened);
    daemon::Workplace workplace;
    workplace.data_folder = ground_.data_folder;
    workplace.worker_path = "worker";
    workplace.processes = &ground_.machine;
    workplace.memory = kMemory;
    workplace.cores = kCores;
    engine_ = std::make_unique<daemon::Engine>(daemon::Machine{
        io_, ground_.agenda, ground_.agenda, ground_.zones, *store_, ground_.disk, ground_.kinds, storage_,
        *projector_, std::move(workplace), ground_.make_probe, [] { return api::ServerStatus{}; },
        [this] { request_stop(); }, [] {}, [] { return std::vector<std::string>{}; }});
    NIGHTSHIFT_TRY(engine_->load_policy(std::nullopt));
    engine_->loop().set_on_damage([this](const Error& error) { damage_ = error; });
    const auto recovered = daemon::recover(engine_->loop(), engine_->crew(), ground_.agenda.now());
    if (!recovered) return recovered.error();
    ground_.machine.open_door([this](std::shared_ptr<daemon::Channel> channel, const wire::Hello& hello) {
        engine_->crew().on_hello(std::move(channel), hello);
    });
    engine_->begin();
    return {};
}

bool Life::run_one() {
    io_.restart();
    return io_.poll_one() > 0;
}

void Life::request_stop() {
    // As Daemon::Parts::request_stop: jobs that were asked to save are waited for.
    if (!engine_->dispatcher().is_draining() || engine_->crew().size() == 0) {
        wants_to_stop_ = true;
        return;
    }
    engine_->crew().set_on_empty([this] { wants_to_stop_ = true; });
}

void Life::stop() {
    engine_->loop().remove_stages();
    engine_->loop().flush();
    engine_->crew().close();
    engine_->loop().flush();
    static_cast<void>(store_->checkpoint_wal());
}

}  // namespace nightshift::tests
