// Shapes of the tensor-core matrix product that matmul, conv3d and patchify share. Plain C++: plan
// functions size grids and shared memory with the very constants that the kernels are compiled from.
#pragma once

namespace framepack {

constexpr int kGemmBlockK =
    64;  // elements of k per pipeline stage: one 128-byte line of a row of a

// Blocks walk the output in groups of this many tile rows, so that the tiles in flight share rows of a
// and rows of w in the L2 cache.
constexpr int kGemmRasterRows = 8;

// A block computes block_m x block_n outputs with warps_m x warps_n warps.
struct GemmTile {
  int block_m, block_n, warps_m, warps_n, stages;

  constexpr int threads() const { return warps_m * warps_n * 32; }
  constexpr int warp_m() const { return block_m / warps_m; }
  constexpr int warp_n() const { return block_n / warps_n; }
  constexpr int shared_bytes(int weight_bytes) const {
    return stages * kGemmBlockK * (block_m * 2 + block_n * weight_bytes);
  }
};

// Tile of the f32 product, whose operands may have any dtype.
constexpr int kGemmF32Block = 64;
constexpr int kGemmF32BlockK = 16;
constexpr int kGemmF32Threads = 256;
constexpr int kGemmF32SharedBytes = 2 * kGemmF32Block * kGemmF32BlockK * 4;

}  // namespace framepack
