#include "simd/simd_neon.h"
// Kept apart from the line above: the kernels are compiled for the lanes that it defines.
#include "contraction/table.h"

namespace framepack::cpu::isa {

const KernelTable* kernel_table_neon() { return &kF32Table; }

}  // namespace framepack::cpu::isa
