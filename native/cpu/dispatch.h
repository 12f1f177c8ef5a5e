// Choice of the instruction set: what this processor and its operating system support, capped by
// the caller.
#pragma once
#include <string_view>

namespace framepack::cpu {

namespace isa {
struct KernelTable;
struct VectorTable;
}  // namespace isa

// A processor has levels of its own architecture only.
enum class IsaLevel : int { kScalar, kNeon, kAvx2, kAvx512, kAmx };
constexpr IsaLevel kIsaLevels[] = {IsaLevel::kScalar, IsaLevel::kNeon, IsaLevel::kAvx2,
                                   IsaLevel::kAvx512, IsaLevel::kAmx};

// "scalar", "neon", "avx2", "avx512", "amx"; throws ERR_ARGUMENT for anything else.
IsaLevel parse_isa_level(std::string_view name);
const char* name_of(IsaLevel level);

// The highest level that works here. On x86-64 it is found by CPUID feature bits (never by model), XCR0
// and, for AMX, the kernel's permission, which this call requests once per process.
IsaLevel detect_isa_level();

// The highest level that works here and is not above `cap`.
IsaLevel isa_level_up_to(IsaLevel cap);

// The kernels of a level up to detect_isa_level(); null for kScalar and another architecture's.
const isa::KernelTable* kernel_table(IsaLevel level);
const isa::VectorTable* vector_table(IsaLevel level);

}  // namespace framepack::cpu
