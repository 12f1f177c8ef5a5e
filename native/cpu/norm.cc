#include "norm.h"

#include <cmath>

#include "../../kernels/norm/norm_ref.h"
#include "rows.h"

namespace framepack::cpu {

namespace {

float* floats(void* bytes) { return static_cast<float*>(bytes); }

// A [width] vector as f32 for the whole operation, or null.
const float* affine_f32(const isa::VectorTable& vector, const void* data, DType dtype,
                        long long width, float* room) {
  return data ? as_f32(vector, data, dtype, 0, width, room) : nullptr;
}

// Modulation rows are shared by many rows of x: they are widened when the row changes.
class Modulation {
 public:
  Modulation(const LayerNormArgs& args, const isa::VectorTable& vector, float* room)
      : args_(args), vector_(vector), room_(room) {}

  void select(long long row, isa::NormalizeRow& normalize) {
    const long long modulation = row / args_.rows_per_modulation;
    if (modulation == current_) return;
    current_ = modulation;
    const long long index = modulation * args_.modulation_row_stride;
    const DType dtype = args_.modulation_dtype;
    if (args_.scale)
      normalize.scale = as_f32(vector_, args_.scale, dtype, index, args_.width, room_);
    if (args_.shift)
      normalize.shift =
          as_f32(vector_, args_.shift, dtype, index, args_.width, room_ + args_.width);
  }

 private:
  const LayerNormArgs& args_;
  const isa::VectorTable& vector_;
  float* room_;
  long long current_ = -1;
};

// Mean and 1 / sqrt(variance + eps) of one row. Sums are taken around its first element, which
// keeps rows with a large mean exact.
void measure_row(const isa::VectorTable& vector, long long width, float eps,
                 isa::NormalizeRow& row) {
  double sums[2];
  const float shift = row.x[0];
  vector.moments(row.x, width, shift, sums);
  const double count = static_cast<double>(width);
  const double from_shift = sums[0] / count, mean = shift + from_shift;
  const double variance = std::max(sums[1] / count - from_shift * from_shift, 0.0);
  const double inverse = 1.0 / std::sqrt(variance + eps);
  row.mean = static_cast<float>(mean);
  row.inverse = static_cast<float>(inverse);
  row.offset = static_cast<float>((row.mean - mean) * inverse);
}

}  // namespace

void layer_norm(const LayerNormArgs& args, const CpuContext& context) {
  if (!context.vector) return oracle::layer_norm(args);
  if (args.width == 0) return;
  const isa::VectorTable& vector = *context.vector;
  const size_t row_bytes = static_cast<size_t>(args.width) * sizeof(float);
  float* room = floats(context.scratch.shared(2 * row_bytes));
  const float* weight = affine_f32(vector, args.weight, args.affine_dtype, args.width, room);
  const float* bias =
      affine_f32(vector, args.bias, args.affine_dtype, args.width, room + args.width);

  const long long grain = std::max(1LL, kGrain / args.width);
  const auto body = [&](long long begin, long long end, int worker) {
    float* x_room = floats(context.scratch.of_worker(worker, 3 * row_bytes));
    Modulation modulation(args, vector, x_room + args.width);
    isa::NormalizeRow row{};
    row.weight = weight;
    row.bias = bias;
    row.width = args.width;
    for (long long r = begin; r < end; ++r) {
      modulation.select(r, row);
      row.x = as_f32(vector, args.x, args.dtype, r * args.x_row_stride, args.width, x_room);
      measure_row(vector, args.width, args.eps, row);
      row.out = f32_target(args.out, args.dtype, r * args.width, x_room);
      vector.normalize_row(row);
      finish_row(vector, row.out, args.out, args.dtype, r * args.width, args.width);
    }
  };
  parallel_ranges(context.pool, args.rows, grain, body);
}

void rms_norm(const RmsNormArgs& args, const CpuContext& context) {
  if (!context.vector) return oracle::rms_norm(args);
  if (args.width == 0) return;
  const isa::VectorTable& vector = *context.vector;
  const size_t row_bytes = static_cast<size_t>(args.width) * sizeof(float);
  float* room = floats(context.scratch.shared(row_bytes));
  const float* weight = affine_f32(vector, args.weight, args.weight_dtype, args.width, room);

  const long long grain = std::max(1LL, kGrain / args.width);
  const auto body = [&](long long begin, long long end, int worker) {
    float* x_room = floats(context.scratch.of_worker(worker, row_bytes));
    isa::NormalizeRow row{};
    row.weight = weight;
    row.width = args.width;
    for (long long r = begin; r < end; ++r) {
      row.x = as_f32(vector, args.x, args.dtype, r * args.x_row_stride, args.width, x_room);
      double sums[2];
      vector.moments(row.x, args.width, 0, sums);
      row.inverse =
          static_cast<float>(1.0 / std::sqrt(sums[1] / static_cast<double>(args.width) + args.eps));
      row.out = f32_target(args.out, args.dtype, r * args.width, x_room);
      vector.normalize_row(row);
      finish_row(vector, row.out, args.out, args.dtype, r * args.width, args.width);
    }
  };
  parallel_ranges(context.pool, args.rows, grain, body);
}

namespace {

// Group norm in two passes over chunks of positions: sums per chunk and channel, then one scale and
// one shift per channel. The chunks follow from the shape alone and are combined in order.
class GroupNorm {
 public:
  GroupNorm(const GroupNormArgs& args, const CpuContext& context)
      : args_(args),
        context_(context),
        vector_(*context.vector),
        chunk_(std::max(1LL, kChunkElements / args.channels)),
        chunks_(ceil_div(args.positions, chunk_)),
        block_(std::max(1LL, kBlockElements / args.channels)) {
    const long long sums = args.batch * chunks_ * args.channels;
    const long long rows = args.batch * args.channels;
    const long long bytes = 2 * sums * static_cast<long long>(sizeof(double)) +
                            (4 * rows + 2 * args.channels) * static_cast<long long>(sizeof(float));
    first_ = static_cast<double*>(context.scratch.shared(static_cast<size_t>(bytes)));
    second_ = first_ + sums;
    origin_ = reinterpret_cast<float*>(second_ + sums);
    mean_ = origin_ + rows;
    scale_ = mean_ + rows;
    shift_ = scale_ + rows;
    affine_room_ = shift_ + rows;
    std::fill_n(first_, 2 * sums, 0.0);
  }

