#include <cstdint>

constexpr unsigned kAll = 0xffffffffu;

// 16 results per lane; the test computes the same from the definitions.
extern "C" __global__ void exchange(const int* in, int* out) {
  const int lane = static_cast<int>(threadIdx.x);
  const int v = in[lane];
  int* r = out + 16 * lane;
  r[0] = __shfl_sync(kAll, v, (lane * 7) & 31);
  r[1] = __shfl_up_sync(kAll, v, 3);
  r[2] = __shfl_down_sync(kAll, v, 5, 16);
  r[3] = __shfl_xor_sync(kAll, v, 9);
  r[4] = static_cast<int>(__ballot_sync(kAll, v > 0));
  r[5] = __any_sync(kAll, v == in[3]) + 2 * __all_sync(kAll, v != 12345678) +
         4 * __all_sync(kAll, v > 0);
  r[6] = static_cast<int>(__match_any_sync(kAll, v & 3));
  r[7] = static_cast<int>(__reduce_add_sync(kAll, v));
  r[8] = __reduce_max_sync(kAll, v);
  r[9] = static_cast<int>(__reduce_xor_sync(kAll, static_cast<unsigned>(v)));
  r[10] = 0;
  if (lane & 1) {
    r[10] = static_cast<int>(__activemask());
    r[11] = __shfl_sync(0xaaaaaaaau, v, 1);
  } else {
    r[11] = __shfl_xor_sync(0x55555555u, v, 2);
  }
  int predicate = 0;
  r[12] = static_cast<int>(__match_all_sync(kAll, in[0], &predicate)) + predicate;
  // Lanes leave the loop one after another and meet again behind it.
  int steps = 0;
  for (int i = lane; i > 0; i /= 2) ++steps;
  r[13] = __reduce_add_sync(kAll, steps);
  unsigned lower;
  asm("mov.u32 %0, %%lanemask_lt;" : "=r"(lower));
  r[14] = __popc(lower);
  r[15] = __shfl_up_sync(kAll, v, 1, 8);
}

extern "C" __global__ void barriers(int* out) {
  __shared__ int values[128];
  const int i = static_cast<int>(threadIdx.x);
  out[i] = __syncthreads_count(i % 3 == 0) * 4 + (__syncthreads_and(i < 128) ? 2 : 0) +
           (__syncthreads_or(i == 200) ? 1 : 0);
  // Two pairs of warps, each with a barrier of its own.
  values[i] = i;
  if (i < 64) {
    asm volatile("bar.sync 1, 64;" ::: "memory");
  } else {
    asm volatile("bar.sync 2, 64;" ::: "memory");
  }
  out[128 + i] = values[i ^ 63];
  __syncthreads();
  // Producer warps arrive, consumer warps wait.
  if (i < 64) {
    values[i] = 1000 + i;
    asm volatile("bar.arrive 3, 128;" ::: "memory");
  } else {
    asm volatile("bar.sync 3, 128;" ::: "memory");
    out[256 + i] = values[i - 64];
  }
}

// A warp waits for a flag that another warp sets later: warps must get turns without a barrier.
extern "C" __global__ void handover(int* out) {
  __shared__ int flag;
  if (threadIdx.x == 0) flag = 0;
  __syncthreads();
  if (threadIdx.x < 32) {
    while (atomicAdd(&flag, 0) == 0) {
    }
    if (threadIdx.x == 0) out[0] = 42;
  } else if (threadIdx.x == 32) {
    atomicExch(&flag, 1);
  }
}
