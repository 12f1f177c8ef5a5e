// Shared memory: one storage struct per kernel, and the swizzle of every tile of 16-byte chunks.
#pragma once
#include "ptx.cuh"

namespace framepack {

// A block's dynamic shared memory seen as Storage; the plan function launches with sizeof(Storage).
template <class Storage>
FP_DEVICE Storage& shared_storage() {
  extern __shared__ __align__(128) unsigned char dynamic_shared[];
  return *reinterpret_cast<Storage*>(dynamic_shared);
}

FP_DEVICE uint32_t shared_address(const void* pointer) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
}

// Which bits of a row number are xor-ed into its chunk numbers, for rows of kChunks 16-byte chunks.
// A wavefront is 128 bytes: 8 lanes of 16 bytes (ldmatrix, cp.async, 128-bit loads) or 16 lanes of 8
// bytes (fragments of 4 rows x 4 lanes). 128-byte rows must send 8 rows of one chunk to 8 places, and 4
// consecutive rows of one chunk *pair* to 4 pairs; hence the rotated bits. Shorter rows share a line.
template <int kChunks>
FP_DEVICE int swizzle_bits(int row) {
  static_assert(kChunks % 8 == 0 || kChunks == 2 || kChunks == 4 || kChunks == 10, "no swizzle");
  if constexpr (kChunks % 8 == 0) return (row & 3) << 1 | (row >> 2 & 1);
  if constexpr (kChunks == 4) return (row >> 1 & 1) << 1 | (row >> 2 & 1);
  return row >> 2 & 1;
}

// Byte offset of chunk `chunk` of row `row` in a swizzled tile.
template <int kChunks>
FP_DEVICE uint32_t tile_offset(int row, int chunk) {
  return static_cast<uint32_t>(row * kChunks + (chunk ^ swizzle_bits<kChunks>(row))) * 16;
}

// A lane's place in a swizzled tile, from which it reaches other rows and chunks of a loop. Rows move by
// multiples of 8, which keep the swizzle, so they become immediates; chunks move by xor, which is addition
// as long as the steps are multiples of a power of two above the lane's own chunk.
template <int kChunks>
class TileCursor {
 public:
  FP_DEVICE TileCursor(int row, int chunk)
      : row_(static_cast<uint32_t>(row * kChunks * 16)),
        column_(static_cast<uint32_t>((chunk ^ swizzle_bits<kChunks>(row)) * 16)) {}

  FP_DEVICE uint32_t offset(int rows, int chunks) const {
    return row_ + (column_ ^ static_cast<uint32_t>(chunks * 16)) +
           static_cast<uint32_t>(rows * kChunks * 16);
  }

 private:
  uint32_t row_, column_;
};

}  // namespace framepack
