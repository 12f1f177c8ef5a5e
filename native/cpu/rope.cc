#include "rope.h"

#include <cmath>
#include <cstring>

#include "../../kernels/rope/rope_ref.h"
#include "rows.h"

namespace framepack::cpu {

// The table is a sum of axes: sines are computed once per axis and position, then laid out.
void rope_table(const RopeTableArgs& args, const CpuContext& context) {
  if (!context.vector) return oracle::rope_table(args);
  const long long extent[3] = {args.frames, args.height, args.width};
  long long half[3], columns = 0, values = 0;
  for (int axis = 0; axis < 3; ++axis) {
    half[axis] = args.axis_width[axis] / 2;
    columns += half[axis];
    values += half[axis] * extent[axis];
  }
  float* cos =
      static_cast<float*>(context.scratch.shared(2 * static_cast<size_t>(values) * sizeof(float)));
  float* sin = cos + values;
  long long first[3], next = 0;
  for (int axis = 0; axis < 3; ++axis) {
    first[axis] = next;
    for (long long p = 0; p < extent[axis]; ++p)
      for (long long j = 0; j < half[axis]; ++j, ++next) {
        const float position =
            static_cast<float>(axis == 0 ? args.frame_positions[p] : static_cast<int>(p));
        const float angle = position * oracle::rope_frequency(args.theta, j, args.axis_width[axis]);
        cos[next] = static_cast<float>(std::cos(static_cast<double>(angle)));
        sin[next] = static_cast<float>(std::sin(static_cast<double>(angle)));
      }
  }
  const long long tokens = args.frames * args.height * args.width;
  const long long grain = std::max(1LL, kGrain / std::max(1LL, columns));
  parallel_ranges(context.pool, tokens, grain, [&](long long begin, long long end, int) {
    for (long long token = begin; token < end; ++token) {
      const long long at[3] = {token / (args.height * args.width), token / args.width % args.height,
                               token % args.width};
      long long column = token * columns;
      for (int axis = 0; axis < 3; ++axis) {
        const long long from = first[axis] + at[axis] * half[axis];
        const size_t bytes = static_cast<size_t>(half[axis]) * sizeof(float);
        std::memcpy(args.cos + column, cos + from, bytes);
        std::memcpy(args.sin + column, sin + from, bytes);
        column += half[axis];
      }
    }
  });
}

namespace {

// Adds the rows of one window to sum, in the order of the oracle, and divides.
void pool_cell(const RopePoolArgs& args, const float* table, const long long (&cell)[3],
               double* sum, float* out) {
  std::fill_n(sum, args.columns, 0.0);
  for (long long i = 0; i < args.pool[0]; ++i)
    for (long long j = 0; j < args.pool[1]; ++j)
      for (long long k = 0; k < args.pool[2]; ++k) {
        const long long t = std::min(cell[0] * args.pool[0] + i, args.frames - 1);
        const long long y = std::min(cell[1] * args.pool[1] + j, args.height - 1);
        const long long x = std::min(cell[2] * args.pool[2] + k, args.width - 1);
        const float* row = table + ((t * args.height + y) * args.width + x) * args.columns;
        for (long long c = 0; c < args.columns; ++c) sum[c] += row[c];
      }
  const double window = static_cast<double>(args.pool[0] * args.pool[1] * args.pool[2]);
  for (long long c = 0; c < args.columns; ++c) out[c] = static_cast<float>(sum[c] / window);
}

}  // namespace

void rope_pool(const RopePoolArgs& args, const CpuContext& context) {
  if (!context.vector) return oracle::rope_pool(args);
  const long long cells[3] = {ceil_div(args.frames, args.pool[0]),
                              ceil_div(args.height, args.pool[1]),
                              ceil_div(args.width, args.pool[2])};
  const long long window = args.pool[0] * args.pool[1] * args.pool[2];
  const long long grain = std::max(1LL, kGrain / std::max(1LL, args.columns * window));
  const auto body = [&](long long begin, long long end, int worker) {
    const size_t bytes = static_cast<size_t>(args.columns) * sizeof(double);
    double* sum = static_cast<double*>(context.scratch.of_worker(worker, bytes));
    for (long long index = begin; index < end; ++index) {
      const long long cell[3] = {index / (cells[1] * cells[2]), index / cells[2] % cells[1],
                                 index % cells[2]};
      pool_cell(args, args.cos, cell, sum, args.cos_out + index * args.columns);
      pool_cell(args, args.sin, cell, sum, args.sin_out + index * args.columns);
    }
  };
  parallel_ranges(context.pool, cells[0] * cells[1] * cells[2], grain, body);
}

void rope(const RopeArgs& args, const CpuContext& context) {
  if (!context.vector) return oracle::rope(args);
  if (args.heads * args.head_width == 0) return;
  const isa::VectorTable& vector = *context.vector;
  const size_t head_bytes = static_cast<size_t>(args.head_width) * sizeof(float);
  const float* weight = nullptr;
  if (args.weight) {
    float* room = static_cast<float*>(context.scratch.shared(head_bytes));
    weight = as_f32(vector, args.weight, args.weight_dtype, 0, args.head_width, room);
  }
  const long long width = args.heads * args.head_width, half = args.head_width / 2;
  // Adjacent heads are converted in one go.
  const bool x_is_dense = args.x_head_stride == args.head_width;
  const bool out_is_dense = args.out_head_stride == args.head_width;
  const auto body = [&](long long begin, long long end, int worker) {
    const size_t bytes = static_cast<size_t>(args.heads) * head_bytes;
    float* room = static_cast<float*>(context.scratch.of_worker(worker, bytes));
    for (long long row = begin; row < end; ++row) {
      const long long b = row / args.tokens, l = row % args.tokens;
      const long long from = b * args.x_batch_stride + l * args.x_token_stride;
      const long long to = b * args.out_batch_stride + l * args.out_token_stride;
      const long long reads = x_is_dense ? 1 : args.heads;
      for (long long n = 0; n < reads; ++n)
        vector.widen(element(args.x, args.dtype, from + n * args.x_head_stride), args.dtype,
                     room + n * args.head_width, width / reads);
      const bool rotates = l < args.table_tokens;
      vector.rope_token({room, weight, rotates ? args.cos + l * half : nullptr,
                         rotates ? args.sin + l * half : nullptr, args.heads, args.head_width,
                         args.eps, args.layout == RopeLayout::kInterleaved});
      const long long writes = out_is_dense ? 1 : args.heads;
      for (long long n = 0; n < writes; ++n)
        vector.narrow(room + n * args.head_width,
                      element(args.out, args.dtype, to + n * args.out_head_stride), args.dtype,
                      width / writes);
    }
  };
  parallel_ranges(context.pool, args.batch * args.tokens, std::max(1LL, kGrain / width), body);
}

}  // namespace framepack::cpu
