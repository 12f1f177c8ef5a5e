// Oracles of copies, fills and the fp8 quantiser, also the CPU device at level scalar.
#pragma once
#include "copy_args.h"

namespace framepack::oracle {

void copy(const CopyArgs& args);
void fill(const FillArgs& args);
void quantize(const QuantizeArgs& args);
void dequantize(const DequantizeArgs& args);

}  // namespace framepack::oracle
