// Tensor-core matrix product of one block: out[m, n] = sum_k a[m, k] * w[n, k].
//
// Mapping    256 or 128 threads; warp (i, j) owns warp_m x warp_n outputs as m16n8 accumulator tiles.
// Pipeline   `stages` shared-memory stages of 64 k's. Step t waits for stage t, passes one barrier (which
//            also says that every warp is done with stage t - 1), starts the loads of step t + stages - 1
//            into that freed stage, then multiplies. A group is committed in every step, so that the wait
//            count is a constant.
// Shared     a: stages x block_m rows of 128 bytes; w: stages x block_n rows of 128 (16-bit) or 64 (e4m3)
//            bytes; both swizzled by chunk. The epilogue reuses the front as f32 staging.
// e4m3       mma sums over k, so any order of k serves if a and w agree on it. ldmatrix hands lane c the
//            bytes 4 c .. 4 c + 3 of a 16-byte row; a is therefore read as 8-byte pieces 4 c .. 4 c + 3.
// Numerics   f32 accumulation. With kBlockScale the products of one step are summed on their own and then
//            multiplied by the scale of (column, step), which is exact to the contract of kBlock64.
#pragma once
#include "convert.cuh"
#include "gemm.h"
#include "shared.cuh"

namespace framepack {

template <class ElementType, class WeightType, GemmTile kTileShape, bool kScalePerBlock = false>
struct GemmConfig {
  using Element = ElementType;
  using Weight = WeightType;
  static constexpr GemmTile kTile = kTileShape;
  static constexpr bool kBlockScale = kScalePerBlock;
  static constexpr int kThreads = kTile.threads();
  static constexpr int kWarpM = kTile.warp_m(), kWarpN = kTile.warp_n();
  static constexpr int kTilesM = kWarpM / 16, kTilesN = kWarpN / 8;
  static constexpr int kRowBytesW = kGemmBlockK * Weight::kBytes;
  static constexpr int kStageColumns = kWarpN < 32 ? kWarpN : 32;

  struct Storage {
    unsigned char a[kTile.stages][kTile.block_m * 128];
    unsigned char w[kTile.stages][kTile.block_n * kRowBytesW];
  };
  static_assert(sizeof(Storage) == kTile.shared_bytes(Weight::kBytes));
  static_assert(kWarpM % 16 == 0 && kTilesN % (Weight::kBytes == 1 ? 4 : 2) == 0);
  static_assert(kStageColumns == 16 || kStageColumns == 32, "epilogue staging");

  // Epilogue staging: how many accumulator tiles of a warp (16 rows x kStageColumns f32) fit at once.
  static constexpr int kStageTileBytes = 16 * kStageColumns * 4;
  static constexpr int kStageTilesFit = sizeof(Storage) / (kThreads / 32 * kStageTileBytes);
  static constexpr int kStageTiles = kStageTilesFit >= kTilesM ? kTilesM : kTilesM / 2;
  static_assert(kStageTilesFit >= kStageTiles && kTilesM % kStageTiles == 0);
};

// Rows of consecutive bytes -> a swizzled tile, 16 bytes per copy. Bytes past `row_bytes` become zeros;
// rows past the last repeat it, and the epilogue drops what comes of them.
template <int kRows, int kChunks, int kThreads>
class RowLoader {
 public:
  FP_DEVICE RowLoader(const void* base, long long row_stride_bytes, int first_row, int rows,
                      int row_bytes) {
    const int chunk = threadIdx.x % kChunks, row = threadIdx.x / kChunks;
    source_ = static_cast<const char*>(base) + first_row * row_stride_bytes + chunk * 16;
    remaining_ = row_bytes - chunk * 16;
    target_ = tile_offset<kChunks>(row, chunk);
    stride_ = static_cast<uint32_t>(row_stride_bytes);
#pragma unroll
    for (int i = 0; i < kCopies; ++i) {
      row_[i] = static_cast<uint32_t>(min(row + i * kRowStep, rows - first_row - 1));
    }
  }

