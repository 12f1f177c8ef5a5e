#include "copy.h"

#include "../../kernels/copy/copy_ref.h"

namespace framepack::cpu {

void copy(const CopyArgs& args, const CpuContext&) { oracle::copy(args); }
void fill(const FillArgs& args, const CpuContext&) { oracle::fill(args); }
void quantize(const QuantizeArgs& args, const CpuContext&) { oracle::quantize(args); }
void dequantize(const DequantizeArgs& args, const CpuContext&) { oracle::dequantize(args); }

}  // namespace framepack::cpu
