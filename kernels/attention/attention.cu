// out[b, i, h, :] = sum_j softmax_j(scale q[b, i, h, :] . k[b, j, h / group, :]) v[b, j, h / group, :]
//
// Kernels    attention_<bf16|f16>_w<width>_m<queries>   this file: widths up to 16, 32, 64, 80 and 128
//            attention_<bf16|f16>_w512                  attention_wide.cuh: one wide head
//            attention_f32                              attention_f32.cuh: f32, odd widths and strides
// Layout     q [B, L, N, K], k and v [B, S, N_kv, K], any token, head and batch stride of 16-byte multiples.
//            Columns from K to the compiled width are zeros in shared memory and never stored.
// Mapping    grid (query tile, head, batch), one warp per 16 queries, 64 keys per step.
// Shared     q: m rows; k[2], v[2]: 64 rows each; rows of 2 * width bytes, chunks swizzled. q's rows stage
//            the output of their own warp at the end.
// Pipeline   cp.async groups (q, k0) v0 | k1 v1 | ...: while scores of step t are computed, k of t + 1 and v
//            of t are in flight; one barrier before each of the two products.
// Masks      every mask shows a query a prefix of the keys, so a lane needs one limit for each of its two rows,
//            and only steps that cross the smallest limit of the block compare against it.
// Numerics   online softmax in f32 with base-2 exponentials; probabilities are rounded to the element type
//            for the second product, sums use them unrounded. Rows without keys are zeros.
// Cost       4 L S K FLOPs per head; bytes (L + S) K 4 once per head and k, v again per query tile from L2.
// Source     FlashAttention-2, arXiv 2307.08691, section 3.1.
#include "../device/convert.cuh"
#include "../device/math.cuh"
#include "attention_f32.cuh"
#include "attention_rows.cuh"
#include "attention_wide.cuh"

namespace framepack {
namespace {

template <int kWidth, int kBlockM>
struct AttentionStorage {
  unsigned char q[kBlockM * kWidth * 2];
  unsigned char k[2][kAttentionKeys * kWidth * 2];
  unsigned char v[2][kAttentionKeys * kWidth * 2];
  static constexpr int kPlanned = AttentionTile{kWidth, kBlockM}.shared_bytes();
};

// What one warp carries from step to step. Index [2]: rows lane / 4 and lane / 4 + 8 of its 16.
template <int kWidth>
struct AttentionState {
  float out[kWidth / 8][4] = {};
  float row_max[2] = {-INFINITY, -INFINITY}, row_sum[2] = {0.f, 0.f};
  int limit[2];  // visible keys
};

// scores[16 x 64] = q k^T of one warp.
template <class Element, int kWidth>
FP_DEVICE void multiply_keys(float (&scores)[kAttentionKeys / 8][4],
                             const uint32_t (&q)[kWidth / 16][4], uint32_t k_tile) {
  const int lane = threadIdx.x & 31;
  const TileCursor<kWidth / 8> cursor((lane >> 4) * 8 + (lane & 7), lane >> 3 & 1);
#pragma unroll
  for (int kk = 0; kk < kWidth / 16; ++kk) {
#pragma unroll
    for (int n = 0; n < kAttentionKeys / 8; n += 2) {
      uint32_t k[4];  // [key tile][half of the 16 columns]
      ptx::ldmatrix_x4(k, k_tile + cursor.offset(n * 8, kk * 2));
      Element::mma(scores[n], q[kk], k[0], k[1]);
      Element::mma(scores[n + 1], q[kk], k[2], k[3]);
    }
  }
}

template <int kWidth>
FP_DEVICE void mask_scores(float (&scores)[kAttentionKeys / 8][4],
                           const AttentionState<kWidth>& state, int first_key) {
#pragma unroll
  for (int n = 0; n < kAttentionKeys / 8; ++n) {
#pragma unroll
    for (int e = 0; e < 4; ++e) {
      const int key = first_key + n * 8 + (threadIdx.x & 3) * 2 + (e & 1);
      if (key >= state.limit[e >> 1]) scores[n][e] = -INFINITY;
    }
  }
}

// Scores -> probabilities as A fragments; rescales what was summed with smaller maxima.
template <class Element, int kWidth>
FP_DEVICE void softmax_step(uint32_t (&p)[kAttentionKeys / 16][4], AttentionState<kWidth>& state,
                            const float (&scores)[kAttentionKeys / 8][4], float scale_log2) {
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    float maximum = state.row_max[h];
#pragma unroll
    for (int n = 0; n < kAttentionKeys / 8; ++n) {
      maximum = fmaxf(maximum, fmaxf(scores[n][2 * h], scores[n][2 * h + 1]));
    }
    maximum = quad_max(maximum);
    // A row that has seen no key yet: any finite offset keeps -inf - offset at -inf.
    const float offset = maximum == -INFINITY ? 0.f : maximum * scale_log2;
    const float alpha = ptx::ex2(fmaf(state.row_max[h], scale_log2, -offset));
    state.row_max[h] = maximum;
    float sum = 0.f;
#pragma unroll
    for (int n = 0; n < kAttentionKeys / 8; ++n) {
      const float p0 = ptx::ex2(fmaf(scores[n][2 * h], scale_log2, -offset));
      const float p1 = ptx::ex2(fmaf(scores[n][2 * h + 1], scale_log2, -offset));
      sum += p0 + p1;
      p[n / 2][(n & 1) * 2 + h] = Element::pack(p0, p1);
    }
    state.row_sum[h] = fmaf(state.row_sum[h], alpha, sum);
#pragma unroll
    for (int n = 0; n < kWidth / 8; ++n) {
      state.out[n][2 * h] *= alpha;
      state.out[n][2 * h + 1] *= alpha;
    }
  }
}

// out[16 x width] += p v of one warp.
template <class Element, int kWidth>
FP_DEVICE void multiply_values(AttentionState<kWidth>& state,
                               const uint32_t (&p)[kAttentionKeys / 16][4], uint32_t v_tile) {
  const int lane = threadIdx.x & 31;
  const TileCursor<kWidth / 8> cursor(lane & 15, lane >> 4);
#pragma unroll
  for (int kk = 0; kk < kAttentionKeys / 16; ++kk) {
#pragma unroll
    for (int n = 0; n < kWidth / 8; n += 2) {
      uint32_t v[4];  // [column tile][half of the 16 keys]
      ptx::ldmatrix_x4_trans(v, v_tile + cursor.offset(kk * 16, n));
      Element::mma(state.out[n], p[kk], v[0], v[1]);
      Element::mma(state.out[n + 1], p[kk], v[2], v[3]);
    }
  }
}

// Normalises and stores a warp's 16 rows as 16-byte chunks, through its own rows of q.
template <class Element, int kWidth>
FP_DEVICE void store_rows(const AttentionState<kWidth>& state, unsigned char* staging, int warp_row,
                          char* out, long long stride_bytes, int rows, int chunks) {
  constexpr int kChunks = kWidth / 8;
  const int lane = threadIdx.x & 31;
  __syncwarp();
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    const float sum = quad_sum(state.row_sum[h]);
    const float inverse = sum > 0.f ? ptx::rcp(sum) : 0.f;
#pragma unroll
    for (int n = 0; n < kChunks; ++n) {
      unsigned char* target = staging + tile_offset<kChunks>(warp_row + h * 8 + lane / 4, n);
      *reinterpret_cast<uint32_t*>(target + (lane & 3) * 4) =
          Element::pack(state.out[n][2 * h] * inverse, state.out[n][2 * h + 1] * inverse);
    }
  }
  __syncwarp();
#pragma unroll
  for (int i = 0; i < kChunks / 2; ++i) {
    const int copy = lane + i * 32, row = warp_row + copy / kChunks, chunk = copy % kChunks;
    if (row >= rows || chunk >= chunks) continue;
    *reinterpret_cast<uint4*>(out + row * stride_bytes + chunk * 16) =
        *reinterpret_cast<const uint4*>(staging + tile_offset<kChunks>(row, chunk));
  }
}

