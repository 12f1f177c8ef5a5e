// Findings of the checks: collected per launch, printed to stderr, kept for
// cudaSimDiagnosticText().
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <set>
#include <string>

namespace cudasim {

/** Values are CUresult codes: what the next synchronisation returns. */
enum class Fault : int {
  kNone = 0,
  kIllegalAddress = 700,
  kTimeout = 702,
  kAssert = 710,
  kMisaligned = 716,
  kLaunchFailed = 719,
};

/** Thrown to stop the block that cannot go on; the finding has been reported already. */
struct KernelAbort {};

/** The findings of one launch. Thread-safe. */
class LaunchReport {
 public:
  explicit LaunchReport(std::string kernel) : kernel_(std::move(kernel)) {}

  /**
   * Keeps the first finding per `key` and at most Settings::max_reports of them.
   * `where` names block and thread, `text` the problem with its source line.
   */
  void add(uint64_t key, Fault fault, const std::string& where, const std::string& text);

  bool should_stop() const { return stop_.load(std::memory_order_relaxed); }
  void stop() { stop_.store(true, std::memory_order_relaxed); }
  /** A block could not go on, so the launch fails even when findings only count. */
  void block_aborted();
  /** The first fault, or kNone. Findings that only count are left out when Settings::count_only. */
  Fault fault() const { return fault_; }

 private:
  std::string kernel_;
  std::mutex mutex_;
  std::set<uint64_t> seen_;
  unsigned reported_ = 0;
  Fault fault_ = Fault::kNone;
  std::atomic<bool> stop_{false};
};

/** All findings since the last reset. */
class DiagnosticLog {
 public:
  static DiagnosticLog& instance();

  void add(std::string text);
  size_t count() const;
  /** Null when `index` is out of range or the text was dropped (only the first thousand are kept).
   */
  const char* text(size_t index) const;
  std::string last() const;
  void clear();

 private:
  mutable std::mutex mutex_;
  size_t count_ = 0;
  std::deque<std::string> texts_;  // a deque: text() hands out pointers
};

}  // namespace cudasim
