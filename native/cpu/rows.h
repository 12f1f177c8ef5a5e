// Rows of any float type as f32, and fixed partitions of work. Partitions depend on the shape only,
// so results do not depend on the number of threads.
#pragma once
#include <algorithm>

#include "cpu_context.h"
#include "isa/vector_table.h"

namespace framepack::cpu {

// Elements that make a task worth handing to another thread.
constexpr long long kGrain = 16384;

constexpr long long ceil_div(long long a, long long b) { return (a + b - 1) / b; }

inline const void* element(const void* data, DType dtype, long long index) {
  return static_cast<const char*>(data) + index * size_of(dtype);
}
inline void* element(void* data, DType dtype, long long index) {
  return static_cast<char*>(data) + index * size_of(dtype);
}

constexpr bool is_float(DType dtype) { return dtype != DType::kI32 && dtype != DType::kU8; }

// Elements [index, index + count) as f32: the memory itself if it is f32, else widened into room.
inline const float* as_f32(const isa::VectorTable& vector, const void* data, DType dtype,
                           long long index, long long count, float* room) {
  const void* first = element(data, dtype, index);
  if (dtype == DType::kF32) return static_cast<const float*>(first);
  vector.widen(first, dtype, room, count);
  return room;
}

// Where f32 results for out[index ...] go before finish_row(): out itself if it is f32, else room.
inline float* f32_target(void* out, DType dtype, long long index, float* room) {
  return dtype == DType::kF32 ? static_cast<float*>(out) + index : room;
}
inline void finish_row(const isa::VectorTable& vector, const float* target, void* out, DType dtype,
                       long long index, long long count) {
  if (dtype != DType::kF32) vector.narrow(target, element(out, dtype, index), dtype, count);
}

// Calls body(begin, end, worker) for consecutive ranges of grain items (the last may be shorter) of
// [0, total).
template <class Body>
void parallel_ranges(ThreadPool& pool, long long total, long long grain, Body body) {
  pool.parallel_for(ceil_div(total, grain), [&](int64_t task, int worker) {
    const long long begin = task * grain;
    body(begin, std::min(begin + grain, total), worker);
  });
}

}  // namespace framepack::cpu
