#include "elementwise.h"

#include "../../kernels/elementwise/elementwise_ref.h"

namespace framepack::cpu {

void elementwise(const ElementwiseArgs& args, const CpuContext&) { oracle::elementwise(args); }

}  // namespace framepack::cpu
