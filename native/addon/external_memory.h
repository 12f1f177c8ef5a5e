// What the garbage collector is told of the memory behind handles, in one environment.
#pragma once
#include <napi.h>

#include <cstdint>

namespace framepack::addon {

// Only new highs are told: the collector answers every large amount by marking the heap for some
// milliseconds, and buffers that come and go are no reason to. Forgotten handles add up to a new
// high in the end, are collected, and make room below it.
class ExternalMemory {
 public:
  void add(Napi::Env env, size_t bytes) {
    held_ += static_cast<int64_t>(bytes);
    if (held_ - told_ < kStepBytes) return;
    Napi::MemoryManagement::AdjustExternalMemory(env, held_ - told_);
    told_ = held_;
  }
  void remove(size_t bytes) { held_ -= static_cast<int64_t>(bytes); }

 private:
  static constexpr int64_t kStepBytes = int64_t{16} << 20;

  int64_t held_ = 0, told_ = 0;
};

}  // namespace framepack::addon
