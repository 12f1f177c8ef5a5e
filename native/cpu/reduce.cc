#include "reduce.h"

#include <cmath>

#include "../../kernels/reduce/reduce_ref.h"
#include "../core/dtype.h"
#include "rows.h"

namespace framepack::cpu {

namespace {

// What is known about some elements: a sum, a maximum or a count, and for kStd a sum of squares.
struct Partial {
  double first = 0, second = 0;

  // Of no elements. Minima are kept with the other sign.
  static Partial of_none(ReduceOp op) {
    const bool is_open = op == ReduceOp::kMax || op == ReduceOp::kMin;
    return {is_open ? -INFINITY : 0.0, 0.0};
  }

  void add(const Partial& other, ReduceOp op) {
    if (op == ReduceOp::kMaxAbs || op == ReduceOp::kMax || op == ReduceOp::kMin) {
      if (other.first > first || std::isnan(other.first)) first = other.first;
    } else {
      first += other.first;
    }
    second += other.second;
  }

  float result(ReduceOp op, long long axis) const {
    const double count = static_cast<double>(axis);
    switch (op) {
      case ReduceOp::kMean:
      case ReduceOp::kAbsMean: return static_cast<float>(first / count);
      case ReduceOp::kStd: {
        const double variance = (second - first * first / count) / (count - 1.0);
        return static_cast<float>(std::sqrt(variance < 0 ? 0 : variance));
      }
      case ReduceOp::kMin: return static_cast<float>(-first);
      case ReduceOp::kSum:
      case ReduceOp::kMax:
      case ReduceOp::kMaxAbs:
      case ReduceOp::kCountNonFinite: break;
    }
    return static_cast<float>(first);
  }
};

// One axis of one outer index is cut into chunks; every chunk leaves one Partial per inner index,
// and the partials are combined in order. The cut follows from the shape alone.
class Reduction {
 public:
  Reduction(const ReduceArgs& args, const CpuContext& context)
      : args_(args), context_(context), vector_(*context.vector) {}

  // inner = 1: the axis is contiguous. Seen as a matrix of kWide columns, a chunk needs no code of
  // its own.
  void along_rows() {
    const long long chunks = std::max(1LL, ceil_div(args_.axis, kRowChunk));
    Partial* partials = allocate(args_.outer * chunks);
    const auto body = [&](long long begin, long long end, int) {
      alignas(64) float x_room[kRowBlock], y_room[kRowBlock];
      for (long long task = begin; task < end; ++task) {
        const long long o = task / chunks, first = task % chunks * kRowChunk;
        const long long last = std::min(first + kRowChunk, args_.axis);
        const float shift = load_f32(args_.x, args_.dtype, o * args_.axis);
        for (long long i = first; i < last; i += kRowBlock)
          add_row(o * args_.axis + i, std::min(kRowBlock, last - i), shift, x_room, y_room,
                  partials[task]);
      }
    };
    const long long grain = std::max(1LL, kGrain / std::min(args_.axis, kRowChunk));
    parallel_ranges(context_.pool, args_.outer * chunks, grain, body);
    for (long long o = 0; o < args_.outer; ++o) finish(o, partials + o * chunks, 1, chunks);
  }

  void along_columns() {
    const long long chunk = std::max(kMinRows, kColumnChunk / args_.inner);
    const long long chunks = ceil_div(args_.axis, chunk), strips = ceil_div(args_.inner, kStrip);
    Partial* partials = allocate(args_.outer * chunks * args_.inner);
    context_.pool.parallel_for(args_.outer * chunks * strips, [&](int64_t task, int) {
      const long long strip = task % strips, slab = task / strips;
      const long long o = slab / chunks, begin = slab % chunks * chunk;
      const long long column = strip * kStrip;
      add_strip(o, begin, std::min(begin + chunk, args_.axis), column,
                std::min(kStrip, args_.inner - column), partials + slab * args_.inner + column);
    });
    for (long long o = 0; o < args_.outer; ++o)
      for (long long i = 0; i < args_.inner; ++i)
        finish(o * args_.inner + i, partials + o * chunks * args_.inner + i, args_.inner, chunks);
  }

