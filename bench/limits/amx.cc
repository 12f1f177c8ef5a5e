#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/limits/probes.h"

namespace framepack::limits {
namespace {

constexpr int kTileRows = 16;
constexpr int kTileBytes = 64;
constexpr int kNumTiles = 8;
// 16 x 16 sums of 32 products, on four accumulators.
constexpr double kFlopsPerStep = 4 * 16.0 * 16 * 32 * 2;

struct alignas(64) TileConfig {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t column_bytes[16] = {};
  uint8_t rows[16] = {};
};

// The kernel grants the tile state to a process that asks (Documentation/arch/x86/xstate.rst).
bool available() {
  constexpr int kRequestPermission = 0x1023;
  constexpr int kTileData = 18;
  constexpr unsigned kTileBits = (1u << 22) | (1u << 24);
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & kTileBits) == kTileBits &&
         syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

void run(int64_t steps) {
  TileConfig config;
  for (int tile = 0; tile < kNumTiles; ++tile) {
    config.column_bytes[tile] = kTileBytes;
    config.rows[tile] = kTileRows;
  }
  // Not the intrinsic: it tells the compiler about the first bytes only, which then drops the other stores.
  asm volatile("ldtilecfg %0" : : "m"(config) : "memory");
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(4);
  _tile_zero(5);
  _tile_zero(6);
  _tile_zero(7);
  for (int64_t step = 0; step < steps; ++step) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_release();
}

}  // namespace

const RegisterProbe kTilesAmx = {"tiles", "amx", "bf16", kFlopsPerStep, available, run};

}  // namespace framepack::limits
