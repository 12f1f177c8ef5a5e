// The table of the instruction set whose simd_<isa>.h was included first.
#pragma once
#include "../vector_table.h"
#include "convert.h"
#include "pointwise.h"
#include "rotate.h"
#include "statistics.h"
#include "transpose.h"

namespace framepack::cpu::isa {
namespace {

constexpr VectorTable kVectorTable = {
    widen,        narrow,        elementwise,        reduce_columns,
    moments,      normalize_row, normalize_channels, rope_token,
    max_absolute, quantize,      dequantize,         transpose,
};

}  // namespace
}  // namespace framepack::cpu::isa
