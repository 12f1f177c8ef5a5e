#include "thread_count.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <set>
#include <string>
#include <thread>

namespace framepack {
namespace {

// Cores with several hardware threads are named by their list of siblings, e.g. "0,32".
int allowed_core_count() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
    return static_cast<int>(std::thread::hardware_concurrency());
  }
  std::set<std::string> cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    std::ifstream file("/sys/devices/system/cpu/cpu" + std::to_string(cpu) +
                       "/topology/thread_siblings_list");
    std::string siblings;
    if (!std::getline(file, siblings)) siblings = "cpu" + std::to_string(cpu);
    cores.insert(siblings);
  }
  return static_cast<int>(cores.size());
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

int default_thread_count() {
  const double quota = std::ceil(control_group_quota());
  const int cores = std::max(allowed_core_count(), 1);
  return quota >= cores ? cores : std::max(static_cast<int>(quota), 1);
}

}  // namespace framepack