  void run() {
    place_origins();
    const auto each_chunk = [&](auto body) {
      context_.pool.parallel_for(args_.batch * chunks_, [&](int64_t task, int worker) {
        const long long b = task / chunks_, begin = task % chunks_ * chunk_;
        const long long end = std::min(begin + chunk_, args_.positions);
        const size_t room = static_cast<size_t>(block_ * args_.channels) * sizeof(float);
        float* x_room = floats(context_.scratch.of_worker(worker, room));
        for (long long p = begin; p < end; p += block_)
          body(b, task, (b * args_.positions + p) * args_.channels, std::min(block_, end - p),
               x_room);
      });
    };
    each_chunk([&](long long b, long long chunk, long long index, long long rows, float* room) {
      measure(b, chunk, index, rows, room);
    });
    combine();
    each_chunk([&](long long b, long long, long long index, long long rows, float* room) {
      normalize(b, index, rows, room);
    });
  }

 private:
  static constexpr long long kChunkElements = 65536, kBlockElements = 8192;

  // Every sum of a group is taken around the first element of the group.
  void place_origins() {
    const long long width = args_.channels / args_.groups;
    for (long long b = 0; b < args_.batch; ++b) {
      float* origin = origin_ + b * args_.channels;
      const float* x = as_f32(vector_, args_.x, args_.dtype, b * args_.positions * args_.channels,
                              args_.channels, affine_room_);
      for (long long c = 0; c < args_.channels; ++c) origin[c] = x[c / width * width];
    }
  }

  void measure(long long b, long long chunk, long long index, long long rows, float* room) const {
    isa::ReduceColumns columns{};
    columns.x = as_f32(vector_, args_.x, args_.dtype, index, rows * args_.channels, room);
    columns.shift = origin_ + b * args_.channels;
    columns.first = first_ + chunk * args_.channels;
    columns.second = second_ + chunk * args_.channels;
    columns.rows = rows;
    columns.columns = columns.row_stride = args_.channels;
    columns.op = ReduceOp::kStd;
    vector_.reduce_columns(columns);
  }

  void combine() {
    const float* weight =
        as_f32(vector_, args_.weight, args_.affine_dtype, 0, args_.channels, affine_room_);
    const float* bias = as_f32(vector_, args_.bias, args_.affine_dtype, 0, args_.channels,
                               affine_room_ + args_.channels);
    const long long width = args_.channels / args_.groups;
    const double count = static_cast<double>(args_.positions * width);
    for (long long b = 0; b < args_.batch; ++b)
      for (long long g = 0; g < args_.groups; ++g) {
        double sum = 0, squares = 0;
        for (long long chunk = b * chunks_; chunk < (b + 1) * chunks_; ++chunk)
          for (long long c = g * width; c < (g + 1) * width; ++c) {
            sum += first_[chunk * args_.channels + c];
            squares += second_[chunk * args_.channels + c];
          }
        const double offset = sum / count;
        const double variance = std::max(squares / count - offset * offset, 0.0);
        const double inverse = 1.0 / std::sqrt(variance + args_.eps);
        const double mean = origin_[b * args_.channels + g * width] + offset;
        for (long long c = g * width; c < (g + 1) * width; ++c) {
          // The shift also carries what rounding the mean to f32 took away.
          const long long at = b * args_.channels + c;
          const double scale = inverse * weight[c];
          mean_[at] = static_cast<float>(mean);
          scale_[at] = static_cast<float>(scale);
          shift_[at] = static_cast<float>(bias[c] + (mean_[at] - mean) * scale);
        }
      }
  }

  void normalize(long long b, long long index, long long rows, float* room) const {
    const long long count = rows * args_.channels;
    isa::NormalizeChannels channels{};
    channels.x = as_f32(vector_, args_.x, args_.dtype, index, count, room);
    channels.mean = mean_ + b * args_.channels;
    channels.scale = scale_ + b * args_.channels;
    channels.shift = shift_ + b * args_.channels;
    channels.out = f32_target(args_.out, args_.dtype, index, room);
    channels.rows = rows;
    channels.channels = args_.channels;
    channels.silu = args_.silu != 0;
    vector_.normalize_channels(channels);
    finish_row(vector_, channels.out, args_.out, args_.dtype, index, count);
  }

  const GroupNormArgs& args_;
  const CpuContext& context_;
  const isa::VectorTable& vector_;
  const long long chunk_, chunks_,
      block_;      // positions per chunk, chunks per batch entry, positions per block
  double* first_;  // [batch * chunks, channels]
  double* second_;
  float* origin_;  // [batch, channels], as the next three
  float* mean_;
  float* scale_;
  float* shift_;
  float* affine_room_;  // [2, channels]
};

}  // namespace

void group_norm(const GroupNormArgs& args, const CpuContext& context) {
  if (!context.vector) return oracle::group_norm(args);
  if (args.batch * args.positions * args.channels == 0) return;
  GroupNorm(args, context).run();
}

}  // namespace framepack::cpu
