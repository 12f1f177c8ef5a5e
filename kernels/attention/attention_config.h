// Which attention kernel runs, as a pure function of the arguments and the device. No CUDA headers.
#pragma once
#include "../device/launch.h"
#include "attention_args.h"

namespace framepack {

constexpr int kAttentionKeys = 64;  // keys per step

// A block of block_m queries of one head: one warp per 16 queries. `width` is the head width rounded up to
// what the kernel was compiled for.
struct AttentionTile {
  int width, block_m;

  constexpr int threads() const { return block_m * 2; }
  // q once, k and v twice, 16-bit
  constexpr int shared_bytes() const { return (block_m + 4 * kAttentionKeys) * width * 2; }
};

// One wide head (the VAE): see attention_wide.cuh.
constexpr int kWideWidth = 512;
constexpr int kWideQueries = 32;
constexpr int kWideKeys = 32;
constexpr int kWideThreads = 256;
constexpr int kWideSharedBytes = (kWideQueries + 2 * kWideKeys) * kWideWidth * 2 +
                                 kWideQueries * kWideKeys * 2 + 4 * kWideQueries * 4;

// f32, any width, any stride: see attention_f32.cuh.
constexpr int kAttentionF32Queries = 32;
constexpr int kAttentionF32Keys = 32;
constexpr int kAttentionF32Columns = 128;  // of the output, per block
constexpr int kAttentionF32Pitch =
    36;  // f32 per row of a 32-column tile; 16-byte aligned, no conflicts
constexpr int kAttentionF32Threads = 256;
constexpr int kAttentionF32SharedBytes =
    (kAttentionF32Queries + kAttentionF32Keys) * kAttentionF32Pitch * 4 +
    kAttentionF32Keys * kAttentionF32Columns * 4;

namespace attention_plan {

// 16-byte pieces, and token strides that fit 32 bits in bytes.
inline bool is_aligned(const void* data, const AttentionStrides& stride) {
  return stride.token < (1 << 30) && is_vector_aligned(data, stride.token, 2) &&
         is_vector_aligned(data, stride.head, 2) && is_vector_aligned(data, stride.batch, 2);
}

inline bool fits_tensor_cores(const AttentionArgs& args) {
  return args.dtype != DType::kF32 && args.head_width % 8 == 0 && args.head_width <= kWideWidth &&
         is_aligned(args.q, args.q_stride) && is_aligned(args.k, args.k_stride) &&
         is_aligned(args.v, args.v_stride) && is_aligned(args.out, args.out_stride);
}

// Upper bound: a segment may end in a partial tile, and so may the rows before and after all segments.
inline unsigned query_tiles(const AttentionArgs& args, int block_m) {
  const long long partial = args.num_segments == 0 ? 0 : args.num_segments + 2;
  return static_cast<unsigned>(ceil_div(args.query_tokens, block_m) + partial);
}

struct Choice {
  const char* names[2];  // bf16, f16
  AttentionTile tile;
};

// 128 queries share every tile of k and v; 64 leave room for a second block, which hides more latency
// where a multiprocessor has the shared memory for it.
inline Choice choose_tile(long long width, unsigned shared_sm) {
  constexpr Choice kChoices[] = {
      {{"attention_bf16_w16_m64", "attention_f16_w16_m64"}, {16, 64}},
      {{"attention_bf16_w32_m64", "attention_f16_w32_m64"}, {32, 64}},
      {{"attention_bf16_w64_m64", "attention_f16_w64_m64"}, {64, 64}},
      {{"attention_bf16_w80_m64", "attention_f16_w80_m64"}, {80, 64}},
      {{"attention_bf16_w80_m128", "attention_f16_w80_m128"}, {80, 128}},
      {{"attention_bf16_w128_m64", "attention_f16_w128_m64"}, {128, 64}},
      {{"attention_bf16_w128_m128", "attention_f16_w128_m128"}, {128, 128}},
  };
  constexpr unsigned kReserved = 1024;  // per block, by the driver
  Choice best = kChoices[6];
  for (const Choice& choice : kChoices) {
    if (choice.tile.width < width) continue;
    best = choice;
    const unsigned bytes = static_cast<unsigned>(choice.tile.shared_bytes()) + kReserved;
    if (2 * bytes <= shared_sm) break;
    if (choice.tile.block_m == 128) break;
  }
  return best;
}

}  // namespace attention_plan

inline Launch plan_attention(const AttentionArgs& args, const DeviceTraits& traits) {
  using namespace attention_plan;
  if (args.query_tokens == 0 || args.batch == 0 || args.heads == 0 || args.head_width == 0)
    return {};
  const unsigned heads = static_cast<unsigned>(args.heads);
  const unsigned batch = static_cast<unsigned>(args.batch);
  if (!fits_tensor_cores(args)) {
    const unsigned columns = static_cast<unsigned>(ceil_div(args.head_width, kAttentionF32Columns));
    return {"attention_f32",
            {query_tiles(args, kAttentionF32Queries), heads, batch * columns},
            {kAttentionF32Threads, 1, 1},
            kAttentionF32SharedBytes};
  }
  const bool is_f16 = args.dtype == DType::kF16;
  if (args.head_width > 128) {
    return {is_f16 ? "attention_f16_w512" : "attention_bf16_w512",
            {query_tiles(args, kWideQueries), heads, batch},
            {kWideThreads, 1, 1},
            kWideSharedBytes};
  }
  const Choice choice = choose_tile(args.head_width, traits.shared_sm);
  return {choice.names[is_f16],
          {query_tiles(args, choice.tile.block_m), heads, batch},
          {static_cast<unsigned>(choice.tile.threads()), 1, 1},
          static_cast<unsigned>(choice.tile.shared_bytes())};
}

}  // namespace framepack
