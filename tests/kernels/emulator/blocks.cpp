#include "tests/kernels/emulator/blocks.h"

#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace emulator {
namespace {

constexpr std::size_t kStackBytes = std::size_t{64} << 10;

enum class State { ready, at_warp, at_block, at_grid, done };

struct Block;

/// Where a fiber or the scheduler goes on. It is started by ucontext, and left and entered again by setjmp,
/// which asks nothing of the system; the address sanitizer knows only the former.
struct Point {
    ucontext_t context{};
#if !defined(__SANITIZE_ADDRESS__)
    jmp_buf jump{};
    bool is_set = false;
#endif
};

void go(Point& from, Point& to) {
#if defined(__SANITIZE_ADDRESS__)
    ::swapcontext(&from.context, &to.context);
#else
    from.is_set = true;
    if (_setjmp(from.jump) != 0) return;
    if (to.is_set) _longjmp(to.jump, 1);
    ::setcontext(&to.context);
#endif
}

/// One thread of the grid.
struct Fiber {
    Point point;
    void* stack = nullptr;
    void* fake_stack = nullptr;  ///< the address sanitizer's
    State state = State::ready;
    unsigned mask = 0;    ///< of the warp it waits for
    unsigned parity = 0;  ///< which words its next exchange uses
    Place place{};
    Block* block = nullptr;
};

struct Block {
    std::vector<Fiber*> fibers;
    std::vector<unsigned> warps, lanes;   ///< in the order they run
    std::vector<std::uint64_t> words[2];  ///< what lanes give, by parity
    std::vector<std::byte> shared;
};

struct Scheduler {
    Point point;
    void* fake_stack = nullptr;
    const void* stack_bottom = nullptr;
    std::size_t stack_size = 0;
    Fiber* running = nullptr;
    const std::function<void()>* body = nullptr;
    std::vector<std::unique_ptr<Fiber>> spare;  ///< with stacks, for the next block
    std::mt19937_64 engine{20261128};
};

Scheduler& scheduler() {
    static Scheduler own;
    return own;
}

/// Leaves the running fiber for the scheduler.
void leave(Fiber& fiber) {
    Scheduler& own = scheduler();
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(fiber.state == State::done ? nullptr : &fiber.fake_stack, own.stack_bottom,
                                   own.stack_size);
#endif
    go(fiber.point, own.point);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(fiber.fake_stack, nullptr, nullptr);
#endif
}

void enter(Fiber& fiber) {
    Scheduler& own = scheduler();
    own.running = &fiber;
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(&own.fake_stack, fiber.stack, kStackBytes);
#endif
    go(own.point, fiber.point);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(own.fake_stack, nullptr, nullptr);
#endif
    own.running = nullptr;
}

void thread_main() {
    Scheduler& own = scheduler();
    Fiber& fiber = *own.running;
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(nullptr, &own.stack_bottom, &own.stack_size);
#endif
    (*own.body)();
    fiber.state = State::done;
    leave(fiber);
}

std::unique_ptr<Fiber> fiber_with_stack() {
    Scheduler& own = scheduler();
    if (!own.spare.empty()) {
        std::unique_ptr<Fiber> fiber = std::move(own.spare.back());
        own.spare.pop_back();
        return fiber;
    }
    auto fiber = std::make_unique<Fiber>();
    fiber->stack =
        ::mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (fiber->stack == MAP_FAILED) give_up("no memory for the stacks of threads");
    return fiber;
}

void start(Fiber& fiber, Block& block, const Place& place) {
    fiber.state = State::ready;
    fiber.parity = 0;
    fiber.fake_stack = nullptr;
    fiber.place = place;
    fiber.block = &block;
    fiber.point = {};
    ucontext_t& context = fiber.point.context;
    ::getcontext(&context);
    context.uc_stack.ss_sp = fiber.stack;
    context.uc_stack.ss_size = kStackBytes;
    context.uc_link = nullptr;
    ::makecontext(&context, thread_main, 0);
}

std::vector<unsigned> ordered(unsigned count) {
    std::vector<unsigned> order(count);
    for (unsigned i = 0; i < count; ++i) order[i] = i;
    const Order wanted = order_here();
    if (wanted == Order::backward) std::reverse(order.begin(), order.end());
    if (wanted == Order::shuffled) std::shuffle(order.begin(), order.end(), scheduler().engine);
    return order;
}

/// Threads of a warp go on when all that still run and are in the mask have come. True where any does.
bool release_warp(Block& block, std::size_t first) {
    const std::size_t last = std::min(first + kWarpLanes, block.fibers.size());
    bool any = false;
    for (std::size_t i = first; i < last; ++i) {
        if (block.fibers[i]->state != State::at_warp) continue;
        const unsigned mask = block.fibers[i]->mask;
        bool all = true;
        for (std::size_t j = first; j < last; ++j) {
            const Fiber& other = *block.fibers[j];
            if ((mask >> (j - first) & 1u) == 0 || other.state == State::done) continue;
            all = all && other.state == State::at_warp && other.mask == mask;
        }
        if (!all) continue;
        any = true;
        for (std::size_t j = first; j < last; ++j) {
            if ((mask >> (j - first) & 1u) != 0 && block.fibers[j]->state == State::at_warp)
                block.fibers[j]->state = State::ready;
        }
    }
    return any;
}

/// Runs one warp as far as it gets without the others; false where it could do nothing.
bool run_warp(Block& block, unsigned warp) {
    const std::size_t first = std::size_t{warp} * kWarpLanes;
    bool any = false;
    for (bool goes_on = true; goes_on; any = any || goes_on) {
        goes_on = false;
        for (const unsigned lane : block.lanes) {
            if (first + lane >= block.fibers.size()) continue;
            Fiber& fiber = *block.fibers[first + lane];
            if (fiber.state != State::ready) continue;
            enter(fiber);
            goes_on = true;
        }
        goes_on = release_warp(block, first) || goes_on;
    }
    return any;
}

/// Where all threads that still run wait for `what`, they go on.
bool release_all(const std::vector<Block*>& blocks, State what) {
    bool any = false;
    for (const Block* block : blocks) {
        for (const Fiber* fiber : block->fibers) {
            if (fiber->state == State::done) continue;
            if (fiber->state != what) return false;
            any = true;
        }
    }
    if (!any) return false;
    for (Block* block : blocks) {
        for (Fiber* fiber : block->fibers) {
            if (fiber->state == what) fiber->state = State::ready;
        }
    }
    return true;
}

bool is_done(const std::vector<Block*>& blocks) {
    return std::all_of(blocks.begin(), blocks.end(), [](const Block* block) {
        return std::all_of(block->fibers.begin(), block->fibers.end(),
                           [](const Fiber* fiber) { return fiber->state == State::done; });
    });
}

/// Runs one block as far as it gets without the others: a warp always ahead of the next. False where it could
/// do nothing.
bool run_alone(Block& block) {
    bool any = false;
    for (bool goes_on = true; goes_on; any = any || goes_on) {
        goes_on = false;
        for (const unsigned warp : block.warps) goes_on = run_warp(block, warp) || goes_on;
        goes_on = release_all({&block}, State::at_block) || goes_on;
    }
    return any;
}

/// Runs blocks that may wait for each other: one always runs ahead of the others as far as it can.
void run_together(const std::vector<Block*>& blocks) {
    while (!is_done(blocks)) {
        bool any = false;
        for (Block* block : blocks) any = run_alone(*block) || any;
        any = release_all(blocks, State::at_grid) || any;
        if (!any) give_up("threads wait for each other: not all of them reach a barrier");
    }
}

Fiber& running() {
    Fiber* const fiber = scheduler().running;
    if (fiber == nullptr) give_up("called outside of a kernel");
    return *fiber;
}

void wait(State what) {
    Fiber& fiber = running();
    fiber.state = what;
    leave(fiber);
}

}  // namespace

