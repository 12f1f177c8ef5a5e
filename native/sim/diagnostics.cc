#include "diagnostics.h"

#include <cstdio>

#include "settings.h"

namespace cudasim {
namespace {

constexpr size_t kMaxPrinted = 100, kMaxKept = 1000;

}  // namespace

void LaunchReport::add(uint64_t key, Fault fault, const std::string& where,
                       const std::string& text) {
  std::lock_guard lock(mutex_);
  const bool is_fatal = fault != Fault::kLaunchFailed;
  if (fault_ == Fault::kNone && (is_fatal || !settings().count_only)) fault_ = fault;
  if (!seen_.insert(key).second || reported_ >= settings().max_reports) return;
  ++reported_;
  DiagnosticLog::instance().add(kernel_ + " " + where + ": " + text);
}

void LaunchReport::block_aborted() {
  std::lock_guard lock(mutex_);
  if (fault_ == Fault::kNone) fault_ = Fault::kLaunchFailed;
  stop();
}

DiagnosticLog& DiagnosticLog::instance() {
  static DiagnosticLog& log = *new DiagnosticLog;
  return log;
}

void DiagnosticLog::add(std::string text) {
  std::lock_guard lock(mutex_);
  ++count_;
  if (count_ <= kMaxPrinted) {
    std::fprintf(stderr, "cuda_sim: %s\n", text.c_str());
  } else if (count_ == kMaxPrinted + 1) {
    std::fprintf(stderr, "cuda_sim: further diagnostics are counted but not printed\n");
  }
  if (texts_.size() < kMaxKept) texts_.push_back(std::move(text));
}

size_t DiagnosticLog::count() const {
  std::lock_guard lock(mutex_);
  return count_;
}

const char* DiagnosticLog::text(size_t index) const {
  std::lock_guard lock(mutex_);
  return index < texts_.size() ? texts_[index].c_str() : nullptr;
}

std::string DiagnosticLog::last() const {
  std::lock_guard lock(mutex_);
  return texts_.empty() ? std::string() : texts_.back();
}

void DiagnosticLog::clear() {
  std::lock_guard lock(mutex_);
  count_ = 0;
  texts_.clear();
}

}  // namespace cudasim