  // Loads the next kChunks * 16 bytes of every row.
  FP_DEVICE void operator()(unsigned char* tile) {
    const uint32_t target = shared_address(tile) + target_;
    const int bytes = max(0, min(16, remaining_));
#pragma unroll
    for (int i = 0; i < kCopies; ++i) {
      ptx::cp_async_16(target + i * (kRowStep * kChunks * 16),
                       source_ + static_cast<uint64_t>(row_[i]) * stride_, bytes);
    }
    source_ += kChunks * 16;
    remaining_ -= kChunks * 16;
  }

 private:
  static constexpr int kRowStep = kThreads / kChunks;
  static constexpr int kCopies = kRows / kRowStep;
  static_assert(kRowStep % 8 == 0 && kRows % kRowStep == 0, "the swizzle must repeat per copy");

  const char* source_;
  int remaining_;
  uint32_t target_, stride_;
  uint32_t row_[kCopies];
};

// 16-bit elements from anywhere -> a swizzled tile of 64 k's. offset(row, k) is the element of a row of the
// block, negative where there is none. For operands whose rows are not 16-byte pieces in memory: every
// element is a load and an address of its own.
template <int kRows, int kThreads, class Offset>
class GatherLoader {
 public:
  FP_DEVICE GatherLoader(const void* base, const Offset& offset)
      : base_(static_cast<const uint16_t*>(base)), offset_(offset), k_(threadIdx.x % 8 * 8) {}

  FP_DEVICE void operator()(unsigned char* tile) {
#pragma unroll 1
    for (int row = threadIdx.x / 8; row < kRows; row += kThreads / 8) {
      uint32_t pairs[4] = {};
#pragma unroll
      for (int e = 0; e < 8; ++e) {
        const long long at = offset_(row, k_ + e);
        const uint32_t bits = at < 0 ? 0u : base_[at];
        pairs[e / 2] |= bits << (e % 2 * 16);
      }
      *reinterpret_cast<uint4*>(tile + tile_offset<8>(row, threadIdx.x % 8)) = {pairs[0], pairs[1],
                                                                                pairs[2], pairs[3]};
    }
    k_ += kGemmBlockK;
  }

