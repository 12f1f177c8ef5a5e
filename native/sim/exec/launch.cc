#include "exec/launch.h"

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <numeric>
#include <thread>

#include "exec/block.h"
#include "settings.h"

namespace cudasim {
namespace {

// Threads that sleep between launches; one job at a time. Never destroyed, as a process may exit
// while a launch is running.
class WorkerPool {
 public:
  static WorkerPool& instance() {
    static WorkerPool& pool = *new WorkerPool;
    return pool;
  }

  /** Calls job(0 .. workers-1), one of them on the calling thread. */
  void run(unsigned workers, const std::function<void(unsigned)>& job) {
    std::unique_lock lock(mutex_);
    while (threads_.size() + 1 < workers) {
      const unsigned index = static_cast<unsigned>(threads_.size()) + 1;
      threads_.emplace_back([this, index] { work(index); });
    }
    job_ = &job;
    job_workers_ = workers;
    unfinished_ = workers - 1;
    ++generation_;
    wake_.notify_all();
    lock.unlock();
    job(0);
    lock.lock();
    done_.wait(lock, [this] { return unfinished_ == 0; });
    job_ = nullptr;
  }

 private:
  void work(unsigned index) {
    std::unique_lock lock(mutex_);
    uint64_t seen = 0;
    for (;;) {
      wake_.wait(lock, [&] { return job_ && generation_ != seen; });
      seen = generation_;
      if (index >= job_workers_) continue;
      const std::function<void(unsigned)>& job = *job_;
      lock.unlock();
      job(index);
      lock.lock();
      if (--unfinished_ == 0) done_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_, done_;
  std::vector<std::thread> threads_;
  const std::function<void(unsigned)>* job_ = nullptr;
  unsigned job_workers_ = 0, unfinished_ = 0;
  uint64_t generation_ = 0;
};

// The order in which blocks start; a multiplier coprime to the count makes a cheap permutation.
class BlockOrder {
 public:
  explicit BlockOrder(uint64_t count) : count_(count) {
    if (settings().schedule != Schedule::kRandom || count < 2) return;
    stride_ = (settings().seed * 2654435761u + 1) % count;
    while (std::gcd(stride_, count) != 1) stride_ = (stride_ + 1) % count;
    first_ = settings().seed % count;
  }

  uint32_t operator()(uint64_t i) const {
    if (settings().schedule == Schedule::kDescending) return static_cast<uint32_t>(count_ - 1 - i);
    return static_cast<uint32_t>((i * stride_ + first_) % count_);
  }

 private:
  uint64_t count_, stride_ = 1, first_ = 0;
};

}  // namespace

Fault run_launch(Launch launch) {
  static std::mutex one_at_a_time;
  static uint32_t launches = 0;
  static auto& blocks = *new std::vector<std::unique_ptr<Block>>;
  std::lock_guard lock(one_at_a_time);
  // Ids have 16 bits in the race shadow, which is wiped before they repeat.
  launch.id = 1 + launches++ % 0xffff;
  if (launch.id == 1 && launches > 1 && settings().check) GlobalChecker::forget_all();

  const uint64_t count = launch.grid.count();
  const unsigned workers = static_cast<unsigned>(std::min<uint64_t>(settings().threads, count));
  while (blocks.size() < workers) blocks.push_back(std::make_unique<Block>());
  std::vector<std::unique_ptr<LaunchProfile>> profiles(settings().profile.empty() ? 0 : workers);
  for (auto& profile : profiles)
    profile = std::make_unique<LaunchProfile>(launch.program->code.size());

  LaunchReport report(launch.program->name);
  const BlockOrder order(count);
  std::atomic<uint64_t> next{0};
  WorkerPool::instance().run(workers, [&](unsigned worker) {
    Block& block = *blocks[worker];
    block.prepare(launch, report, profiles.empty() ? nullptr : profiles[worker].get());
    for (uint64_t i; !report.should_stop() && (i = next++) < count;) block.run(order(i));
  });
  if (!profiles.empty()) ProfileLog::instance().add(launch.program, count, profiles);
  return report.fault();
}

}  // namespace cudasim
