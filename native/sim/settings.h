// Everything that can be configured, read from CUDA_SIM_* environment variables (table in
// README.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace cudasim {

enum class Schedule : uint8_t { kAscending, kDescending, kRandom };

struct Settings {
  bool check = false;
  bool count_only = false;  // diagnostics do not make the context fail
  Schedule schedule = Schedule::kAscending;
  uint64_t seed = 1;
  unsigned threads = 1;
  size_t memory_limit = size_t{16} << 30;
  uint32_t shared_limit = 99 * 1024;  // opt-in maximum of static + dynamic shared memory per block
  unsigned max_reports = 8;           // per launch
  int capability_major = 8, capability_minor = 6;
  int multiprocessors = 4;
  uint64_t step_limit = uint64_t{1} << 34;  // warp instructions per block before it counts as hung
  std::string profile;                      // "", "stderr" or a file name
};

const Settings& settings();

/** Reads the environment again. Only while nothing is queued. */
void reload_settings();

}  // namespace cudasim