template <class Element, int kWidth, int kBlockM>
FP_DEVICE void attention(const AttentionArgs& args) {
  constexpr int kThreads = kBlockM * 2, kChunks = kWidth / 8;
  constexpr uint32_t kTileBytes = kAttentionKeys * kWidth * 2;
  using Storage = AttentionStorage<kWidth, kBlockM>;
  static_assert(sizeof(Storage) == Storage::kPlanned);
  auto& shared = shared_storage<Storage>();
  AttentionRows rows;
  if (!find_rows(rows, args, kBlockM)) return;
  const int lane = threadIdx.x & 31, warp_row = (threadIdx.x >> 5) * 16;
  const int head = blockIdx.y, batch = blockIdx.z;
  const int kv_head = head / (static_cast<int>(args.heads) / static_cast<int>(args.kv_heads));
  const int chunks = static_cast<int>(args.head_width) / 8;
  const int queries = min(kBlockM, rows.queries - rows.first);
  const int key_end = rows.visible_keys(args, rows.first + queries - 1);
  const int unmasked_end = rows.visible_keys(args, rows.first);
  const uint32_t q_stride = static_cast<uint32_t>(args.q_stride.token * 2);
  const uint32_t k_stride = static_cast<uint32_t>(args.k_stride.token * 2);
  const uint32_t v_stride = static_cast<uint32_t>(args.v_stride.token * 2);
  const char* q = row_pointer(args.q, args.q_stride, batch, rows.query_begin + rows.first, head);
  const char* k = row_pointer(args.k, args.k_stride, batch, rows.key_begin, kv_head);
  const char* v = row_pointer(args.v, args.v_stride, batch, rows.key_begin, kv_head);
  const uint32_t q_tile = shared_address(shared.q);
  const uint32_t k_tiles = shared_address(shared.k), v_tiles = shared_address(shared.v);

  AttentionState<kWidth> state;
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    state.limit[h] = rows.visible_keys(args, rows.first + warp_row + lane / 4 + h * 8);
  }
  if (key_end > 0) {
    load_rows<kBlockM, kChunks, kThreads>(q_tile, q, q_stride, queries, chunks);
    load_rows<kAttentionKeys, kChunks, kThreads>(k_tiles, k, k_stride, key_end, chunks);
    ptx::cp_async_commit();
    load_rows<kAttentionKeys, kChunks, kThreads>(v_tiles, v, v_stride, key_end, chunks);
    ptx::cp_async_commit();
  }
  uint32_t q_fragments[kWidth / 16][4];
  uint32_t current = 0;  // byte offset of the buffers of this step
  for (int key = 0; key < key_end; key += kAttentionKeys) {
    const uint32_t other = current ^ kTileBytes;
    const int next = key + kAttentionKeys;

    ptx::cp_async_wait<1>();
    __syncthreads();  // k of this step is here; every warp is done with the step before
    if (next < key_end) {
      k += static_cast<long long>(kAttentionKeys) * k_stride;
      load_rows<kAttentionKeys, kChunks, kThreads>(k_tiles + other, k, k_stride, key_end - next,
                                                   chunks);
    }
    ptx::cp_async_commit();
    if (key == 0) {
#pragma unroll
      for (int kk = 0; kk < kWidth / 16; ++kk) {
        ptx::ldmatrix_x4(q_fragments[kk], q_tile + tile_offset<kChunks>(warp_row + (lane & 15),
                                                                        kk * 2 + (lane >> 4)));
      }
    }
    float scores[kAttentionKeys / 8][4] = {};
    multiply_keys<Element, kWidth>(scores, q_fragments, k_tiles + current);
    if (next > unmasked_end) mask_scores<kWidth>(scores, state, key);
    uint32_t p[kAttentionKeys / 16][4];
    softmax_step<Element, kWidth>(p, state, scores, args.scale * kLog2E);

    ptx::cp_async_wait<1>();
    __syncthreads();  // v of this step is here; every warp is done with v of the step before
    if (next < key_end) {
      v += static_cast<long long>(kAttentionKeys) * v_stride;
      load_rows<kAttentionKeys, kChunks, kThreads>(v_tiles + other, v, v_stride, key_end - next,
                                                   chunks);
    }
    ptx::cp_async_commit();
    multiply_values<Element, kWidth>(state, p, v_tiles + current);
    current = other;
  }
  ptx::cp_async_wait<0>();
  char* out = const_cast<char*>(
      row_pointer(args.out, args.out_stride, batch, rows.query_begin + rows.first, head));
  store_rows<Element, kWidth>(state, shared.q, warp_row, out, args.out_stride.token * 2, queries,
                              chunks);
}

}  // namespace
}  // namespace framepack

