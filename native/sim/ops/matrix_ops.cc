// mma.sync and ldmatrix. Lane l = 4 * g + t of an 8x8 fragment holds row g, columns 2t and 2t + 1.
//
// Products are exact and sums are plain f32 in the order of k; the order and precision inside a
// tensor core are not documented, so kernels must not depend on them.

#include <cstring>

#include "exec/block.h"
#include "ops/arithmetic/half_float.h"
#include "ops/lane_pointers.h"

namespace cudasim {
namespace {

using Row = float __attribute__((vector_size(32)));  // eight columns

void require_whole_warp(Warp& warp, const Instruction& in, uint32_t lanes) {
  if (lanes == kAllLanes) return;
  warp.block->abort(warp, in, std::countr_zero(lanes), Finding::kConvergence,
                    "an .aligned instruction is executed by a part of the warp only");
}

template <typename T>
float low_of(uint32_t pair) {
  return to_float(T{static_cast<uint16_t>(pair)});
}
template <typename T>
float high_of(uint32_t pair) {
  return to_float(T{static_cast<uint16_t>(pair >> 16)});
}

// m16n8k(8 * kSteps): operands 0-3 D, then 2 * kSteps of A, kSteps of B, 4 of C
template <typename T, int kSteps>
void multiply(Warp& warp, const Instruction& in, uint32_t lanes) {
  require_whole_warp(warp, in, lanes);
  constexpr int kDepth = 8 * kSteps;
  alignas(64) float a[16][kDepth];
  alignas(64) float b[kDepth][8];
  alignas(64) float sums[16][8];
  const uint32_t* operands = in.operand;
  for (int r = 0; r < 2 * kSteps; ++r) {
    const uint32_t* fragment = warp.at<uint32_t>(operands[4 + r]);
    const int row = (r & 1) * 8, column = (r >> 1) * 8;
    for (int l = 0; l < 32; ++l) {
      float* at = &a[row + (l >> 2)][column + 2 * (l & 3)];
      at[0] = low_of<T>(fragment[l]);
      at[1] = high_of<T>(fragment[l]);
    }
  }
  for (int r = 0; r < kSteps; ++r) {
    const uint32_t* fragment = warp.at<uint32_t>(operands[4 + 2 * kSteps + r]);
    for (int l = 0; l < 32; ++l) {
      b[r * 8 + 2 * (l & 3)][l >> 2] = low_of<T>(fragment[l]);
      b[r * 8 + 2 * (l & 3) + 1][l >> 2] = high_of<T>(fragment[l]);
    }
  }
  for (int r = 0; r < 4; ++r) {
    const float* fragment = warp.at<float>(operands[4 + 3 * kSteps + r]);
    for (int l = 0; l < 32; ++l) sums[(r >> 1) * 8 + (l >> 2)][2 * (l & 3) + (r & 1)] = fragment[l];
  }
  Row rows[16], columns[kDepth];
  std::memcpy(rows, sums, sizeof rows);
  std::memcpy(columns, b, sizeof columns);
  for (int k = 0; k < kDepth; ++k) {
    for (int m = 0; m < 16; ++m) rows[m] += a[m][k] * columns[k];
  }
  std::memcpy(sums, rows, sizeof rows);
  for (int r = 0; r < 4; ++r) {
    float* fragment = warp.at<float>(operands[r]);
    for (int l = 0; l < 32; ++l) fragment[l] = sums[(r >> 1) * 8 + (l >> 2)][2 * (l & 3) + (r & 1)];
  }
}

bool bind_fragments(Binding& b, const size_t (&counts)[4]) {
  uint32_t slot = 0;
  for (size_t i = 0; i < 4; ++i) {
    const std::vector<ptx::Operand>& elements = b.operand(i).elements;
    if (elements.size() != counts[i]) return false;
    for (const ptx::Operand& element : elements) {
      b.in.operand[slot++] = i == 0 ? b.write(element, 4) : b.read(element, 4);
    }
  }
  return true;
}

// mma.sync.aligned.m16n8k{8,16}.row.col.f32.T.T.f32
bool decode_mma(Binding& b) {
  b.source.kind = InstructionClass::kMma;
  if (b.parts() != 10 || b.part(4) != "row" || b.part(5) != "col") return false;
  const std::string &shape = b.part(3), &type = b.part(7);
  if (b.part(6) != "f32" || b.part(8) != type || b.part(9) != "f32") return false;
  const bool is_bf16 = type == "bf16";
  if (!is_bf16 && type != "f16") return false;
  if (shape == "m16n8k16" && bind_fragments(b, {4, 4, 2, 4})) {
    b.in.execute = is_bf16 ? multiply<BFloat16, 2> : multiply<Half, 2>;
  } else if (shape == "m16n8k8" && bind_fragments(b, {4, 2, 1, 4})) {
    b.in.execute = is_bf16 ? multiply<BFloat16, 1> : multiply<Half, 1>;
  }
  return true;
}

// operands 0..count-1: one 8x8 matrix each; lanes 8i..8i+7 give the row addresses of matrix i
template <bool kTransposed>
void load_matrices(Warp& warp, const Instruction& in, uint32_t lanes) {
  require_whole_warp(warp, in, lanes);
  const uint32_t providers = in.count == 4 ? kAllLanes : (1u << (8 * in.count)) - 1;
  with_lane_pointers(warp, in, providers, 16, AccessKind::kRead,
                     [&](uint32_t, const LanePointers& at) {
                       for (uint32_t i = 0; i < in.count; ++i) {
                         uint16_t rows[8][8];
                         for (uint32_t r = 0; r < 8; ++r)
                           std::memcpy(rows[r], at.lane[8 * i + r], 16);
                         uint32_t* d = warp.at<uint32_t>(in.operand[i]);
                         if constexpr (!kTransposed) {
                           std::memcpy(d, rows, sizeof rows);  // lane order is row-major order
                         } else {
                           for (int l = 0; l < 32; ++l) {
                             const int g = l >> 2, t = 2 * (l & 3);
                             d[l] = uint32_t{rows[t][g]} | uint32_t{rows[t + 1][g]} << 16;
                           }
                         }
                       }
                     });
}

// ldmatrix.sync.aligned.m8n8.x{1,2,4}{.trans}{.shared}.b16
bool decode_ldmatrix(Binding& b) {
  b.source.kind = InstructionClass::kLdmatrix;
  if (!b.has("m8n8") || b.type() != "b16") return false;
  const std::vector<ptx::Operand>& destinations = b.operand(0).elements;
  const size_t count = b.has("x4") ? 4 : b.has("x2") ? 2 : 1;
  if (destinations.size() != count) return false;
  for (size_t i = 0; i < count; ++i) b.in.operand[i] = b.write(destinations[i], 4);
  b.in.count = static_cast<uint8_t>(count);
  if (!bind_memory_operand(b, b.operand(1))) return false;
  b.in.execute = b.has("trans") ? load_matrices<true> : load_matrices<false>;
  return true;
}

}  // namespace

bool decode_matrix(Binding& b) {
  if (b.base() == "mma") return decode_mma(b);
  if (b.base() == "ldmatrix") return decode_ldmatrix(b);
  return false;
}

}  // namespace cudasim
