#include "thread_pool.h"

#include <algorithm>
#include <chrono>

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

}  // namespace

ThreadPool::ThreadPool(int threads) {
  const int extra = std::max(threads, 1) - 1;
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

void ThreadPool::worker_loop(int worker) {
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
