// bf16 products with short sums in f16, which AVX-512-FP16 multiplies at twice the rate of f32; for
// processors without a faster way to multiply bf16.
//
// f16 holds the digits of every bf16 number but not its range, so each row of a and each column of a panel
// is scaled by a power of two that brings its largest number to [8, 16). A product is then below 256, a
// sum of kChunk / 2 of them far below the largest f16. Each lane sums the even or the odd ones of kChunk
// numbers; then both join an f32 sum. That adds 8e-4 of a sum of random numbers, half of what rounding
// it to bf16 costs (bench/JOURNAL.md). Numbers below 2^-20 of the largest of their row or column lose digits,
// below 2^-28 they count as zero. Run on an emulated processor only; no speed was measured.
#include "simd/f16_pairs.h"
// Kept apart from the line above: the kernels are compiled for the lanes that it defines.
#include "contraction/panel.h"
#include "contraction/tile.h"

namespace framepack::cpu::isa {

#if defined(FRAMEPACK_FP16)

namespace {

constexpr long long kChunk = 64;

// Multiplies f16 pairs, two k per step in two sums.
struct F16Multiply {
  using Element = unsigned short;
  using Sum = F16Pairs;
  static constexpr int kStep = 2;
  using Operand = F16Pairs;
  static Operand load_b(const Element* p) { return (Operand)load_pairs(p); }
  static Operand broadcast(const Element* p) { return (Operand)broadcast_pair(p); }
  static Sum add(Operand a, Operand b, Sum c) { return fma_pairs(a, b, c); }
};

template <class Multiply, int kRows, int kVectors>
struct FoldingTile {
  using Element = typename Multiply::Element;
  using Sum = typename Multiply::Sum;

  static void run(const TileArgs& args) {
    const Rows<Element> rows(args.a_row_stride);
    const long long a_step = args.a_k_stride * Multiply::kStep;
    const auto* panel = static_cast<const Element*>(args.panel);
    bool accumulates = args.accumulates;
    for (long long s = 0; s < args.segments; ++s) {
      const Element* a = static_cast<const Element*>(args.a) + args.offsets[s];
      for (long long k = 0; k < args.k; k += kChunk) {
        Sum sums[kRows][kVectors] = {};
        const long long count = args.k - k < kChunk ? args.k - k : kChunk;
        TileSums<Multiply, kRows, kVectors>::add(sums, rows, count, a_step, a, panel);
        // By way of memory: loads widen f16 for less than moving lanes between registers costs.
        alignas(64) Element pairs[kRows][kVectors][2 * kLanes];
        __builtin_memcpy(pairs, sums, sizeof pairs);
        accumulates ? fold<true>(args, pairs) : fold<false>(args, pairs);
        accumulates = true;
      }
    }
  }

  // Not inlined, where its constants would take registers from the sums.
  template <bool kAccumulates>
  static __attribute__((noinline)) void fold(const TileArgs& args,
                                             const Element (&pairs)[kRows][kVectors][2 * kLanes]) {
    const float* row_scale = args.row_scale;
    const long long stride = args.c_stride;
    float* c = args.c;
    Float column_scale[kVectors];
    for (int v = 0; v < kVectors; ++v) {
      column_scale[v] = load(args.column_scale + v * kLanes, kLanes);
    }
    for (int i = 0; i < kRows; ++i, c += stride) {
      for (int v = 0; v < kVectors; ++v) {
        const Float before = kAccumulates ? load(c + v * kLanes, kLanes) : Float{};
        store(fma(add_pairs(pairs[i][v]), row_scale[i] * column_scale[v], before), c + v * kLanes,
              kLanes);
      }
    }
  }
};

void folding_tile(const TileArgs& args) { run_tile<FoldingTile, F16Multiply, kTileRows>(args); }

constexpr int kInfinity = 0x7f80;  // of bf16; it and NaN remain what they are at any scale

// 2^(e - 3) for bf16 magnitudes from 2^e on, as bits; it and its inverse are normal numbers.
inline Int scale_bits(Int largest) {
  const Int exponent = (largest >> 7) - 3;
  return (exponent < 1 ? Int{} + 1 : exponent) << 23;
}
inline Float inverse_of_power(Int bits) { return as_float((254 << 23) - bits); }

float scale_of(const unsigned short* row, long long k) {
  int largest = 0;
  for (long long i = 0; i < k; ++i) {
    const int magnitude = row[i] & 0x7fff;
    largest = magnitude > largest && magnitude < kInfinity ? magnitude : largest;
  }
  return as_float(scale_bits(Int{} + largest))[0];
}

void scale_row(unsigned short* row, long long k, float scale) {
  const Float factor = splat(1 / scale);
  for_lanes(k, [=](long long i, int n) {
    store_f16(load_as<DType::kBf16>(row, i, n) * factor, row + i, n);
  });
}

// Packs bf16 pairs, then makes f16 of them where they lie.
void pack_scaled_panel(const ColumnSource& source, long long k, void* panel, float* column_scale) {
  pack_panel<Bf16Stage>(source, k, panel, nullptr);
  const int width = source.columns <= kNarrowPanel ? kNarrowPanel : 2 * kLanes;
  for (int lane = 0; lane < width; lane += kLanes) {
    auto* pairs = static_cast<float*>(panel) + lane;
    const long long count = (k + 1) / 2;
    Int largest = {};
    for (long long i = 0; i < count; ++i) {
      const Int pair = as_int(load(pairs + i * width, kLanes));
      for (int shift = 0; shift <= 16; shift += 16) {
        const Int magnitude = pair >> shift & 0x7fff;
        const Int finite = magnitude < kInfinity ? magnitude : Int{};
        largest = finite > largest ? finite : largest;
      }
    }
    const Int scale = scale_bits(largest);
    const Float factor = inverse_of_power(scale);
    for (long long i = 0; i < count; ++i) {
      const Int pair = as_int(load(pairs + i * width, kLanes));
      const Int low = f16_bits(as_float(pair << 16) * factor);
      const Int high = f16_bits(as_float(pair & ~0xffff) * factor);
      store(as_float(low | high << 16), pairs + i * width, kLanes);
    }
    store(as_float(scale), column_scale + lane, kLanes);
  }
}

// Numbers from 0 to 1 as f16 of 16 times their size: small ones keep four bits more.
struct F16Stage {
  static Int bits(Float x) { return f16_bits(x * 16.0f); }
};

void round_scaled_panel(const float* numbers, long long k, int width, void* panel,
                        float* column_scale) {
  round_pairs<F16Stage>(numbers, k, width, panel, nullptr);
  for (int column = 0; column < width; ++column) column_scale[column] = 1.0f / 16;
}

constexpr GemmKernels kF16Gemm = {
    .tile_rows = kTileRows,
    .row_step = 1,
    .tile_columns = 2 * kLanes,
    .lanes = kLanes,
    .k_step = 2,
    .element_bytes = 2,
    .block = {504, 256, 512},
    .pack_panel = pack_scaled_panel,
    .round_panel = round_scaled_panel,
    .tile = folding_tile,
    .winograd_input = nullptr,
    .winograd_channels = 0,
    .scale_of = scale_of,
    .scale_row = scale_row,
};

}  // namespace

#endif

#if defined(FRAMEPACK_EMULATED)
const GemmKernels* gemm_table_emulated_fp16() { return &kF16Gemm; }
#elif defined(FRAMEPACK_FP16)
const GemmKernels* gemm_table_avx512_fp16() { return &kF16Gemm; }
#else
const GemmKernels* gemm_table_avx512_fp16() { return nullptr; }
#endif

}  // namespace framepack::cpu::isa