 private:
  const uint16_t* base_;
  const Offset& offset_;
  int k_;
};

struct TileOrigin {
  int row, column;
};

// blockIdx.x -> tile; consecutive blocks go down kGemmRasterRows tile rows before the next tile column.
FP_DEVICE TileOrigin tile_origin(int m, int n, int block_m, int block_n) {
  const int rows = (m + block_m - 1) / block_m, columns = (n + block_n - 1) / block_n;
  const int per_group = kGemmRasterRows * columns, tile = blockIdx.x;
  const int group_row = tile / per_group * kGemmRasterRows, in_group = tile % per_group;
  const int group_rows = min(kGemmRasterRows, rows - group_row);
  return {(group_row + in_group % group_rows) * block_m, in_group / group_rows * block_n};
}

// acc += a w over one stage.
template <class Config>
FP_DEVICE void multiply_stage(float (&acc)[Config::kTilesM][Config::kTilesN][4],
                              const unsigned char* a_tile, const unsigned char* w_tile, int warp_m,
                              int warp_n) {
  using Element = typename Config::Element;
  constexpr bool kIsF8 = Config::Weight::kBytes == 1;
  constexpr int kChunksW = Config::kRowBytesW / 16;
  const int lane = threadIdx.x & 31;
  const TileCursor<8> a_cursor(warp_m + (kIsF8 ? lane / 4 : lane & 15),
                               kIsF8 ? lane >> 1 & 1 : lane >> 4);
  const TileCursor<kChunksW> w_cursor(warp_n + (kIsF8 ? lane : (lane >> 4) * 8 + (lane & 7)),
                                      kIsF8 ? 0 : lane >> 3 & 1);
  const uint32_t a_base = shared_address(a_tile), w_base = shared_address(w_tile);
#pragma unroll
  for (int kk = 0; kk < kGemmBlockK / 16; ++kk) {
    uint32_t a[Config::kTilesM][4], b[Config::kTilesN][2];
    if constexpr (kIsF8) {
#pragma unroll
      for (int i = 0; i < Config::kTilesM; ++i) {
        const unsigned char* source = a_tile + a_cursor.offset(i * 16, kk * 2) + (lane & 1) * 8;
        const uint2 upper = *reinterpret_cast<const uint2*>(source);
        const uint2 lower = *reinterpret_cast<const uint2*>(source + 8 * 128);
        a[i][0] = upper.x, a[i][1] = lower.x, a[i][2] = upper.y, a[i][3] = lower.y;
      }
#pragma unroll
      for (int j = 0; j < Config::kTilesN; j += 4) {
        uint32_t bytes[4];  // [n-tile]
        ptx::ldmatrix_x4(bytes, w_base + w_cursor.offset(j * 8, kk));
#pragma unroll
        for (int i = 0; i < 4; ++i) widen_e4m3<Element>(b[j + i][0], b[j + i][1], bytes[i]);
      }
    } else {
#pragma unroll
      for (int i = 0; i < Config::kTilesM; ++i) {
        ptx::ldmatrix_x4(a[i], a_base + a_cursor.offset(i * 16, kk * 2));
      }
#pragma unroll
      for (int j = 0; j < Config::kTilesN; j += 2) {
        uint32_t pairs[4];  // [n-tile][half of k]
        ptx::ldmatrix_x4(pairs, w_base + w_cursor.offset(j * 8, kk * 2));
        b[j][0] = pairs[0], b[j][1] = pairs[1], b[j + 1][0] = pairs[2], b[j + 1][1] = pairs[3];
      }
    }
#pragma unroll
    for (int i = 0; i < Config::kTilesM; ++i) {
#pragma unroll
      for (int j = 0; j < Config::kTilesN; ++j) Element::mma(acc[i][j], a[i], b[j][0], b[j][1]);
    }
  }
}

// Accumulators -> epilogue(row, column, float[8]) for rows and columns of the block. Fragments hold two
// columns per lane; they pass through this warp's own staging rows so that each lane gets eight, which is
// one 16-byte store of a 16-bit output. The read loop is not unrolled: the epilogue is long.
template <class Config, class Epilogue>
FP_DEVICE void drain(const float (&acc)[Config::kTilesM][Config::kTilesN][4],
                     unsigned char* staging, int warp_m, int warp_n, int rows, int columns,
                     const Epilogue& epilogue) {
  constexpr int kColumns = Config::kStageColumns, kChunks = kColumns / 4;
  constexpr int kRowsPerRead = 256 / kColumns;
  const int lane = threadIdx.x & 31;
  // Eight lanes read one wavefront: rows r and r + 4, whose swizzles differ in the lowest bit.
  const int part = kColumns == 32 ? lane & 3 : lane & 1;
  const int read_row = kColumns == 32 ? (lane >> 2 & 1) * 4 + (lane >> 3)
                                      : (lane >> 1 & 1) + (lane >> 3 & 1) * 2 +
                                            (lane >> 2 & 1) * 4 + (lane >> 4) * 8;
#pragma unroll
  for (int j0 = 0; j0 < Config::kTilesN; j0 += kColumns / 8) {
    const int column = warp_n + j0 * 8 + part * 8;
#pragma unroll
    for (int i0 = 0; i0 < Config::kTilesM; i0 += Config::kStageTiles) {
      __syncwarp();
#pragma unroll
      for (int i = 0; i < Config::kStageTiles; ++i) {
#pragma unroll
        for (int j = 0; j < kColumns / 8; ++j) {
#pragma unroll
          for (int half = 0; half < 2; ++half) {
            const int row = i * 16 + half * 8 + lane / 4, chunk = j * 2 + (lane >> 1 & 1);
            *reinterpret_cast<float2*>(staging + tile_offset<kChunks>(row, chunk) +
                                       (lane & 1) * 8) = {acc[i0 + i][j0 + j][2 * half],
                                                          acc[i0 + i][j0 + j][2 * half + 1]};
          }
        }
      }
      __syncwarp();
#pragma unroll 1
      for (int row = read_row; row < Config::kStageTiles * 16; row += kRowsPerRead) {
        const int tile_row = warp_m + i0 * 16 + row;
        if (tile_row >= rows || column >= columns) continue;
        const float4 low =
            *reinterpret_cast<const float4*>(staging + tile_offset<kChunks>(row, part * 2));
        const float4 high =
            *reinterpret_cast<const float4*>(staging + tile_offset<kChunks>(row, part * 2 + 1));
        float v[8] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
        epilogue(tile_row, column, v);
      }
    }
  }
}

// For weights without a scale per block of k.
struct NoScale {
  FP_DEVICE float operator()(int, int) const { return 1.f; }
};

// One block. load_a(tile) and load_w(tile) fill the next stage; scale(column, step) is read only with
// kBlockScale; rows and columns say how much of the block exists.
template <class Config, class LoadA, class LoadW, class Scale, class Epilogue>
FP_DEVICE void gemm(int k, int rows, int columns, LoadA& load_a, LoadW& load_w, const Scale& scale,
                    const Epilogue& epilogue) {
  constexpr GemmTile kTile = Config::kTile;
  auto& shared = shared_storage<typename Config::Storage>();
  const int warp = threadIdx.x >> 5, lane = threadIdx.x & 31;
  const int warp_m = warp / kTile.warps_n * Config::kWarpM;
  const int warp_n = warp % kTile.warps_n * Config::kWarpN;
  const int steps = (k + kGemmBlockK - 1) / kGemmBlockK;

#pragma unroll
  for (int s = 0; s < kTile.stages - 1; ++s) {
    if (s < steps) {
      load_a(shared.a[s]);
      load_w(shared.w[s]);
    }
    ptx::cp_async_commit();
  }

  float acc[Config::kTilesM][Config::kTilesN][4] = {};
  int stage = 0, free_stage = kTile.stages - 1;
  for (int step = 0; step < steps; ++step) {
    ptx::cp_async_wait<kTile.stages - 2>();
    __syncthreads();
    if (step + kTile.stages - 1 < steps) {
      load_a(shared.a[free_stage]);
      load_w(shared.w[free_stage]);
    }
    ptx::cp_async_commit();
    if constexpr (Config::kBlockScale) {
      float scales[Config::kTilesN][2];
      float products[Config::kTilesM][Config::kTilesN][4] = {};
#pragma unroll
      for (int j = 0; j < Config::kTilesN; ++j) {
        scales[j][0] = scale(warp_n + j * 8 + (lane & 3) * 2, step);
        scales[j][1] = scale(warp_n + j * 8 + (lane & 3) * 2 + 1, step);
      }
      multiply_stage<Config>(products, shared.a[stage], shared.w[stage], warp_m, warp_n);
#pragma unroll
      for (int i = 0; i < Config::kTilesM; ++i) {
#pragma unroll
        for (int j = 0; j < Config::kTilesN; ++j) {
#pragma unroll
          for (int e = 0; e < 4; ++e) {
            acc[i][j][e] = fmaf(products[i][j][e], scales[j][e & 1], acc[i][j][e]);
          }
        }
      }
    } else {
      multiply_stage<Config>(acc, shared.a[stage], shared.w[stage], warp_m, warp_n);
    }
    stage = stage + 1 == kTile.stages ? 0 : stage + 1;
    free_stage = free_stage + 1 == kTile.stages ? 0 : free_stage + 1;
  }

  ptx::cp_async_wait<0>();
  __syncthreads();  // the stages become staging
  drain<Config>(acc, shared.a[0] + warp * (Config::kStageTiles * Config::kStageTileBytes), warp_m,
                warp_n, rows, columns, epilogue);
}

}  // namespace framepack
