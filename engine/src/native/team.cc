#include "team.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <exception>
#include <system_error>
#include <thread>
#include <utility>

// Why not OpenMP, which libtorch uses: its threads divide a loop evenly and then wait for each other by spinning. Once
// another program takes one of the cores, each wait costs a time slice of that program. Here the work is divided into
// pieces, and any free thread takes the next one. A helper that lost its core in the middle of a piece is left out for
// a while, and the others go on without it. The result of a piece does not depend on the thread.

namespace sparring {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;
using std::chrono::milliseconds;

// How long a helper spins for the next piece before it sleeps: longer than the gaps between two operations of a step,
// and ten times as long as the kernel takes to wake it.
constexpr auto LOOKOUT = microseconds(300);
// How long the leader waits for the helpers' pieces, beyond the time that its own pieces took, before it calls them
// late.
constexpr auto PATIENCE = microseconds(200);
// How long a late helper is left out: twice as long each time, unless it was on time in between. A core that was only
// taken for a moment is missed no longer than that.
constexpr auto FIRST_REST = milliseconds(1);
constexpr auto LONGEST_REST = milliseconds(500);

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

struct alignas(64) Helper {
  // 1 while it sleeps or is about to sleep.
  std::atomic<uint32_t> asleep{0};
  // While resting it takes no pieces.
  std::atomic<bool> rests{false};
  // Whether it is working on a piece.
  std::atomic<bool> busy{false};
  // Used by the leader only.
  Clock::time_point rests_until{}, back_since{};
  Clock::duration rest = FIRST_REST;
};

// Whether the work that this thread does is marked.
thread_local bool marked = false;

class Team {
 public:
  explicit Team(int threads) {
    for (int i = 1; i < threads; i++) helpers_.emplace_back();
  }

  // If a thread fails to start, the others keep waiting, so the team must not be moved or freed.
  void start() {
    for (auto& helper : helpers_) std::thread([this, &helper] { help(helper); }).detach();
  }

  int size() const { return static_cast<int>(helpers_.size()) + 1; }

  void share(int64_t pieces, c10::function_ref<void(int64_t)> work) {
    const auto start = Clock::now();
    work_.store(&work, std::memory_order_relaxed);
    marked_.store(marked, std::memory_order_relaxed);
    done_.store(0, std::memory_order_relaxed);
    generation_++;
    job_.store(pack(generation_, pieces));
    for (auto& helper : helpers_) call(helper, start);
    int64_t own = 0;
    while (take(nullptr)) own++;
    if (done_.load(std::memory_order_acquire) < pieces) wait_for(pieces, start, own);
    if (failed_.exchange(false)) std::rethrow_exception(std::exchange(error_, nullptr));
  }

 private:
  // A job in one word, so that a thread takes a piece of the job that it has seen or of none: the job's number in the
  // upper half, the number of pieces left in the lower.
  static uint64_t pack(uint32_t generation, int64_t left) { return uint64_t{generation} << 32 | uint64_t(left); }
  static int64_t left(uint64_t job) { return static_cast<uint32_t>(job); }

  // Takes a piece and runs it; false if none is left.
  bool take(Helper* helper) {
    uint64_t job = job_.load(std::memory_order_acquire);
    for (;;) {
      if (left(job) == 0 || (helper && helper->rests.load(std::memory_order_relaxed))) return false;
      const auto* work = work_.load(std::memory_order_relaxed);
      const bool mark = marked_.load(std::memory_order_relaxed);
      if (helper) helper->busy.store(true, std::memory_order_relaxed);
      if (job_.compare_exchange_weak(job, job - 1, std::memory_order_acq_rel, std::memory_order_acquire)) {
        marked = mark;
        attempt(*work, left(job) - 1);
        if (helper) helper->busy.store(false, std::memory_order_relaxed);
        done_.fetch_add(1);
        if (leader_sleeps_.load()) done_.notify_one();
        return true;
      }
      if (helper) helper->busy.store(false, std::memory_order_relaxed);
    }
  }

  void attempt(const c10::function_ref<void(int64_t)>& work, int64_t index) {
    try {
      work(index);
    } catch (...) {
      if (!failed_.exchange(true)) error_ = std::current_exception();
    }
  }