// `blocks` fit a multiprocessor; told of it, ptxas spends the registers that they may have instead of spilling to
// reach one more. 0 leaves the choice to ptxas.
#define ATTENTION_KERNEL(name, element, width, queries, blocks)                       \
  extern "C" __global__ void __launch_bounds__(queries * 2, blocks)                   \
      attention_##name##_w##width##_m##queries(const framepack::AttentionArgs args) { \
    framepack::attention<framepack::element, width, queries>(args);                   \
  }

ATTENTION_KERNEL(bf16, Bf16, 16, 64, 0)
ATTENTION_KERNEL(bf16, Bf16, 32, 64, 0)
ATTENTION_KERNEL(bf16, Bf16, 64, 64, 2)
ATTENTION_KERNEL(bf16, Bf16, 80, 64, 0)
ATTENTION_KERNEL(bf16, Bf16, 80, 128, 1)
ATTENTION_KERNEL(bf16, Bf16, 128, 64, 0)
ATTENTION_KERNEL(bf16, Bf16, 128, 128, 0)
ATTENTION_KERNEL(f16, F16, 16, 64, 0)
ATTENTION_KERNEL(f16, F16, 32, 64, 0)
ATTENTION_KERNEL(f16, F16, 64, 64, 2)
ATTENTION_KERNEL(f16, F16, 80, 64, 0)
ATTENTION_KERNEL(f16, F16, 80, 128, 1)
ATTENTION_KERNEL(f16, F16, 128, 64, 0)
ATTENTION_KERNEL(f16, F16, 128, 128, 0)
#undef ATTENTION_KERNEL

extern "C" __global__ void __launch_bounds__(framepack::kWideThreads)
    attention_bf16_w512(const framepack::AttentionArgs args) {
  framepack::attention_wide<framepack::Bf16>(args);
}

extern "C" __global__ void __launch_bounds__(framepack::kWideThreads)
    attention_f16_w512(const framepack::AttentionArgs args) {
  framepack::attention_wide<framepack::F16>(args);
}

extern "C" __global__ void __launch_bounds__(framepack::kAttentionF32Threads)
    attention_f32(const framepack::AttentionArgs args) {
  framepack::attention_f32(args);
}
