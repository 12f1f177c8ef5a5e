#include "matmul.h"

#include "../../kernels/matmul/matmul_ref.h"

namespace framepack::cpu {

void matmul(const MatmulArgs& args, const CpuContext&) { oracle::matmul(args); }

}  // namespace framepack::cpu