 private:
  static constexpr long long kRowChunk = kGrain, kRowBlock = 2048, kWide = 64;
  static constexpr long long kColumnChunk = 65536, kMinRows = 256, kStrip = 256, kStripRows = 8;

  Partial* allocate(long long count) const {
    auto* partials = static_cast<Partial*>(
        context_.scratch.shared(static_cast<size_t>(count) * sizeof(Partial)));
    std::fill_n(partials, count, Partial::of_none(args_.op));
    return partials;
  }

  const float* y_f32(long long index, long long count, float* room) const {
    return args_.y ? as_f32(vector_, args_.y, args_.dtype, index, count, room) : nullptr;
  }

  void add_row(long long index, long long count, float shift, float* x_room, float* y_room,
               Partial& partial) const {
    double first[kWide], second[kWide] = {};
    std::fill_n(first, kWide, Partial::of_none(args_.op).first);
    float shifts[kWide];
    std::fill_n(shifts, kWide, shift);
    isa::ReduceColumns columns{};
    columns.x = as_f32(vector_, args_.x, args_.dtype, index, count, x_room);
    columns.y = y_f32(index, count, y_room);
    columns.shift = shifts;
    columns.first = first;
    columns.second = second;
    columns.rows = count / kWide;
    columns.columns = columns.row_stride = kWide;
    columns.op = args_.op;
    vector_.reduce_columns(columns);
    columns.x += columns.rows * kWide;
    if (columns.y) columns.y += columns.rows * kWide;
    columns.rows = 1;
    columns.columns = count % kWide;
    vector_.reduce_columns(columns);
    for (long long i = 0; i < kWide; ++i) partial.add({first[i], second[i]}, args_.op);
  }

  void add_strip(long long o, long long begin, long long end, long long column, long long width,
                 Partial* partials) const {
    alignas(64) float x_room[kStripRows * kStrip], y_room[kStripRows * kStrip], shift_room[kStrip];
    double first[kStrip], second[kStrip] = {};
    std::fill_n(first, kStrip, Partial::of_none(args_.op).first);
    isa::ReduceColumns columns{};
    columns.shift = as_f32(vector_, args_.x, args_.dtype, o * args_.axis * args_.inner + column,
                           width, shift_room);
    columns.first = first;
    columns.second = second;
    columns.columns = width;
    columns.op = args_.op;
    for (long long row = begin; row < end; row += kStripRows) {
      columns.rows = std::min(kStripRows, end - row);
      const long long index = (o * args_.axis + row) * args_.inner + column;
      columns.x = strip_f32(args_.x, index, columns.rows, width, x_room);
      columns.y = args_.y ? strip_f32(args_.y, index, columns.rows, width, y_room) : nullptr;
      columns.row_stride = args_.dtype == DType::kF32 ? args_.inner : kStrip;
      vector_.reduce_columns(columns);
    }
    for (long long i = 0; i < width; ++i) partials[i] = {first[i], second[i]};
  }

  // Rows of a strip as f32: in place with stride inner, or in room with stride kStrip.
  const float* strip_f32(const void* data, long long index, long long rows, long long width,
                         float* room) const {
    if (args_.dtype == DType::kF32) return static_cast<const float*>(data) + index;
    for (long long r = 0; r < rows; ++r)
      vector_.widen(element(data, args_.dtype, index + r * args_.inner), args_.dtype,
                    room + r * kStrip, width);
    return room;
  }

  void finish(long long index, const Partial* partials, long long stride, long long chunks) const {
    Partial total = Partial::of_none(args_.op);
    for (long long chunk = 0; chunk < chunks; ++chunk)
      total.add(partials[chunk * stride], args_.op);
    store_f32(args_.out, args_.out_dtype, index, total.result(args_.op, args_.axis));
  }

  const ReduceArgs& args_;
  const CpuContext& context_;
  const isa::VectorTable& vector_;
};

}  // namespace

void reduce(const ReduceArgs& args, const CpuContext& context) {
  // An empty axis is a matter of definitions, not of speed.
  if (!context.vector || args.axis == 0) return oracle::reduce(args);
  Reduction reduction(args, context);
  if (args.inner == 1) {
    reduction.along_rows();
  } else if (args.inner > 0) {
    reduction.along_columns();
  }
}

}  // namespace framepack::cpu
