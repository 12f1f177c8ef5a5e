// Choice of the instruction set: what this processor and its operating system support, capped by
// the caller.
#pragma once
#include <string_view>

namespace framepack::cpu {

namespace isa {
struct KernelTable;
struct VectorTable;
}  // namespace isa

enum class IsaLevel : int { kScalar = 0, kAvx2 = 1, kAvx512 = 2, kAmx = 3 };

// "scalar", "avx2", "avx512", "amx"; throws ERR_ARGUMENT for anything else.
IsaLevel parse_isa_level(std::string_view name);
const char* name_of(IsaLevel level);

// The highest level that works here, found by CPUID feature bits (never by model), XCR0 and, for
// AMX, the kernel's permission, which this call requests once per process.
IsaLevel detect_isa_level();

// The kernels of a level that detect_isa_level() allows; null for kScalar.
const isa::KernelTable* kernel_table(IsaLevel level);
const isa::VectorTable* vector_table(IsaLevel level);

}  // namespace framepack::cpu
