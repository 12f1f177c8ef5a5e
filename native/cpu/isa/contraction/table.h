// The f32 kernels of the instruction set whose simd_<isa>.h was included first.
#pragma once
#include "dot.h"
#include "finish.h"
#include "panel.h"
#include "softmax.h"
#include "tile.h"
#include "winograd.h"

namespace framepack::cpu::isa {
namespace {

constexpr GemmKernels kF32Gemm = {
    .tile_rows = kTileRows,
    .row_step = 1,
    .tile_columns = 2 * kLanes,
    .lanes = kNarrowPanel,
    .k_step = 1,
    .element_bytes = 4,
    .block = {504, 256, 512},
    .pack_panel = pack_panel<F32Stage>,
    .round_panel = nullptr,
    .tile = tile<F32Multiply>,
    .winograd_input = winograd_input<F32Stage>,
    .winograd_channels = 24,
};

constexpr KernelTable kF32Table = {
    kF32Gemm, nullptr, dot, finish, softmax, scale_columns, winograd_weight, winograd_output};

}  // namespace
}  // namespace framepack::cpu::isa
