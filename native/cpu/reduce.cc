#include "reduce.h"

#include "../../kernels/reduce/reduce_ref.h"

namespace framepack::cpu {

void reduce(const ReduceArgs& args, const CpuContext&) { oracle::reduce(args); }

}  // namespace framepack::cpu