void give_up(const char* why) {
    std::fprintf(stderr, "emulated GPU: %s\n", why);
    std::abort();
}

Order order_here() {
    static const Order order = [] {
        const char* const word = std::getenv("NIGHTSHIFT_EMULATOR_ORDER");
        const std::string wanted = word == nullptr ? "forward" : word;
        if (wanted == "forward") return Order::forward;
        if (wanted == "backward") return Order::backward;
        if (wanted == "shuffled") return Order::shuffled;
        give_up("NIGHTSHIFT_EMULATOR_ORDER is forward, backward or shuffled");
    }();
    return order;
}

const Place& here() {
    return running().place;
}

void* shared_bytes() {
    return running().block->shared.data();
}

void block_barrier() {
    wait(State::at_block);
}

void grid_barrier() {
    wait(State::at_grid);
}

void exchange(unsigned mask, std::uint64_t own, std::uint64_t (&words)[kWarpLanes]) {
    Fiber& fiber = running();
    const unsigned linear = fiber.place.linear, lane = linear % kWarpLanes;
    if ((mask >> lane & 1u) == 0) give_up("a thread is not in the mask of its own warp's exchange");
    std::vector<std::uint64_t>& given = fiber.block->words[fiber.parity % 2];
    ++fiber.parity;
    given[linear] = own;
    fiber.mask = mask;
    wait(State::at_warp);
    for (unsigned i = 0; i < kWarpLanes; ++i) words[i] = given[linear - lane + i];
}

void run_grid(dim3 grid, dim3 block_size, std::size_t shared_bytes, const std::function<void()>& body,
              bool is_cooperative) {
    Scheduler& own = scheduler();
    if (own.running != nullptr) give_up("a kernel launches a kernel");
    own.body = &body;
    const unsigned threads = block_size.x * block_size.y * block_size.z, blocks = grid.x * grid.y * grid.z;
    const unsigned together = is_cooperative ? blocks : 1;
    std::vector<std::unique_ptr<Fiber>> fibers(std::size_t{threads} * together);
    for (auto& fiber : fibers) fiber = fiber_with_stack();
    const std::vector<unsigned> order = ordered(blocks);
    for (unsigned first = 0; first < blocks; first += together) {
        std::vector<Block> run(together);
        std::vector<Block*> all;
        for (unsigned b = 0; b < together; ++b) {
            const unsigned number = order[first + b];
            Block& block = run[b];
            // Shared memory has no values at first; as floats these bytes are no numbers.
            block.shared.assign(shared_bytes + 64, std::byte{0xff});
            block.warps = ordered((threads + kWarpLanes - 1) / kWarpLanes);
            block.lanes = ordered(kWarpLanes);
            for (auto& words : block.words) words.assign((threads + 31) / 32 * 32, 0);
            for (unsigned t = 0; t < threads; ++t) {
                Fiber& fiber = *fibers[std::size_t{b} * threads + t];
                start(fiber, block,
                      {{t % block_size.x, t / block_size.x % block_size.y, t / block_size.x / block_size.y},
                       {number % grid.x, number / grid.x % grid.y, number / grid.x / grid.y},
                       block_size,
                       grid,
                       t});
                block.fibers.push_back(&fiber);
            }
            all.push_back(&block);
        }
        run_together(all);
    }
    for (auto& fiber : fibers) own.spare.push_back(std::move(fiber));
    own.body = nullptr;
}

}  // namespace emulator