  // Wakes a helper for new work, unless it is to rest.
  void call(Helper& helper, Clock::time_point now) {
    if (helper.rests.load(std::memory_order_relaxed)) {
      if (now < helper.rests_until) return;
      helper.rests.store(false);
      helper.back_since = now;
    }
    if (helper.asleep.load() == 1) {
      helper.asleep.store(0);
      helper.asleep.notify_one();
    }
  }

  // Waits for the pieces that helpers are working on.
  void wait_for(int64_t pieces, Clock::time_point start, int64_t own) {
    const auto now = Clock::now();
    const auto deadline = now + PATIENCE + (own > 0 ? (now - start) / own : now - start);
    while (done_.load(std::memory_order_acquire) < pieces) {
      relax();
      if (Clock::now() < deadline) continue;
      for (auto& helper : helpers_)
        if (helper.busy.load(std::memory_order_relaxed)) send_to_rest(helper);
      leader_sleeps_.store(true);
      for (int64_t done; (done = done_.load()) < pieces;) done_.wait(done);
      leader_sleeps_.store(false);
    }
  }

  void send_to_rest(Helper& helper) {
    const auto now = Clock::now();
    const bool again = now - helper.back_since < 4 * helper.rest;
    helper.rest = again ? std::min<Clock::duration>(2 * helper.rest, LONGEST_REST) : FIRST_REST;
    helper.rests_until = now + helper.rest;
    helper.rests.store(true);
  }

  void help(Helper& helper) {
    // libtorch's own threads would only get in the way of the team's.
    at::set_num_threads(1);
    at::globalContext().setFlushDenormal(true);
    c10::NoGradGuard no_grad;
    for (;;) {
      const auto idle_since = Clock::now();
      while (!take(&helper)) {
        relax();
        if (!helper.rests.load(std::memory_order_relaxed) && Clock::now() - idle_since < LOOKOUT) continue;
        helper.asleep.store(1);
        // The leader would not wake it for work that came before it could see the 1.
        if (left(job_.load()) > 0 && !helper.rests.load()) {
          helper.asleep.store(0);
          break;
        }
        helper.asleep.wait(1);
        break;
      }
    }
  }

  std::deque<Helper> helpers_;
  alignas(64) std::atomic<uint64_t> job_{0};
  std::atomic<const c10::function_ref<void(int64_t)>*> work_{nullptr};
  std::atomic<bool> marked_{false};
  alignas(64) std::atomic<int64_t> done_{0};
  std::atomic<bool> leader_sleeps_{false};
  uint32_t generation_ = 0;
  std::atomic<bool> failed_{false};
  std::exception_ptr error_;
};

// Never destroyed: its threads run until the process ends.
Team* team = nullptr;

// Whether this thread has no part in the team.
thread_local bool alone = false;

}  // namespace

void form_team(int threads) {
  at::set_num_threads(1);
  if (threads < 2 || team) return;
  auto* const formed = new Team(threads);
  try {
    formed->start();
  } catch (const std::system_error& error) {
    TORCH_CHECK(false, "cannot start ", threads, " threads (", error.what(), "): use fewer, with --threads");
  }
  team = formed;
}

bool has_mark() { return marked; }

bool set_mark(bool mark) { return std::exchange(marked, mark); }

int team_size() { return team ? team->size() : 1; }

void work_alone() {
  at::set_num_threads(1);
  at::globalContext().setFlushDenormal(true);
  alone = true;
}

void share(int64_t pieces, c10::function_ref<void(int64_t)> work) {
  if (team && !alone && pieces > 1) return team->share(pieces, work);
  for (int64_t i = 0; i < pieces; i++) work(i);
}

Range piece(int64_t length, int64_t pieces, int64_t index) {
  const int64_t blocks = (length + 15) / 16;
  const int64_t start = std::min(length, blocks * index / pieces * 16);
  const int64_t end = index + 1 == pieces ? length : std::min(length, blocks * (index + 1) / pieces * 16);
  return {start, end - start};
}

int64_t pieces_of(int64_t length) { return std::clamp<int64_t>(length / 64, 1, team_size()); }

}  // namespace sparring
