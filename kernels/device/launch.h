// What a plan function hands to the launcher. Plain C++: the host needs no CUDA headers.
#pragma once

namespace framepack {

// Every kernel takes exactly one parameter: the argument struct of its family, by value.
struct Launch {
  const char* kernel;  // extern "C" name in framepack.fatbin
  unsigned grid[3];    // a zero means that there is nothing to do
  unsigned block[3];
  unsigned shared_bytes;  // dynamic; above 48 KB the launcher raises the limit of the function
};

// The facts about a device that decide which kernel runs.
struct DeviceTraits {
  int sm;                       // compute capability as 10 * major + minor
  unsigned shared_block_optin;  // bytes of shared memory that one block may ask for
  unsigned shared_sm;           // bytes of shared memory of one multiprocessor
  int sm_count;
};

constexpr long long ceil_div(long long a, long long b) { return (a + b - 1) / b; }

// True when 16-byte accesses to rows of `stride` elements of `size` bytes are legal.
inline bool is_vector_aligned(const void* data, long long stride, int size) {
  return reinterpret_cast<unsigned long long>(data) % 16 == 0 && stride * size % 16 == 0;
}

}  // namespace framepack
