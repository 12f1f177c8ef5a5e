// bf16 products on AMX tiles: 32 x 32 sums in four tiles, two tiles of a and two of b per 32 k.
//
// Measured on a Sapphire Rapids class Xeon with a prototype of this loop, packed a, one thread:
// 0.52 to 0.55 TFLOP/s on products of 256 to 4096 rows, five times its AVX-512 f32 rate; spacing
// the tile instructions with eight one-byte NOPs and prefetching two steps ahead gave +41 % where
// the other hyperthread was busy and cost 5 to 10 % on an idle core. This file itself has only run
// on the emulated tiles of amx_tiles.h and on an emulated processor (bench/JOURNAL.md).
#include "simd/simd_avx512.h"
// Kept apart from the line above: the kernels are compiled for the lanes that it defines.
#include "contraction/panel.h"
#include "simd/amx_tiles.h"

namespace framepack::cpu::isa {

namespace {

constexpr int kTileSide = 16;        // rows of a tile, and f32 columns
constexpr int kStepK = 32;           // bf16 of one tile row
constexpr long long kRowBytes = 64;  // of every tile
constexpr long long kTileBytes = kTileSide * kRowBytes;
constexpr long long kPrefetchSteps = 2;

// Tiles 0 to 3 are sums (two rows of two), 4 and 5 are a, 6 and 7 are b.
TileShapes shapes_of(int rows) {
  TileShapes shapes;
  const int low = rows < kTileSide ? rows : kTileSide, high = rows - low;
  const int heights[8] = {low, low, high, high, low, high, kTileSide, kTileSide};
  for (int tile = 0; tile < 8; ++tile) {
    // A tile without rows must not have columns either, and is not used.
    shapes.rows[tile] = static_cast<uint8_t>(heights[tile]);
    shapes.row_bytes[tile] = heights[tile] == 0 ? 0 : kRowBytes;
  }
  return shapes;
}

void open_tiles() { configure_tiles(shapes_of(2 * kTileSide)); }

inline __attribute__((always_inline)) void prefetch_lines(const char* p, long long stride,
                                                          int first) {
  for (int i = first; i < first + 8; ++i) {
    asm volatile("prefetcht0 %0" ::"m"(*(p + i * stride)));
  }
}

template <bool kHasHigh>
inline void multiply_step(const char* a, long long a_stride, const char* b) {
  const char* next_a = a + kPrefetchSteps * kRowBytes;
  const char* next_b = b + kPrefetchSteps * 2 * kTileBytes;
  load_tile<4>(a, a_stride);
  space_tiles();
  if constexpr (kHasHigh) load_tile<5>(a + kTileSide * a_stride, a_stride);
  space_tiles();
  load_tile<6>(b, kRowBytes);
  space_tiles();
  load_tile<7>(b + kTileBytes, kRowBytes);
  space_tiles();
  multiply_tiles<0, 4, 6>();
  prefetch_lines(next_a, a_stride, 0);
  prefetch_lines(next_b, kRowBytes, 0);
  multiply_tiles<1, 4, 7>();
  prefetch_lines(next_a, a_stride, 8);
  prefetch_lines(next_b, kRowBytes, 8);
  if constexpr (kHasHigh) {
    multiply_tiles<2, 5, 6>();
    prefetch_lines(next_a, a_stride, 16);
    prefetch_lines(next_b, kRowBytes, 16);
    multiply_tiles<3, 5, 7>();
    prefetch_lines(next_a, a_stride, 24);
    prefetch_lines(next_b, kRowBytes, 24);
  }
}

template <bool kHasHigh>
inline void multiply(const TileArgs& args) {
  const long long c_stride = args.c_stride * 4, a_stride = args.a_row_stride * 2;
  float* high = args.c + kTileSide * args.c_stride;
  if (args.accumulates) {
    load_tile<0>(args.c, c_stride);
    load_tile<1>(args.c + kTileSide, c_stride);
    if constexpr (kHasHigh) load_tile<2>(high, c_stride);
    if constexpr (kHasHigh) load_tile<3>(high + kTileSide, c_stride);
  } else {
    zero_tile<0>();
    zero_tile<1>();
    if constexpr (kHasHigh) zero_tile<2>();
    if constexpr (kHasHigh) zero_tile<3>();
  }
  const auto* b = static_cast<const char*>(args.panel);
  for (long long s = 0; s < args.segments; ++s) {
    const char* a = static_cast<const char*>(args.a) + args.offsets[s] * 2;
    for (long long k = 0; k < args.k; k += kStepK) {
      multiply_step<kHasHigh>(a, a_stride, b);
      a += kRowBytes;
      b += 2 * kTileBytes;
    }
  }
  store_tile<0>(args.c, c_stride);
  store_tile<1>(args.c + kTileSide, c_stride);
  if constexpr (kHasHigh) store_tile<2>(high, c_stride);
  if constexpr (kHasHigh) store_tile<3>(high + kTileSide, c_stride);
}

void tile(const TileArgs& args) {
  const bool is_ragged = args.rows % kTileSide != 0;
  if (is_ragged) configure_tiles(shapes_of(args.rows));
  if (args.rows > kTileSide) {
    multiply<true>(args);
  } else {
    multiply<false>(args);
  }
  if (is_ragged) open_tiles();
}

// A panel step is two tiles of b: [2, 16 pairs of k, 16 columns, 2].
template <DType kType>
void pack_tiles_as(const ColumnSource& source, long long k, void* panel) {
  alignas(64) unsigned short stage[kStageRows][kStageK];
  for (int first = 0; first < 2 * kTileSide; first += kStageRows) {
    auto* columns =
        static_cast<Long*>(panel) + first / kTileSide * kTileSide * kTileSide + first % kTileSide;
    for (long long begin = 0; begin < k; begin += kStageK) {
      const int count = static_cast<int>(k - begin < kStageK ? k - begin : kStageK);
      const StagedRows rows = stage_rows<Bf16Stage, kType>(source, first, begin, count, stage);
      for (int i = 0; i < count; i += kStepK) {
        Long* step = columns + (begin + i) / kStepK * 2 * kTileSide * kTileSide;
        const Long* x = rows.data + i / 2;
        transpose_block(x, rows.stride, step, kTileSide);
        transpose_block(x + 8, rows.stride, step + 8 * kTileSide, kTileSide);
      }
    }
  }
}

void pack_tiles(const ColumnSource& source, long long k, void* panel, float*) {
  switch (source.dtype) {
    case DType::kF16: return pack_tiles_as<DType::kF16>(source, k, panel);
    case DType::kBf16: return pack_tiles_as<DType::kBf16>(source, k, panel);
    case DType::kF8E4M3: return pack_tiles_as<DType::kF8E4M3>(source, k, panel);
    default: return pack_tiles_as<DType::kF32>(source, k, panel);
  }
}

void round_tiles(const float* sums, long long k, int width, void* panel, float*) {
  const long long padded = (k + kStepK - 1) / kStepK * kStepK;
  for (long long row = 0; row < padded; row += 2) {
    alignas(64) float pairs[2 * kTileSide] = {};
    if (row < k) round_row_pair<Bf16Stage>(sums + row * width, row + 1 < k, width, pairs);
    float* step = static_cast<float*>(panel) + row / kStepK * 2 * kTileSide * kTileSide +
                  row % kStepK / 2 * kTileSide;
    for (int half = 0; half < 2; ++half) {
      store(load(pairs + half * kTileSide, kLanes), step + half * kTileSide * kTileSide, kLanes);
    }
  }
}

// Tiles multiply eight times as fast as vectors, so more rows must share the packing of a panel, and
// sums go to memory less often. From the caches' sizes; not measured.
constexpr GemmKernels kAmxGemm = {
    .tile_rows = 2 * kTileSide,
    .row_step = kTileSide,
    .tile_columns = 2 * kTileSide,
    .lanes = 2 * kTileSide,
    .k_step = kStepK,
    .element_bytes = 2,
    .block = {1024, 256, 512},
    .pack_panel = pack_tiles,
    .round_panel = round_tiles,
    .tile = tile,
    .winograd_input = nullptr,
    .winograd_channels = 0,
    .open = open_tiles,
    .close = release_tiles,
};

}  // namespace

#if defined(FRAMEPACK_EMULATED)
const GemmKernels* gemm_table_emulated_amx() { return &kAmxGemm; }
#else
const GemmKernels* gemm_table_amx() { return &kAmxGemm; }
#endif

}  // namespace framepack::cpu::isa
