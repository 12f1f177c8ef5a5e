#include "copy.h"

#include <cstring>
#include <numeric>

#include "../../kernels/copy/copy_ref.h"
#include "../core/dtype.h"
#include "rows.h"
#include "strided.h"

namespace framepack::cpu {

namespace {

enum Operand { kX, kOut, kOperands };

using Loop = StridedLoop<kOperands>;

constexpr long long kBlock = 1024;  // elements converted at once
constexpr long long kTile = 64;     // side of a transposed tile

// The order of axes is free: writing in the order of out gives the longest runs.
Loop loop_of(const CopyArgs& args) {
  int order[kCopyMaxRank];
  std::iota(order, order + args.rank, 0);
  std::stable_sort(order, order + args.rank,
                   [&](int a, int b) { return args.out_stride[a] > args.out_stride[b]; });
  Loop loop;
  loop.append(1, {1, 1});
  for (long long i = 0; i < args.rank; ++i) {
    const int axis = order[i];
    loop.append(args.shape[axis], {args.x_stride[axis], args.out_stride[axis]});
  }
  return loop;
}

// Contiguous elements of different types.
void convert(const isa::VectorTable& vector, const void* x, DType x_dtype, void* out,
             DType out_dtype, long long count) {
  if (!is_float(x_dtype) || !is_float(out_dtype)) {
    for (long long i = 0; i < count; ++i) store_f32(out, out_dtype, i, load_f32(x, x_dtype, i));
    return;
  }
  alignas(64) float room[kBlock];
  for (long long i = 0; i < count; i += kBlock) {
    const long long n = std::min(kBlock, count - i);
    const float* block = as_f32(vector, x, x_dtype, i, n, room);
    vector.narrow(block, element(out, out_dtype, i), out_dtype, n);
  }
}

template <class Element>
void move_elements(const void* x, long long x_stride, void* out, long long out_stride,
                   long long count) {
  const auto* from = static_cast<const Element*>(x);
  auto* to = static_cast<Element*>(out);
  for (long long i = 0; i < count; ++i) to[i * out_stride] = from[i * x_stride];
}

void move_strided(const void* x, long long x_stride, void* out, long long out_stride,
                  long long count, DType dtype) {
  switch (size_of(dtype)) {
    case 1: return move_elements<uint8_t>(x, x_stride, out, out_stride, count);
    case 2: return move_elements<uint16_t>(x, x_stride, out, out_stride, count);
    default: return move_elements<uint32_t>(x, x_stride, out, out_stride, count);
  }
}

// One run along the innermost axis.
void copy_run(const isa::VectorTable& vector, const CopyArgs& args, const void* x,
              long long x_stride, void* out, long long out_stride, long long count) {
  const bool is_dense = x_stride == 1 && out_stride == 1;
  if (args.x_dtype == args.out_dtype) {
    if (is_dense) {
      std::memcpy(out, x, static_cast<size_t>(count * size_of(args.x_dtype)));
    } else {
      move_strided(x, x_stride, out, out_stride, count, args.x_dtype);
    }
    return;
  }
  if (is_dense) return convert(vector, x, args.x_dtype, out, args.out_dtype, count);
  alignas(64) uint32_t dense_x[kBlock], dense_out[kBlock];
  for (long long i = 0; i < count; i += kBlock) {
    const long long n = std::min(kBlock, count - i);
    move_strided(element(x, args.x_dtype, i * x_stride), x_stride, dense_x, 1, n, args.x_dtype);
    convert(vector, dense_x, args.x_dtype, dense_out, args.out_dtype, n);
    move_strided(dense_out, 1, element(out, args.out_dtype, i * out_stride), out_stride, n,
                 args.out_dtype);
  }
}

void copy_runs(const CopyArgs& args, const CpuContext& context, const Loop& loop) {
  const long long inner = loop.inner();
  const long long run = std::min(inner, kGrain), runs = ceil_div(inner, run);
  const long long x_stride = loop.stride[kX][loop.rank - 1];
  const long long out_stride = loop.stride[kOut][loop.rank - 1];
  const auto body = [&](long long begin, long long end, int) {
    for (long long index = begin; index < end; ++index) {
      long long offset[kOperands];
      loop.locate(index / runs, offset);
      const long long first = index % runs * run;
      copy_run(*context.vector, args, element(args.x, args.x_dtype, offset[kX] + first * x_stride),
               x_stride, element(args.out, args.out_dtype, offset[kOut] + first * out_stride),
               out_stride, std::min(run, inner - first));
    }
  };
  parallel_ranges(context.pool, loop.outer() * runs, kGrain / run, body);
}

// A view x[r, c] with c contiguous in x and r contiguous in out.
struct Tile {
  const void* x;
  void* out;
  long long x_row_stride, out_row_stride;
  long long rows, columns;
};

void copy_tile(const isa::VectorTable& vector, const CopyArgs& args, const Tile& tile) {
  if (args.x_dtype == args.out_dtype) {
    vector.transpose(tile.x, tile.x_row_stride, tile.out, tile.out_row_stride, tile.rows,
                     tile.columns, size_of(args.x_dtype));
    return;
  }
  alignas(64) float wide[kTile * kTile], turned[kTile * kTile];
  for (long long r = 0; r < tile.rows; ++r)
    vector.widen(element(tile.x, args.x_dtype, r * tile.x_row_stride), args.x_dtype,
                 wide + r * kTile, tile.columns);
  vector.transpose(wide, kTile, turned, kTile, tile.rows, tile.columns, sizeof(float));
  for (long long c = 0; c < tile.columns; ++c)
    vector.narrow(turned + c * kTile, element(tile.out, args.out_dtype, c * tile.out_row_stride),
                  args.out_dtype, tile.rows);
}

// The axis that is contiguous in x where another one is contiguous in out, or -1 if tiles would not
// help.
int transposed_axis(const CopyArgs& args, const Loop& loop) {
  const int last = loop.rank - 1;
  const bool has_kernel = args.x_dtype == args.out_dtype
                              ? size_of(args.x_dtype) > 1
                              : is_float(args.x_dtype) && is_float(args.out_dtype);
  if (!has_kernel || loop.stride[kOut][last] != 1 || loop.stride[kX][last] == 1) return -1;
  for (int axis = 0; axis < last; ++axis)
    if (loop.stride[kX][axis] == 1) return axis;
  return -1;
}

// Moves axis to the last place but one, so that the tiles run over the two innermost axes.
void copy_transposed(const CopyArgs& args, const CpuContext& context, Loop loop, int axis) {
  const int last = loop.rank - 1;
  std::rotate(loop.shape + axis, loop.shape + axis + 1, loop.shape + last);
  for (auto& stride : loop.stride) std::rotate(stride + axis, stride + axis + 1, stride + last);
  const long long rows = loop.shape[last], columns = loop.shape[last - 1];
  const long long x_row_stride = loop.stride[kX][last];
  const long long out_row_stride = loop.stride[kOut][last - 1];
  const long long row_tiles = ceil_div(rows, kTile), column_tiles = ceil_div(columns, kTile);
  const long long matrices = loop.outer() / columns;
  const auto body = [&](long long begin, long long end, int) {
    for (long long index = begin; index < end; ++index) {
      const long long r = index % row_tiles * kTile;
      const long long c = index / row_tiles % column_tiles * kTile;
      long long offset[kOperands];
      loop.locate(index / (row_tiles * column_tiles) * columns, offset);
      copy_tile(
          *context.vector, args,
          {element(args.x, args.x_dtype, offset[kX] + r * x_row_stride + c),
           element(args.out, args.out_dtype, offset[kOut] + c * out_row_stride + r), x_row_stride,
           out_row_stride, std::min(kTile, rows - r), std::min(kTile, columns - c)});
    }
  };
  const long long tile_elements = std::min(rows, kTile) * std::min(columns, kTile);
  parallel_ranges(context.pool, matrices * row_tiles * column_tiles,
                  std::max(1LL, kGrain / tile_elements), body);
}

}  // namespace

void copy(const CopyArgs& args, const CpuContext& context) {
  if (!context.vector) return oracle::copy(args);
  const Loop loop = loop_of(args);
  if (loop.inner() * loop.outer() == 0) return;
  const int axis = transposed_axis(args, loop);
  if (axis < 0) {
    copy_runs(args, context, loop);
  } else {
    copy_transposed(args, context, loop, axis);
  }
}

void fill(const FillArgs& args, const CpuContext& context) {
  if (!context.vector) return oracle::fill(args);
  uint32_t value = 0;
  store_f32(&value, args.dtype, 0, args.value);
  parallel_ranges(context.pool, args.count, kGrain, [&](long long begin, long long end, int) {
    move_strided(&value, 0, element(args.out, args.dtype, begin), 1, end - begin, args.dtype);
  });
}

void quantize(const QuantizeArgs& args, const CpuContext& context) {
  if (!context.vector) return oracle::quantize(args);
  if (args.rows * args.width == 0) return;
  const isa::VectorTable& vector = *context.vector;
  // A group is cut into pieces, or several groups share a task.
  const long long piece = std::min(args.group_width, kGrain);
  const long long pieces = ceil_div(args.group_width, piece);
  const long long groups = args.rows * (args.width / args.group_width);
  float* largest = static_cast<float*>(
      context.scratch.shared(static_cast<size_t>(groups * pieces) * sizeof(float)));
  const auto each_piece = [&](auto body) {
    const auto range = [&](long long begin, long long end, int worker) {
      float* room = static_cast<float*>(
          context.scratch.of_worker(worker, static_cast<size_t>(piece) * sizeof(float)));
      for (long long index = begin; index < end; ++index) {
        const long long group = index / pieces, first = index % pieces * piece;
        const long long at = group * args.group_width + first;
        const long long count = std::min(piece, args.group_width - first);
        body(index, group, at, as_f32(vector, args.w, args.dtype, at, count, room), count);
      }
    };
    parallel_ranges(context.pool, groups * pieces, std::max(1LL, kGrain / piece), range);
  };
  each_piece([&](long long index, long long, long long, const float* w, long long count) {
    largest[index] = vector.max_absolute(w, count);
  });
  for (long long g = 0; g < groups; ++g) {
    const float* piece_largest = largest + g * pieces;
    const float group_largest = *std::max_element(piece_largest, piece_largest + pieces);
    args.scale[g] = std::max(group_largest / 448.0f, 1e-8f);
  }
  auto* q = static_cast<uint8_t*>(args.q);
  each_piece([&](long long, long long group, long long at, const float* w, long long count) {
    vector.quantize(w, args.scale[group], q + at, count);
  });
}

void dequantize(const DequantizeArgs& args, const CpuContext& context) {
  if (!context.vector) return oracle::dequantize(args);
  if (args.rows * args.width == 0) return;
  const isa::VectorTable& vector = *context.vector;
  const auto* q = static_cast<const uint8_t*>(args.q);
  const long long run = std::min(args.group_width, kBlock);
  const long long runs = ceil_div(args.group_width, run);
  const long long groups = args.rows * args.width / args.group_width;
  const auto body = [&](long long begin, long long end, int) {
    alignas(64) float room[kBlock];
    for (long long index = begin; index < end; ++index) {
      const long long group = index / runs, first = index % runs * run;
      const long long at = group * args.group_width + first;
      const long long count = std::min(run, args.group_width - first);
      float* out = f32_target(args.out, args.dtype, at, room);
      vector.dequantize(q + at, args.scale[group], out, count);
      finish_row(vector, out, args.out, args.dtype, at, count);
    }
  };
  parallel_ranges(context.pool, groups * runs, std::max(1LL, kGrain / run), body);
}

}  // namespace framepack::cpu
