#include "patchify.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "../../kernels/patchify/patchify_ref.h"
#include "../core/dtype.h"
#include "contraction/gemm.h"
#include "cpu_context.h"
#include "isa/vector_table.h"

namespace framepack::cpu {

namespace {

// Patches are gathered block by block as rows of a matrix product; the matrix of all patches never
// exists.
class Patches {
 public:
  explicit Patches(const PatchifyArgs& args) : args_(args) {
    for (int axis = 0; axis < 3; ++axis) {
      grid_[axis] = (args.extent[axis] + args.kernel[axis] - 1) / args.kernel[axis];
    }
    tokens_ = grid_[0] * grid_[1] * grid_[2];
    columns_ = args.channels * args.kernel[0] * args.kernel[1] * args.kernel[2];
  }

  long long rows() const { return args_.batch * tokens_; }
  long long columns() const { return columns_; }

  void gather(const RowBlock& block) const {
    for (long long i = 0; i < block.rows; ++i) {
      gather_row(block.row + i, block.k, block.count,
                 static_cast<float*>(block.packed) + i * block.packed_stride);
    }
  }

 private:
  // Columns are (c, i, j, l) with l, along W, fastest: one run per (c, i, j).
  void gather_row(long long row, long long k, long long count, float* out) const {
    const long long token = row % tokens_;
    const long long corner[3] = {token / (grid_[1] * grid_[2]) * args_.kernel[0],
                                 token / grid_[2] % grid_[1] * args_.kernel[1],
                                 token % grid_[2] * args_.kernel[2]};
    const long long batch = row / tokens_ * args_.x_batch_stride;
    for (const long long end = k + count; k < end;) {
      const long long l = k % args_.kernel[2], run = k / args_.kernel[2];
      const long long j = run % args_.kernel[1], i = run / args_.kernel[1] % args_.kernel[0];
      const long long c = run / (args_.kernel[1] * args_.kernel[0]);
      const long long taps = std::min(args_.kernel[2] - l, end - k);
      const long long first = batch + c * args_.x_channel_stride +
                              clamped(0, corner[0] + i) * args_.x_stride[0] +
                              clamped(1, corner[1] + j) * args_.x_stride[1];
      for (long long tap = 0; tap < taps; ++tap) {
        out[tap] = load_f32(args_.x, args_.x_dtype,
                            first + clamped(2, corner[2] + l + tap) * args_.x_stride[2]);
      }
      out += taps;
      k += taps;
    }
  }

  long long clamped(int axis, long long position) const {
    return std::min(position, args_.extent[axis] - 1);
  }

  const PatchifyArgs& args_;
  long long grid_[3];
  long long tokens_, columns_;
};

}  // namespace

void patchify(const PatchifyArgs& args, const CpuContext& context) {
  if (!context.kernels) return oracle::patchify(args);
  const Patches patches(args);
  std::vector<float> bias;
  if (args.bias) {
    bias.resize(static_cast<size_t>(args.width));
    context.vector->widen(args.bias, args.bias_dtype, bias.data(), args.width);
  }
  const GemmProblem problem{
      .m = patches.rows(),
      .n = args.width,
      .k = patches.columns(),
      .w = {.data = args.w,
            .block_scale = nullptr,
            .row_stride = patches.columns(),
            .block_scale_stride = 0,
            .columns = 0,
            .dtype = args.w_dtype},
      .epilogue = {.scale = nullptr,
                   .bias = args.bias ? bias.data() : nullptr,
                   .gate = nullptr,
                   .residual = nullptr,
                   .out = args.out,
                   .gate_rows = 1,
                   .gate_stride = 0,
                   .residual_stride = 0,
                   .out_stride = args.width,
                   .gate_dtype = DType::kF32,
                   .out_dtype = args.out_dtype,
                   .activation = Activation::kNone},
      .is_bf16 = false,
  };
  gemm(problem, [&](const RowBlock& block) { patches.gather(block); }, context);
}

void unpatchify(const UnpatchifyArgs& args, const CpuContext& context) {
  if (!context.kernels) return oracle::unpatchify(args);
  const auto& [patch_t, patch_h, patch_w] = args.patch;
  const long long frames = args.grid[0] * patch_t, height = args.grid[1] * patch_h;
  const auto bytes = static_cast<size_t>(size_of(args.dtype));
  const size_t run = static_cast<size_t>(patch_w) * bytes;
  const auto* x = static_cast<const char*>(args.x);
  // One task is one plane of pixels, written in order.
  context.pool.parallel_for(args.batch * args.channels * frames, [&](int64_t task, int) {
    const long long t = task % frames, c = task / frames % args.channels;
    const long long b = task / (frames * args.channels);
    auto* out =
        static_cast<char*>(args.out) + static_cast<size_t>(task * height * args.grid[2]) * run;
    for (long long y = 0; y < height; ++y) {
      const long long token = (t / patch_t * args.grid[1] + y / patch_h) * args.grid[2];
      const long long column = ((c * patch_t + t % patch_t) * patch_h + y % patch_h) * patch_w;
      const char* source =
          x + static_cast<size_t>(b * args.x_batch_stride + token * args.x_token_stride + column) *
                  bytes;
      for (long long w = 0; w < args.grid[2]; ++w, out += run) {
        std::memcpy(out, source + static_cast<size_t>(w * args.x_token_stride) * bytes, run);
      }
    }
  });
}

}  // namespace framepack::cpu
