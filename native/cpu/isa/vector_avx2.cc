#include "simd/simd_avx2.h"
// Kept apart from the line above: the kernels are compiled for the lanes that it defines.
#include "vector/table.h"

namespace framepack::cpu::isa {

const VectorTable* vector_table_avx2() { return &kVectorTable; }

}  // namespace framepack::cpu::isa
