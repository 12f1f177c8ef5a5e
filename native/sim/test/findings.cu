#include <cassert>
#include <cstdint>

// Each kernel has one mistake, named by the kernel. `x` holds 128 floats.

__device__ inline uint32_t shared_address(const void* p) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(p));
}
__device__ inline void copy_16(void* to, const void* from) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(shared_address(to)), "l"(from)
               : "memory");
}
__device__ inline void commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
__device__ inline void wait_all() { asm volatile("cp.async.wait_all;" ::: "memory"); }

extern "C" __global__ void reads_out_of_bounds(float* x) { x[0] = x[97 + threadIdx.x]; }
extern "C" __global__ void writes_out_of_bounds(float* x) {
  x[static_cast<int>(threadIdx.x) - 1] = 1.0f;
}
extern "C" __global__ void reads_misaligned(float* x) {
  const float4 v = *reinterpret_cast<const float4*>(x + 1);
  x[threadIdx.x] = v.x + v.y * v.z - v.w;
}
extern "C" __global__ void misses_a_barrier(float* x) {
  __shared__ float s[128];
  s[threadIdx.x] = x[threadIdx.x];
  x[threadIdx.x] = s[threadIdx.x ^ 64];
}
extern "C" __global__ void misses_a_warp_barrier(float* x) {
  __shared__ float s[128];
  s[threadIdx.x] = x[threadIdx.x];
  x[threadIdx.x] = s[threadIdx.x ^ 1];
}
extern "C" __global__ void reuses_a_buffer_too_early(float* x) {
  __shared__ float s[128];
  s[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  const float v = s[threadIdx.x ^ 64];
  s[threadIdx.x] = v;
  __syncthreads();
  x[threadIdx.x] = s[threadIdx.x];
}
extern "C" __global__ void two_threads_write_one_word(float* x) {
  __shared__ float s[64];
  s[threadIdx.x / 2] = 1.0f;
  __syncthreads();
  x[threadIdx.x] = s[threadIdx.x / 2];
}
extern "C" __global__ void reads_uninitialised_shared(float* x) {
  __shared__ float s[128];
  if (threadIdx.x < 64) s[threadIdx.x] = 1.0f;
  __syncthreads();
  x[threadIdx.x] = s[threadIdx.x];
}
extern "C" __global__ void overruns_shared(float* x) {
  extern __shared__ float s[];
  s[threadIdx.x] = 1.0f;
  __syncthreads();
  x[threadIdx.x] = s[threadIdx.x];
}
extern "C" __global__ void misses_a_copy_wait(float* x) {
  __shared__ __align__(16) float s[128];
  if (threadIdx.x < 32) copy_16(s + 4 * threadIdx.x, x + 4 * threadIdx.x);
  commit();
  __syncthreads();
  const float v = s[threadIdx.x];
  wait_all();
  x[threadIdx.x] = v;
}
extern "C" __global__ void misses_a_barrier_after_copy(float* x) {
  __shared__ __align__(16) float s[128];
  if (threadIdx.x < 32) copy_16(s + 4 * threadIdx.x, x + 4 * threadIdx.x);
  wait_all();
  const float v = s[127 - threadIdx.x];
  __syncthreads();
  x[threadIdx.x] = v;
}
extern "C" __global__ void copies_into_a_buffer_in_use(float* x) {
  __shared__ __align__(16) float s[128];
  s[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  const float v = s[127 - threadIdx.x];
  if (threadIdx.x < 32) copy_16(s + 4 * threadIdx.x, x + 4 * threadIdx.x);
  wait_all();
  __syncthreads();
  x[threadIdx.x] = v + s[threadIdx.x];
}
extern "C" __global__ void exits_with_a_copy_in_flight(float* x) {
  __shared__ __align__(16) float s[128];
  if (threadIdx.x < 32) copy_16(s + 4 * threadIdx.x, x + 4 * threadIdx.x);
  commit();
}
extern "C" __global__ void barrier_in_a_branch(float* x) {
  if (threadIdx.x & 1) __syncthreads();
  x[threadIdx.x] = 1.0f;
}
extern "C" __global__ void pairs_two_barriers(float* x) {
  if (threadIdx.x < 64) {
    __syncthreads();
    x[threadIdx.x] = 2.0f;
  } else {
    x[threadIdx.x] = 1.0f;
    __syncthreads();
  }
}
extern "C" __global__ void waits_for_ever(float* x) {
  if (threadIdx.x < 32) asm volatile("bar.sync 1, 64;" ::: "memory");
  x[threadIdx.x] = 1.0f;
}
extern "C" __global__ void shuffles_without_partner(float* x) {
  float v = x[threadIdx.x];
  if (threadIdx.x % 32 < 16) v += __shfl_xor_sync(0xffffffffu, v, 1);
  x[threadIdx.x] = v;
}
extern "C" __global__ void shuffles_outside_its_mask(float* x) {
  x[threadIdx.x] =
      __shfl_xor_sync(threadIdx.x % 32 < 16 ? 0xffffu : 0xffff0000u, x[threadIdx.x], 16);
}
extern "C" __global__ void races_across_blocks(float* x) { x[threadIdx.x] += 1.0f; }
extern "C" __global__ void mixes_atomic_and_plain(float* x) {
  if (blockIdx.x == 0) {
    atomicAdd(x, 1.0f);
  } else if (threadIdx.x == 0) {
    x[0] = 3.0f;
  }
}
extern "C" __global__ void reads_uninitialised_global(float* x) {
  x[threadIdx.x] = x[threadIdx.x] + 1.0f;
}
extern "C" __global__ void asserts(float* x) { assert(x[0] > 1e9f); }
extern "C" __global__ void never_ends(float* x) {
  while (atomicAdd(x, 0.0f) < 1e30f) {
  }
}
// No mistake at all.
extern "C" __global__ void clean(float* x) {
  __shared__ float s[128];
  s[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  x[threadIdx.x] = s[127 - threadIdx.x];
}
