#include "thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <map>
#include <string>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace framepack {
namespace {

constexpr auto kSpinLimit = std::chrono::microseconds(20);

void relax() {
#if defined(__x86_64__)
  _mm_pause();
#else
  std::this_thread::yield();
#endif
}

// Returns the first value of `word` that `is_ready` accepts.
template <typename Predicate>
uint32_t wait_until(const std::atomic<uint32_t>& word, Predicate is_ready) {
  uint32_t value = word.load();
  const auto deadline = std::chrono::steady_clock::now() + kSpinLimit;
  for (int turn = 1; !is_ready(value); ++turn) {
    relax();
    value = word.load();
    if (turn % 32 == 0 && std::chrono::steady_clock::now() > deadline) break;
  }
  while (!is_ready(value)) {
    word.wait(value);
    value = word.load();
  }
  return value;
}

// The hardware threads that the CPU affinity mask allows, by physical core. Empty: unknown.
std::vector<cpu_set_t> allowed_cores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return {};
  std::map<std::string, size_t> core_of;  // by the list of siblings, e.g. "0,32"
  std::vector<cpu_set_t> cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    std::ifstream file("/sys/devices/system/cpu/cpu" + std::to_string(cpu) +
                       "/topology/thread_siblings_list");
    std::string siblings;
    if (!std::getline(file, siblings)) siblings = "cpu" + std::to_string(cpu);
    const auto [entry, is_new] = core_of.try_emplace(siblings, cores.size());
    if (is_new) CPU_ZERO(&cores.emplace_back());
    CPU_SET(cpu, &cores[entry->second]);
  }
  return cores;
}

int core_count() {
  const size_t cores = allowed_cores().size();
  return cores > 0 ? static_cast<int>(cores)
                   : static_cast<int>(std::thread::hardware_concurrency());
}

// Control group v2: "<quota> <period>" in microseconds, or "max <period>".
double quota_of_file(const std::string& path) {
  std::ifstream file(path);
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) {
    return std::numeric_limits<double>::infinity();
  }
  return std::strtod(quota.c_str(), nullptr) / period;
}

// Version 1 keeps the two numbers in two files; a quota of -1 means none.
double quota_of_version1() {
  std::ifstream quota_file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  std::ifstream period_file("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  double quota = 0, period = 0;
  if (!(quota_file >> quota) || !(period_file >> period) || quota <= 0 || period <= 0) {
    return std::numeric_limits<double>::infinity();
  }
  return quota / period;
}

// The tightest quota on the way from the group of this process to the root.
double control_group_quota() {
  double quota = std::min(quota_of_version1(), quota_of_file("/sys/fs/cgroup/cpu.max"));
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    if (line.rfind("0::", 0) != 0) continue;
    std::string group = line.substr(3);
    while (group.size() > 1) {
      quota = std::min(quota, quota_of_file("/sys/fs/cgroup" + group + "/cpu.max"));
      group.resize(group.find_last_of('/'));
    }
  }
  return quota;
}

}  // namespace

int ThreadPool::default_size() {
  const double quota = std::ceil(control_group_quota());
  const int cores = std::max(core_count(), 1);
  return quota >= cores ? cores : std::max(static_cast<int>(quota), 1);
}

ThreadPool::ThreadPool(int threads) {
  const int extra = std::max(threads, 1) - 1;
  if (extra > 0) cores_ = allowed_cores();
  if (cores_.size() != static_cast<size_t>(extra) + 1) cores_.clear();
  workers_.reserve(static_cast<size_t>(extra));
  try {
    for (int worker = 1; worker <= extra; ++worker) {
      workers_.emplace_back([this, worker] { worker_loop(worker); });
    }
  } catch (...) {
    // The system is out of threads: those that started are the pool.
  }
}

ThreadPool::~ThreadPool() {
  is_ending_.store(true);
  generation_.fetch_add(1);
  generation_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::parallel_for(int64_t tasks, FunctionRef<void(int64_t, int)> body) {
  if (tasks <= 0) return;
  job_.body = &body;
  job_.tasks = tasks;
  job_.next.store(0, std::memory_order_relaxed);
  job_.has_failed.store(false, std::memory_order_relaxed);
  job_.failure = nullptr;
  const bool is_shared = tasks > 1 && !workers_.empty();
  if (is_shared) {
    is_open_.store(true);
    generation_.fetch_add(1);
    generation_.notify_all();
  }
  run_tasks(0);
  if (is_shared) join_job();
  if (job_.failure) std::rethrow_exception(job_.failure);
}

// A worker first counts itself in and then looks whether the job is open; the caller first closes
// the job and then looks at the count. Both are sequentially consistent, so either the worker sees
// the closed job or the caller sees the worker.
void ThreadPool::join_job() {
  is_open_.store(false);
  wait_until(participants_, [](uint32_t count) { return count == 0; });
}

void ThreadPool::run_tasks(int worker) {
  for (;;) {
    const int64_t task = job_.next.fetch_add(1, std::memory_order_relaxed);
    if (task >= job_.tasks) return;
    if (is_cancelled_.load(std::memory_order_relaxed)) return;
    if (job_.has_failed.load(std::memory_order_relaxed)) return;
    try {
      (*job_.body)(task, worker);
    } catch (...) {
      if (!job_.has_failed.exchange(true)) job_.failure = std::current_exception();
    }
  }
}

// Where the system refuses, threads run where it puts them.
void ThreadPool::pin(int worker) {
  if (cores_.empty()) return;
  sched_setaffinity(0, sizeof(cpu_set_t), &cores_[static_cast<size_t>(worker)]);
}

void ThreadPool::worker_loop(int worker) {
  pin(worker);
  uint32_t seen = 0;
  for (;;) {
    seen = wait_until(generation_, [seen](uint32_t value) { return value != seen; });
    if (is_ending_.load()) return;
    participants_.fetch_add(1);
    if (is_open_.load()) run_tasks(worker);
    if (participants_.fetch_sub(1) == 1) participants_.notify_one();
  }
}

}  // namespace framepack
