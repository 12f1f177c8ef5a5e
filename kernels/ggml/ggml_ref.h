// Oracle of the block formats of ggml, also the CPU device at level scalar.
#pragma once
#include <cstdint>

#include "ggml_args.h"

namespace framepack::oracle {

// The elements of one block, in f32.
void dequantize_ggml_block(GgmlType type, const uint8_t* block, float* out);
void dequantize_ggml(const DequantizeGgmlArgs& args);

}  // namespace framepack::oracle
