// Vector kernels of the light operation families, one table per instruction set. Everything works
// on f32 rows that the caller has widened and will narrow again: the cost of the extra pass is in
// L1, and one kernel serves all types.
#pragma once
#include "../../../kernels/elementwise/elementwise_args.h"
#include "../../../kernels/reduce/reduce_args.h"

namespace framepack::cpu::isa {

// y = (((x - mean) * inverse + offset) * weight + bias) * (1 + scale) + shift; null pointers leave
// their term out. offset is what rounding the mean to f32 took away.
struct NormalizeRow {
  const float* x;
  const float* weight;
  const float* bias;
  const float* scale;
  const float* shift;
  float* out;  // may be x
  long long width;
  float mean, inverse, offset;
};

// y = (x - mean) * scale + shift per channel, then SiLU if asked.
struct NormalizeChannels {
  const float* x;     // [rows, channels]
  const float* mean;  // [channels], as scale and shift
  const float* scale;
  const float* shift;
  float* out;  // may be x
  long long rows, channels;
  bool silu;
};

// Heads of one token, adjacent in memory, transformed in place.
struct RopeToken {
  float* x;             // [heads, head_width]
  const float* weight;  // [head_width] rms-norm weight, or null for no normalisation
  const float* cos;     // [head_width / 2], or null for no rotation
  const float* sin;
  long long heads, head_width;
  float eps;
  bool interleaved;
};

// Columns reduced over rows. Sums are f64, so the grouping of rows is the only thing that can move
// a bit.
struct ReduceColumns {
  const float* x;
  const float* y;      // kAbsMean: as x, or null
  const float* shift;  // kStd: [columns], subtracted before summing
  double* first;       // [columns] sums, maxima or counts so far
  double* second;      // kStd: [columns] sums of squares so far
  long long rows, columns, row_stride;
  ReduceOp op;
};

struct VectorTable {
  // Float types only. x and out must not overlap.
  void (*widen)(const void* x, DType dtype, float* out, long long count);
  void (*narrow)(const float* x, void* out, DType dtype, long long count);

  // out may be any of the operands.
  void (*elementwise)(ElementwiseOp op, const float* a, const float* b, const float* c, float* out,
                      long long count, float alpha, float beta);

  void (*reduce_columns)(const ReduceColumns& args);
  // result[0] = sum (x - shift), result[1] = sum (x - shift)^2.
  void (*moments)(const float* x, long long count, float shift, double result[2]);

  void (*normalize_row)(const NormalizeRow& args);
  void (*normalize_channels)(const NormalizeChannels& args);
  void (*rope_token)(const RopeToken& args);

  float (*max_absolute)(const float* x, long long count);
  // q = e4m3(clamp(w / scale, +-448)), NaN -> 0.
  void (*quantize)(const float* w, float scale, unsigned char* q, long long count);
  void (*dequantize)(const unsigned char* q, float scale, float* out, long long count);

  // out[c, r] = x[r, c]; strides in elements, element_bytes 2 or 4.
  void (*transpose)(const void* x, long long x_row_stride, void* out, long long out_row_stride,
                    long long rows, long long columns, int element_bytes);
};

const VectorTable* vector_table_neon();
const VectorTable* vector_table_avx2();
const VectorTable* vector_table_avx512();

}  // namespace framepack::cpu::isa
