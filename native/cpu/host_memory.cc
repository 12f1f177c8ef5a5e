#include "host_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>

namespace framepack::cpu {
namespace {

constexpr size_t kAlignment = 64;  // a cache line, and the widest vector
// Looking costs tens of microseconds: nothing beside the page faults of a block of this size.
constexpr size_t kLargeBytes = size_t{64} << 20;
constexpr size_t kHugePage = size_t{2} << 20;
// Smaller blocks would waste too much of their last page.
constexpr size_t kHugeBytes = 4 * kHugePage;

// The number after `key` in a file of lines "key number ..."; `otherwise` when there is none.
size_t find_number(const std::string& path, const std::string& key, size_t otherwise) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.compare(0, key.size(), key) != 0) continue;
    return std::strtoull(line.c_str() + key.size(), nullptr, 10);
  }
  return otherwise;
}

// A file that holds one number; "max" and a missing file mean no limit.
size_t read_limit(const std::string& path) {
  std::ifstream file(path);
  size_t value = 0;
  return file >> value ? value : SIZE_MAX;
}

// What a group leaves. Its page cache counts as used but is given up under pressure.
size_t left_of(size_t limit, size_t used, size_t cache) {
  if (limit == SIZE_MAX || used == SIZE_MAX) return SIZE_MAX;
  const size_t kept = used - std::min(used, cache);
  return limit - std::min(limit, kept);
}

size_t left_of_control_groups() {
  const std::string version1 = "/sys/fs/cgroup/memory";
  size_t left = left_of(read_limit(version1 + "/memory.limit_in_bytes"),
                        read_limit(version1 + "/memory.usage_in_bytes"),
                        find_number(version1 + "/memory.stat", "total_inactive_file ", 0));
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    if (line.rfind("0::/", 0) != 0) continue;
    for (std::string group = line.substr(3);; group.resize(group.find_last_of('/'))) {
      const std::string folder = "/sys/fs/cgroup" + group;
      left = std::min(
          left, left_of(read_limit(folder + "/memory.max"), read_limit(folder + "/memory.current"),
                        find_number(folder + "/memory.stat", "inactive_file ", 0)));
      if (group.empty()) break;
    }
  }
  return left;
}

}  // namespace

size_t available_bytes() {
  const size_t kibibytes = find_number("/proc/meminfo", "MemAvailable:", SIZE_MAX / 1024);
  return std::min(kibibytes * 1024, left_of_control_groups());
}

void* allocate_pages(size_t bytes) {
  const size_t alignment = bytes < kHugeBytes ? kAlignment : kHugePage;
  const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* data = std::aligned_alloc(alignment, rounded);
  // Only a wish: systems without huge pages refuse it.
  if (data != nullptr && alignment == kHugePage) madvise(data, rounded, MADV_HUGEPAGE);
  return data;
}

void* HostMemory::allocate(size_t bytes) {
  if (bytes >= kLargeBytes && bytes > available_bytes()) return nullptr;
  return allocate_pages(bytes);
}

// The closure owns the block: it is freed when the task has run and when the queue is thrown away.
void HostMemory::release(void* block) {
  stream_.enqueue("release", [owner = std::shared_ptr<void>(block, std::free)] {});
}

}  // namespace framepack::cpu
