#include "matmul.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "../../kernels/matmul/matmul_ref.h"
#include "contraction/gemm.h"
#include "cpu_context.h"
#include "isa/vector_table.h"
#include "rows.h"

namespace framepack::cpu {

namespace {

// Both operands are bf16 or exactly representable in it, there are rows enough for tiles, and the result
// is not more exact than the kernels.
bool can_use_bf16(const MatmulArgs& args, const CpuContext& context) {
  const isa::GemmKernels* bf16 = context.kernels->bf16;
  return bf16 && (!bf16->is_scaled() || args.out_dtype == DType::kBf16) &&
         args.m > isa::kMaxDotRows && args.a_dtype == DType::kBf16 &&
         (args.w_dtype == DType::kBf16 ||
          (args.w_dtype == DType::kF8E4M3 && args.scale_mode != ScaleMode::kBlock64));
}

std::vector<float> column_scales(const MatmulArgs& args) {
  std::vector<float> scales;
  if (args.scale_mode == ScaleMode::kTensor) {
    scales.assign(static_cast<size_t>(args.n), args.w_scale[0]);
  } else if (args.scale_mode == ScaleMode::kChannel) {
    scales.assign(args.w_scale, args.w_scale + args.n);
  }
  return scales;
}

void copy_rows(const MatmulArgs& args, const RowBlock& block, bool is_bf16,
               const CpuContext& context) {
  for (long long i = 0; i < block.rows; ++i) {
    const long long index = (block.row + i) * args.a_row_stride + block.k;
    const void* source = static_cast<const char*>(args.a) + index * size_of(args.a_dtype);
    const long long offset = i * block.packed_stride;
    if (is_bf16) {
      std::memcpy(static_cast<uint16_t*>(block.packed) + offset, source,
                  static_cast<size_t>(block.count) * sizeof(uint16_t));
    } else {
      context.vector->widen(source, args.a_dtype, static_cast<float*>(block.packed) + offset,
                            block.count);
    }
  }
}

void product(const MatmulArgs& args, const CpuContext& context) {
  const std::vector<float> scales = column_scales(args);
  std::vector<float> bias;
  if (args.bias) {
    bias.resize(static_cast<size_t>(args.n));
    context.vector->widen(args.bias, args.bias_dtype, bias.data(), args.n);
  }
  const bool has_block_scales = args.scale_mode == ScaleMode::kBlock64;
  const GemmProblem problem{
      .m = args.m,
      .n = args.n,
      .k = args.k,
      .w = {.data = args.w,
            .block_scale = has_block_scales ? args.w_scale : nullptr,
            .row_stride = args.w_row_stride,
            .block_scale_stride = args.k / isa::kScaleBlock,
            .columns = 0,
            .dtype = args.w_dtype},
      .epilogue = {.scale = scales.empty() ? nullptr : scales.data(),
                   .bias = args.bias ? bias.data() : nullptr,
                   .gate = args.gate,
                   .residual = args.residual,
                   .out = args.out,
                   .gate_rows = args.gate_rows,
                   .gate_stride = args.n,
                   .residual_stride = args.residual_row_stride,
                   .out_stride = args.out_row_stride,
                   .gate_dtype = args.gate_dtype,
                   .out_dtype = args.out_dtype,
                   .activation = args.activation},
      .is_bf16 = can_use_bf16(args, context),
  };
  gemm(
      problem, [&](const RowBlock& block) { copy_rows(args, block, problem.is_bf16, context); },
      context);
}

}  // namespace

void matmul(const MatmulArgs& args, const CpuContext& context) {
  if (!context.kernels || args.k == 0) return oracle::matmul(args);
  for (long long batch = 0; batch < args.batch; ++batch) {
    MatmulArgs one = args;
    one.batch = 1;
    one.a = element(args.a, args.a_dtype, batch * args.a_batch_stride);
    one.w = element(args.w, args.w_dtype, batch * args.w_batch_stride);
    one.out = element(args.out, args.out_dtype, batch * args.out_batch_stride);
    product(one, context);
  }
}

}  // namespace framepack::cpu
