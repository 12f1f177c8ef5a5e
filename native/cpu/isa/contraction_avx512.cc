#include "simd/simd_avx512.h"
// Kept apart from the line above: the kernels are compiled for the lanes that it defines.
#include "contraction/table.h"

namespace framepack::cpu::isa {

namespace {

// Multiplies bf16 pairs with vdpbf16ps: products are exact, each step adds two of them to a sum.
// Subnormal inputs and results count as zero.
struct Bf16Multiply {
  using Element = unsigned short;
  using Sum = Float;
  static constexpr int kStep = 2;
  using Operand = __m512bh;
  static Operand load_b(const Element* p) { return (Operand)load_pairs(p); }
  static Operand broadcast(const Element* p) { return (Operand)broadcast_pair(p); }
  static Float add(Operand a, Operand b, Float c) { return _mm512_dpbf16_ps(c, a, b); }
};

constexpr GemmKernels kBf16Gemm = {
    .tile_rows = kTileRows,
    .row_step = 1,
    .tile_columns = 2 * kLanes,
    .lanes = kLanes,
    .k_step = 2,
    .element_bytes = 2,
    .block = {504, 256, 512},
    .pack_panel = pack_panel<Bf16Stage>,
    .round_panel = round_pairs<Bf16Stage>,
    .tile = tile<Bf16Multiply>,
    .winograd_input = winograd_input<Bf16Stage>,
    .winograd_channels = 48,
};

constexpr KernelTable kBf16Table = [] {
  KernelTable table = kF32Table;
  table.bf16 = &kBf16Gemm;
  return table;
}();

}  // namespace

const KernelTable* kernel_table_avx512() { return &kF32Table; }
const KernelTable* kernel_table_avx512_bf16() { return &kBf16Table; }

}  // namespace framepack::cpu::isa
