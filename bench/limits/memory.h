// Streams over buffers that fit a level of the memory hierarchy.
#pragma once

#include <cstddef>
#include <memory>

namespace framepack::limits {

enum class Level { kL1, kL2, kL3, kDram };

// Bytes that one of `threads` threads walks through so that its data lives in `level` and not nearer.
size_t working_set(Level level, int threads);

// Memory of one thread, written once so that its pages exist.
class Stream {
 public:
  explicit Stream(size_t bytes);

  // Bytes each second.
  double read(double seconds) const;
  // Bytes read plus bytes written each second; half of the buffer to the other half.
  double copy(double seconds) const;

 private:
  struct Free {
    void operator()(std::byte* data) const;
  };
  size_t bytes_;
  std::unique_ptr<std::byte, Free> data_;
};

}  // namespace framepack::limits
