// Fork and join over a fixed set of threads, for one caller at a time.
//
// Idle threads sleep. A wait spins for at most 20 us and then sleeps too, at the fork and at the
// join: with more runnable threads than cores a spinning waiter takes the core from the thread it
// waits for. The caller takes part, and it never waits for a thread that has not started: a sleeper
// that wakes up late finds the work done.
#pragma once
#include <sched.h>

#include <atomic>
#include <cstdint>
#include <exception>
#include <thread>
#include <vector>

#include "function_ref.h"

namespace framepack {

class ThreadPool {
 public:
  // The physical cores that the CPU affinity mask allows (hardware threads of one core share its
  // multipliers and count once), capped by the CPU quota of the control group. At least 1.
  static int default_size();

  // `threads` counts the caller; values below 1 mean 1.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(workers_.size()) + 1; }

  // Runs body(task, worker) for every task in [0, tasks), worker in [0, size()); returns when all
  // are done. Tasks are handed out by one counter, so results must not depend on which worker runs
  // a task. The first exception of a task skips the tasks not yet started and is thrown here.
  void parallel_for(int64_t tasks, FunctionRef<void(int64_t task, int worker)> body);

  // Keeps the calling thread, which calls parallel_for (worker 0) or belongs to the pool, on a core of
  // its own if there are as many allowed cores as threads; otherwise does nothing. A worker that
  // wakes up is often put on the core of the thread that woke it, and waits there for milliseconds.
  void pin(int worker);

  // From any thread: tasks not yet started are skipped, now and in later calls. For tearing down
  // only.
  void cancel() { is_cancelled_.store(true, std::memory_order_relaxed); }

 private:
  struct Job {
    FunctionRef<void(int64_t, int)>* body = nullptr;
    int64_t tasks = 0;
    std::atomic<int64_t> next{0};
    std::atomic<bool> has_failed{false};
    std::exception_ptr failure;
  };

  void worker_loop(int worker);
  void run_tasks(int worker);
  void join_job();

  std::vector<cpu_set_t> cores_;  // one for each worker, or none
  std::vector<std::thread> workers_;
  Job job_;
  std::atomic<uint32_t> generation_{0};    // changes when a job opens and when the pool ends
  std::atomic<bool> is_open_{false};       // job_ may be entered
  std::atomic<uint32_t> participants_{0};  // workers that may touch job_
  std::atomic<bool> is_ending_{false};
  std::atomic<bool> is_cancelled_{false};
};

}  // namespace framepack
