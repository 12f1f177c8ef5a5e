#include "simd/simd_neon.h"
// Kept apart from the line above: the kernels are compiled for the lanes that it defines.
#include "vector/table.h"

namespace framepack::cpu::isa {

const VectorTable* vector_table_neon() { return &kVectorTable; }

}  // namespace framepack::cpu::isa
