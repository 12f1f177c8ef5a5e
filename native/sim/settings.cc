#include "settings.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

namespace cudasim {
namespace {

Settings& storage() {
  static Settings& current = *new Settings;
  return current;
}

const char* variable(const char* name) {
  const char* value = std::getenv(name);
  return value && *value ? value : nullptr;
}

template <typename T>
void read_number(const char* name, T& out) {
  if (const char* value = variable(name)) out = static_cast<T>(std::strtoull(value, nullptr, 0));
}

bool read_flag(const char* name) {
  const char* value = variable(name);
  return value && std::strcmp(value, "0") != 0;
}

void read_schedule(Settings& out) {
  const char* value = variable("CUDA_SIM_SCHEDULE");
  if (!value) return;
  if (std::strcmp(value, "descending") == 0) {
    out.schedule = Schedule::kDescending;
  } else if (std::strncmp(value, "random", 6) == 0) {
    out.schedule = Schedule::kRandom;
    if (value[6] == ':') out.seed = std::strtoull(value + 7, nullptr, 0);
  } else if (std::strcmp(value, "ascending") != 0) {
    std::fprintf(
        stderr,
        "cuda_sim: CUDA_SIM_SCHEDULE expected ascending, descending or random[:seed], got %s\n",
        value);
  }
}

}  // namespace

const Settings& settings() { return storage(); }

void reload_settings() {
  Settings fresh;
  fresh.check = read_flag("CUDA_SIM_CHECK");
  const char* reaction = variable("CUDA_SIM_ON_DIAGNOSTIC");
  fresh.count_only = reaction && std::strcmp(reaction, "count") == 0;
  read_schedule(fresh);
  fresh.threads = std::clamp(std::thread::hardware_concurrency(), 1u, 16u);
  read_number("CUDA_SIM_THREADS", fresh.threads);
  fresh.threads = std::clamp(fresh.threads, 1u, 64u);
  read_number("CUDA_SIM_MEMORY_LIMIT", fresh.memory_limit);
  read_number("CUDA_SIM_SHARED_LIMIT", fresh.shared_limit);
  fresh.shared_limit = std::min(fresh.shared_limit, 256u * 1024);
  read_number("CUDA_SIM_MAX_REPORTS", fresh.max_reports);
  read_number("CUDA_SIM_MULTIPROCESSORS", fresh.multiprocessors);
  read_number("CUDA_SIM_STEP_LIMIT", fresh.step_limit);
  if (const char* value = variable("CUDA_SIM_CAPABILITY")) {
    std::sscanf(value, "%d.%d", &fresh.capability_major, &fresh.capability_minor);
  }
  if (const char* value = variable("CUDA_SIM_PROFILE")) fresh.profile = value;
  storage() = fresh;
}

}  // namespace cudasim
