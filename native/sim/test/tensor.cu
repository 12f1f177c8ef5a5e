#include <cstdint>

#include "tensor.h"

// One warp multiplies one 16x16 by one 16x8 tile: A through ldmatrix, B through ldmatrix.trans.
template <bool kIsBf16>
__device__ void multiply_tile(const uint16_t* a, const uint16_t* b, const float* c, float* d) {
  __shared__ __align__(16) uint16_t tile_a[16 * 16], tile_b[16 * 8];
  const int lane = static_cast<int>(threadIdx.x);
  reinterpret_cast<uint4*>(tile_a)[lane] = reinterpret_cast<const uint4*>(a)[lane];
  if (lane < 16) reinterpret_cast<uint4*>(tile_b)[lane] = reinterpret_cast<const uint4*>(b)[lane];
  __syncwarp();
  const auto shared = [](const void* p) {
    return static_cast<uint32_t>(__cvta_generic_to_shared(p));
  };
  uint32_t fa[4], fb[2];
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(fa[0]), "=r"(fa[1]), "=r"(fa[2]), "=r"(fa[3])
               : "r"(shared(tile_a + (lane & 15) * 16 + (lane >> 4) * 8)));
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];"
               : "=r"(fb[0]), "=r"(fb[1])
               : "r"(shared(tile_b + (lane & 15) * 8)));
  const int row = lane >> 2, column = 2 * (lane & 3);
  float f[4] = {c[row * 8 + column], c[row * 8 + column + 1], c[(row + 8) * 8 + column],
                c[(row + 8) * 8 + column + 1]};
  if constexpr (kIsBf16) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, "
        "{%8,%9}, {%0,%1,%2,%3};"
        : "+f"(f[0]), "+f"(f[1]), "+f"(f[2]), "+f"(f[3])
        : "r"(fa[0]), "r"(fa[1]), "r"(fa[2]), "r"(fa[3]), "r"(fb[0]), "r"(fb[1]));
  } else {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
        "{%0,%1,%2,%3};"
        : "+f"(f[0]), "+f"(f[1]), "+f"(f[2]), "+f"(f[3])
        : "r"(fa[0]), "r"(fa[1]), "r"(fa[2]), "r"(fa[3]), "r"(fb[0]), "r"(fb[1]));
  }
  d[row * 8 + column] = f[0];
  d[row * 8 + column + 1] = f[1];
  d[(row + 8) * 8 + column] = f[2];
  d[(row + 8) * 8 + column + 1] = f[3];
}

extern "C" __global__ void multiply_bf16(const uint16_t* a, const uint16_t* b, const float* c,
                                         float* d) {
  multiply_tile<true>(a, b, c, d);
}

extern "C" __global__ void multiply_f16(const uint16_t* a, const uint16_t* b, const float* c,
                                        float* d) {
  multiply_tile<false>(a, b, c, d);
}

#define BINARY_16(name, text)                               \
  __device__ inline uint16_t name(uint16_t a, uint16_t b) { \
    uint16_t d;                                             \
    asm(text " %0, %1, %2;" : "=h"(d) : "h"(a), "h"(b));    \
    return d;                                               \
  }
#define TERNARY_16(name, text)                                          \
  __device__ inline uint16_t name(uint16_t a, uint16_t b, uint16_t c) { \
    uint16_t d;                                                         \
    asm(text " %0, %1, %2, %3;" : "=h"(d) : "h"(a), "h"(b), "h"(c));    \
    return d;                                                           \
  }
BINARY_16(add_f16, "add.f16")
TERNARY_16(fma_f16, "fma.rn.f16")
TERNARY_16(fma_bf16, "fma.rn.bf16")

// Every 16-bit pattern through f32 and back, and a fused multiply-add of each with its neighbours.
extern "C" __global__ void half_kernel(HalfResults* results) {
  const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
  const uint32_t j = i * 40503u & 0xffff, k = i * 30011u & 0xffff;
  const uint16_t x = static_cast<uint16_t>(i), y = static_cast<uint16_t>(j);
  const uint16_t z = static_cast<uint16_t>(k);
  HalfResults& r = results[i];
  asm("cvt.f32.f16 %0, %1;" : "=f"(r.half_to_float) : "h"(x));
  r.bf16_to_float = __uint_as_float(i << 16);
  const float odd = __uint_as_float(i << 16 | (i * 2654435761u >> 16));
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(r.float_to_half) : "f"(odd));
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(r.float_to_bf16) : "f"(odd));
  r.half_fma = fma_f16(x, y, z);
  r.bf16_fma = fma_bf16(x, y, z);
  r.half_sum = add_f16(x, y);
  uint32_t is_less;
  asm("{ .reg .pred p; setp.lt.f16 p, %1, %2; selp.u32 %0, 1, 0, p; }"
      : "=r"(is_less)
      : "h"(x), "h"(y));
  r.half_is_less = static_cast<uint16_t>(is_less);
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(r.packed_bf16) : "f"(odd), "f"(r.half_to_float));
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(r.packed_half) : "f"(odd), "f"(r.bf16_to_float));
  const uint32_t pair = i | j << 16, other = k | i << 16;
  asm("fma.rn.bf16x2 %0, %1, %2, %1;" : "=r"(r.bf16_pair_fma) : "r"(pair), "r"(other));
  asm("max.bf16x2 %0, %1, %2;" : "=r"(r.bf16_pair_max) : "r"(pair), "r"(other));
}
