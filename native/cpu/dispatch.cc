#include "dispatch.h"

#include <string>

#include "../core/error.h"
#include "isa/kernel_table.h"
#include "isa/vector_table.h"

#if defined(__x86_64__)
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#endif

namespace framepack::cpu {

namespace {

constexpr const char* kLevelNames[] = {"scalar", "neon", "avx2", "avx512", "amx"};

#if defined(__x86_64__)

struct CpuidLeaf {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};

CpuidLeaf cpuid(unsigned leaf, unsigned subleaf) {
  CpuidLeaf result;
  __get_cpuid_count(leaf, subleaf, &result.eax, &result.ebx, &result.ecx, &result.edx);
  return result;
}

constexpr bool has_bit(unsigned word, int bit) { return (word >> bit & 1u) != 0; }

// Register states that the operating system saves and restores.
unsigned enabled_states() {
  unsigned low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

bool request_tile_permission() {
#if defined(__linux__)
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;               // XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

IsaLevel probe() {
  const CpuidLeaf leaf1 = cpuid(1, 0);
  if (!has_bit(leaf1.ecx, 27)) return IsaLevel::kScalar;  // OSXSAVE
  const CpuidLeaf leaf7 = cpuid(7, 0);
  const unsigned states = enabled_states();

  constexpr unsigned kYmm = 0x6, kZmm = 0xe6, kTiles = 0x60000;
  const bool has_fma = has_bit(leaf1.ecx, 12), has_f16c = has_bit(leaf1.ecx, 29);
  if ((states & kYmm) != kYmm || !has_fma || !has_f16c || !has_bit(leaf7.ebx, 5)) {
    return IsaLevel::kScalar;
  }
  constexpr int kAvx512Bits[] = {16, 17, 30, 31};  // F, DQ, BW, VL
  if ((states & kZmm) != kZmm) return IsaLevel::kAvx2;
  for (const int bit : kAvx512Bits) {
    if (!has_bit(leaf7.ebx, bit)) return IsaLevel::kAvx2;
  }
  const bool has_avx512_bf16 = has_bit(cpuid(7, 1).eax, 5), has_vbmi = has_bit(leaf7.ecx, 1);
  const bool has_amx = has_bit(leaf7.edx, 24) && has_bit(leaf7.edx, 22);  // TILE, BF16
  if (!has_amx || !has_avx512_bf16 || !has_vbmi || (states & kTiles) != kTiles) {
    return IsaLevel::kAvx512;
  }
  return request_tile_permission() ? IsaLevel::kAmx : IsaLevel::kAvx512;
}

// vdpbf16ps runs at twice the rate of an f32 FMA on AMD processors, at half of it on the Intel ones
// that have it: there widening to f32 is faster.
bool has_fast_bf16_dot() {
  constexpr unsigned kAuthenticAmd[] = {0x68747541, 0x69746e65, 0x444d4163};
  const CpuidLeaf vendor = cpuid(0, 0);
  return vendor.ebx == kAuthenticAmd[0] && vendor.edx == kAuthenticAmd[1] &&
         vendor.ecx == kAuthenticAmd[2] && has_bit(cpuid(7, 1).eax, 5);
}

bool has_avx512_fp16() { return has_bit(cpuid(7, 0).edx, 23); }

// The fastest kernels for bf16 operands, if there are any.
isa::KernelTable avx512_table() {
  if (has_fast_bf16_dot()) return *isa::kernel_table_avx512_bf16();
  isa::KernelTable table = *isa::kernel_table_avx512();
  if (has_avx512_fp16()) table.bf16 = isa::gemm_table_avx512_fp16();
  return table;
}

#elif defined(__aarch64__)

// Every processor of the architecture has it.
IsaLevel probe() { return IsaLevel::kNeon; }

#else

IsaLevel probe() { return IsaLevel::kScalar; }

#endif

}  // namespace

IsaLevel parse_isa_level(std::string_view name) {
  for (const IsaLevel level : kIsaLevels) {
    if (name == name_of(level)) return level;
  }
  throw Error(kErrArgument, "openDevice",
              "isa expected scalar, neon, avx2, avx512 or amx, got " + std::string(name));
}

const char* name_of(IsaLevel level) { return kLevelNames[static_cast<int>(level)]; }

IsaLevel detect_isa_level() {
  static const IsaLevel level = probe();
  return level;
}

IsaLevel isa_level_up_to(IsaLevel cap) {
  IsaLevel best = IsaLevel::kScalar;
  for (const IsaLevel level : kIsaLevels) {
    if (level <= cap && level <= detect_isa_level() && kernel_table(level)) best = level;
  }
  return best;
}

const isa::KernelTable* kernel_table(IsaLevel level) {
#if defined(__x86_64__)
  if (level == IsaLevel::kAmx) {
    static const isa::KernelTable table = [] {
      isa::KernelTable amx = *isa::kernel_table_avx512();
      amx.bf16 = isa::gemm_table_amx();
      return amx;
    }();
    return &table;
  }
  if (level == IsaLevel::kAvx512) {
    static const isa::KernelTable table = avx512_table();
    return &table;
  }
  if (level == IsaLevel::kAvx2) return isa::kernel_table_avx2();
#elif defined(__aarch64__)
  if (level == IsaLevel::kNeon) return isa::kernel_table_neon();
#endif
  return nullptr;
}

const isa::VectorTable* vector_table(IsaLevel level) {
#if defined(__x86_64__)
  if (level >= IsaLevel::kAvx512) return isa::vector_table_avx512();
  if (level == IsaLevel::kAvx2) return isa::vector_table_avx2();
#elif defined(__aarch64__)
  if (level == IsaLevel::kNeon) return isa::vector_table_neon();
#endif
  return nullptr;
}

}  // namespace framepack::cpu
