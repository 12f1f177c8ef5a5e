// Blocked matrix product out = epilogue(a w^T), shared by matmul and patchify.
#pragma once
#include "../../core/function_ref.h"
#include "../isa/kernel_table.h"

namespace framepack::cpu {

constexpr int kMaxPanelWidth = 32;

struct CpuContext;

// Writes rows [row, row + rows) and columns [k, k + count) of the left operand to `packed` with row
// stride `packed_stride`, as f32, or as bf16 when the problem says that a is bf16.
struct RowBlock {
  long long row, rows, k, count;
  void* packed;
  long long packed_stride;
};
using RowSource = FunctionRef<void(const RowBlock& block)>;

struct GemmProblem {
  long long m, n, k;
  isa::ColumnSource w;  // all n rows of the weight; `columns` is not used
  isa::Epilogue epilogue;
  bool is_bf16;  // for the bf16 kernels: both operands are exact in bf16, and rows come as bf16
};

void gemm(const GemmProblem& problem, RowSource rows, const CpuContext& context);

// Keeps the tile registers of the calling thread ready while it lives.
class TileRegion {
 public:
  explicit TileRegion(const isa::GemmKernels& kernels) : kernels_(kernels) {
    if (kernels_.open) kernels_.open();
  }
  ~TileRegion() {
    if (kernels_.close) kernels_.close();
  }
  TileRegion(const TileRegion&) = delete;
  TileRegion& operator=(const TileRegion&) = delete;

 private:
  const isa::GemmKernels& kernels_;
};

// Makes k bf16 numbers elements of scaled kernels and returns their scale.
float scale_row(const isa::GemmKernels& kernels, void* row, long long k);

// Elements from one packed row to the next: an odd number of cache lines, so that rows start on
// different sets.
long long packed_row_stride(long long elements, int element_bytes);

// The columns of w from `column` on, cut at k.
isa::ColumnSource columns_from(const isa::ColumnSource& w, long long column, int columns,
                               long long k);

}  // namespace framepack::cpu
