// Which queries and keys a block works on, shared by all attention kernels.
#pragma once
#include "../device/shared.cuh"
#include "attention_config.h"

namespace framepack {
namespace {

// Rows of q and of k and v that belong together (a segment, or everything), and the block's first query.
struct AttentionRows {
  int query_begin, queries, key_begin, keys, first;

  // Every mask shows query i of the segment a prefix of the keys.
  FP_DEVICE int visible_keys(const AttentionArgs& args, int i) const {
    if (args.mask == AttentionMask::kCausal) return min(max(i + 1 + keys - queries, 0), keys);
    if (args.mask == AttentionMask::kFrameCausal) {
      const int frame = static_cast<int>(args.frame_tokens);
      return min((i / frame + 1) * frame, keys);
    }
    return keys;
  }
};

// Tile blockIdx.x of block_m queries; false where there is none (the grid is an upper bound). Queries
// before the first and after the last segment are a segment without keys, hence zeros.
FP_DEVICE bool find_rows(AttentionRows& rows, const AttentionArgs& args, int block_m) {
  int tile = blockIdx.x;
  if (args.num_segments == 0) {
    rows = {0, static_cast<int>(args.query_tokens), 0, static_cast<int>(args.key_tokens),
            tile * block_m};
    return rows.first < rows.queries;
  }
  const int segments = static_cast<int>(args.num_segments);
  for (int g = -1; g <= segments; ++g) {
    const int begin = g < 0 ? 0 : args.query_offsets[g];
    const int end = g < segments ? args.query_offsets[g + 1] : static_cast<int>(args.query_tokens);
    const int tiles = (end - begin + block_m - 1) / block_m;
    if (tile >= tiles) {
      tile -= tiles;
      continue;
    }
    rows = {begin, end - begin, 0, 0, tile * block_m};
    if (g >= 0 && g < segments) {
      rows.key_begin = args.key_offsets[g];
      rows.keys = args.key_offsets[g + 1] - rows.key_begin;
    }
    return true;
  }
  return false;
}

FP_DEVICE const char* row_pointer(const void* base, const AttentionStrides& stride, int batch,
                                  int token, int head) {
  return static_cast<const char*>(base) +
         2 * (batch * stride.batch + token * stride.token + head * stride.head);
}

// kRows rows of 16-bit elements -> a swizzled tile. Rows from `rows` on and chunks from `chunks` on are
// zeros: a masked probability of 0 must not meet a NaN.
template <int kRows, int kChunks, int kThreads>
FP_DEVICE void load_rows(uint32_t tile, const char* source, uint32_t stride, int rows, int chunks) {
  constexpr int kCopies = kRows * kChunks;
  static_assert(kCopies % 32 == 0, "whole warps");
#pragma unroll
  for (int i = 0; i < (kCopies + kThreads - 1) / kThreads; ++i) {
    const int copy = threadIdx.x + i * kThreads, row = copy / kChunks, chunk = copy % kChunks;
    if (kCopies % kThreads != 0 && copy >= kCopies) break;
    const bool exists = row < rows && chunk < chunks;
    ptx::cp_async_16(
        tile + tile_offset<kChunks>(row, chunk),
        source + static_cast<uint64_t>(static_cast<uint32_t>(row)) * stride + chunk * 16,
        exists ? 16 : 0);
  }
}

}  // namespace
}  // namespace framepack
