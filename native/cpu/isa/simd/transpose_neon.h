// Transposition of 8 x 8 elements in 128-bit registers.
#pragma once
#include <arm_neon.h>

namespace framepack::cpu::isa {
namespace {

using Word = unsigned short;
using Long = unsigned int;

inline void transpose_quarter(const Long* x, long long x_stride, Long* out, long long out_stride) {
  uint32x4_t row[4], pair[4];
  for (int i = 0; i < 4; ++i) row[i] = vld1q_u32(x + i * x_stride);
  for (int i = 0; i < 4; i += 2) {
    pair[i] = vtrn1q_u32(row[i], row[i + 1]);
    pair[i + 1] = vtrn2q_u32(row[i], row[i + 1]);
  }
  for (int i = 0; i < 2; ++i) {
    const uint64x2_t upper = vreinterpretq_u64_u32(pair[i]);
    const uint64x2_t lower = vreinterpretq_u64_u32(pair[i + 2]);
    vst1q_u32(out + i * out_stride, vreinterpretq_u32_u64(vzip1q_u64(upper, lower)));
    vst1q_u32(out + (i + 2) * out_stride, vreinterpretq_u32_u64(vzip2q_u64(upper, lower)));
  }
}

inline void transpose_block(const Long* x, long long x_stride, Long* out, long long out_stride) {
  for (int r = 0; r < 8; r += 4) {
    for (int c = 0; c < 8; c += 4) {
      transpose_quarter(x + r * x_stride + c, x_stride, out + c * out_stride + r, out_stride);
    }
  }
}

inline void transpose_block(const Word* x, long long x_stride, Word* out, long long out_stride) {
  uint16x8_t row[8];
  for (int i = 0; i < 8; ++i) row[i] = vld1q_u16(x + i * x_stride);
  // Three rounds of interleaving rows that lie four apart.
  for (int round = 0; round < 3; ++round) {
    uint16x8_t next[8];
    for (int i = 0; i < 4; ++i) {
      next[2 * i] = vzip1q_u16(row[i], row[i + 4]);
      next[2 * i + 1] = vzip2q_u16(row[i], row[i + 4]);
    }
    for (int i = 0; i < 8; ++i) row[i] = next[i];
  }
  for (int i = 0; i < 8; ++i) vst1q_u16(out + i * out_stride, row[i]);
}

}  // namespace
}  // namespace framepack::cpu::isa
