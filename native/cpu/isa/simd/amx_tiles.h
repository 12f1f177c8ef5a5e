// The six tile instructions of AMX-bf16, and their emulation for processors without them.
//
// Own wrappers, because the intrinsics of g++ 12 declare neither the memory that ldtilecfg and
// tileloadd read nor the order between them and ordinary stores. With FRAMEPACK_EMULATED the same
// names work on arrays of the calling thread, so that a test can prove the kernels above.
#pragma once
#include <cstdint>

namespace framepack::cpu::isa {
namespace {

// Palette 1: eight tiles of up to 16 rows of 64 bytes.
struct alignas(64) TileShapes {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};

#if defined(FRAMEPACK_EMULATED)

struct EmulatedTiles {
  TileShapes shapes;
  alignas(64) uint8_t data[8][16][64];
};

inline EmulatedTiles& emulated_tiles() {
  static thread_local EmulatedTiles tiles;
  return tiles;
}

inline void configure_tiles(const TileShapes& shapes) {
  emulated_tiles().shapes = shapes;
  __builtin_memset(emulated_tiles().data, 0, sizeof(emulated_tiles().data));
}

inline void release_tiles() { emulated_tiles().shapes.palette = 0; }

template <int kTile>
inline void zero_tile() {
  __builtin_memset(emulated_tiles().data[kTile], 0, sizeof(emulated_tiles().data[kTile]));
}

template <int kTile>
inline void load_tile(const void* source, long long row_bytes) {
  zero_tile<kTile>();
  EmulatedTiles& tiles = emulated_tiles();
  for (int row = 0; row < tiles.shapes.rows[kTile]; ++row) {
    __builtin_memcpy(tiles.data[kTile][row], static_cast<const char*>(source) + row * row_bytes,
                     tiles.shapes.row_bytes[kTile]);
  }
}

template <int kTile>
inline void store_tile(void* target, long long row_bytes) {
  EmulatedTiles& tiles = emulated_tiles();
  for (int row = 0; row < tiles.shapes.rows[kTile]; ++row) {
    __builtin_memcpy(static_cast<char*>(target) + row * row_bytes, tiles.data[kTile][row],
                     tiles.shapes.row_bytes[kTile]);
  }
}

// One f32 of a tile is two bf16 of a row of a, or a pair of rows of b.
inline float bf16_at(const uint8_t* pair, int which) {
  uint16_t bits;
  __builtin_memcpy(&bits, pair + 2 * which, sizeof bits);
  return __builtin_bit_cast(float, uint32_t{bits} << 16);
}

template <int kC, int kA, int kB>
inline void multiply_tiles() {
  EmulatedTiles& tiles = emulated_tiles();
  for (int row = 0; row < tiles.shapes.rows[kC]; ++row) {
    for (int pair = 0; pair < 16; ++pair) {
      for (int column = 0; column < 16; ++column) {
        float sum;
        uint8_t* c = tiles.data[kC][row] + 4 * column;
        const uint8_t* a = tiles.data[kA][row] + 4 * pair;
        const uint8_t* b = tiles.data[kB][pair] + 4 * column;
        __builtin_memcpy(&sum, c, sizeof sum);
        sum += bf16_at(a, 0) * bf16_at(b, 0);
        sum += bf16_at(a, 1) * bf16_at(b, 1);
        __builtin_memcpy(c, &sum, sizeof sum);
      }
    }
  }
}

inline void space_tiles() {}

#else

inline void configure_tiles(const TileShapes& shapes) {
  asm volatile("ldtilecfg %0" ::"m"(shapes) : "memory");
}

inline void release_tiles() { asm volatile("tilerelease" ::: "memory"); }

template <int kTile>
inline __attribute__((always_inline)) void zero_tile() {
  asm volatile("tilezero %%tmm%c0" ::"i"(kTile) : "memory");
}

template <int kTile>
inline __attribute__((always_inline)) void load_tile(const void* source, long long row_bytes) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(source), "r"(row_bytes), "i"(kTile)
               : "memory");
}

template <int kTile>
inline __attribute__((always_inline)) void store_tile(void* target, long long row_bytes) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(target), "r"(row_bytes), "i"(kTile)
               : "memory");
}

template <int kC, int kA, int kB>
inline __attribute__((always_inline)) void multiply_tiles() {
  asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(kC), "i"(kA), "i"(kB) : "memory");
}

// Eight one-byte instructions between tile instructions; see contraction_amx.cc.
inline __attribute__((always_inline)) void space_tiles() {
  asm volatile("nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop");
}

#endif

}  // namespace
}  // namespace framepack::cpu::isa
