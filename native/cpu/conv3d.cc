// Implicit matrix product; contraction/winograd.cc takes what it can do faster. A task owns a block of
// output pixels of one frame: it copies the input pixels under it, with replicated borders, into
// scratch, where the pixels of a row are the rows of the product and every tap is an offset. The
// weight is packed once for all tasks.
#include "conv3d.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "../../kernels/conv3d/conv3d_ref.h"
#include "contraction/conv3d_output.h"
#include "contraction/gemm.h"
#include "contraction/winograd.h"
#include "rows.h"

namespace framepack::cpu {

namespace {

constexpr long long kInputBytes = 512 << 10;  // input pixels of one task: half an L2 cache
constexpr long long kBlockK = 256;            // reduction per pass over the tiles
constexpr long long kPackK = 1024;            // weight columns per packing task
constexpr long long kTasksPerThread = 4;
// From here on pixels are padded to an odd number of cache lines and each tap is a stretch of its
// own; below, the taps of a row are one stretch, which keeps the inner loop long.
constexpr long long kWidePixelBytes = 512;

class Convolution {
 public:
  Convolution(const Conv3dArgs& args, const isa::GemmKernels& kernels, const CpuContext& context)
      : args_(args), context_(context), output_(args, context), kernels_(kernels) {
    const long long pixel_bytes = args.in_channels * kernels_.element_bytes;
    const bool is_wide = pixel_bytes >= kWidePixelBytes;
    pixel_stride_ =
        is_wide ? packed_row_stride(args.in_channels, kernels_.element_bytes) : args.in_channels;
    stretch_ = is_wide ? args.in_channels : args.in_channels * args.kernel[2];
    choose_block();
    list_offsets(is_wide);
    reduction_ = static_cast<long long>(offsets_.size()) * stretch_;
    stretches_per_pass_ = std::max<long long>(1, kBlockK / stretch_);
  }

  void run() {
    pack_weight();
    const long long row_blocks = ceil_div(args_.out_extent[1], block_rows_);
    const long long column_blocks = ceil_div(args_.out_extent[2], block_columns_);
    const long long tasks = args_.batch * args_.out_extent[0] * row_blocks * column_blocks;
    context_.pool.parallel_for(tasks, [&](int64_t task, int worker) {
      Block block;
      block.x = task % column_blocks * block_columns_;
      block.y = task / column_blocks % row_blocks * block_rows_;
      block.t = task / (column_blocks * row_blocks) % args_.out_extent[0];
      block.b = task / (column_blocks * row_blocks * args_.out_extent[0]);
      block.columns = std::min(block_columns_, args_.out_extent[2] - block.x);
      block.rows = std::min(block_rows_, args_.out_extent[1] - block.y);
      convolve(block, worker);
    });
  }

 private:
  // Output pixels of one task.
  struct Block {
    long long b, t, y, x, rows, columns;
  };

  long long input_rows() const { return (block_rows_ - 1) * args_.stride[1] + args_.kernel[1]; }
  long long input_columns() const {
    return (block_columns_ - 1) * args_.stride[2] + args_.kernel[2];
  }
  long long input_bytes() const {
    return args_.kernel[0] * input_rows() * input_columns() * pixel_stride_ *
           kernels_.element_bytes;
  }

  // Whole rows first, since tiles run along them; fewer rows, then shorter ones, until the input
  // fits and there are tasks for everybody.
  void choose_block() {
    const long long frames = args_.batch * args_.out_extent[0];
    const long long wanted = context_.pool.size() == 1 ? 1 : kTasksPerThread * context_.pool.size();
    block_rows_ = args_.out_extent[1];
    block_columns_ = args_.out_extent[2];
    const auto tasks = [&] {
      return frames * ceil_div(args_.out_extent[1], block_rows_) *
             ceil_div(args_.out_extent[2], block_columns_);
    };
    while (input_bytes() > kInputBytes || tasks() < wanted) {
      const bool is_long = block_columns_ >= 4 * kernels_.tile_rows;
      if (block_rows_ > 4 || (block_rows_ > 1 && !is_long)) {
        block_rows_ = ceil_div(block_rows_, 2);
      } else if (is_long) {
        block_columns_ = ceil_div(block_columns_, 2);
      } else {
        break;
      }
    }
  }

  void list_offsets(bool is_wide) {
    for (long long i = 0; i < args_.kernel[0]; ++i) {
      for (long long j = 0; j < args_.kernel[1]; ++j) {
        const long long row = (i * input_rows() + j) * input_columns();
        for (long long l = 0; l < (is_wide ? args_.kernel[2] : 1); ++l) {
          offsets_.push_back((row + l) * pixel_stride_);
        }
      }
    }
  }

  int columns_of(long long panel) const {
    return static_cast<int>(std::min<long long>(
        kernels_.tile_columns, args_.out_channels - panel * kernels_.tile_columns));
  }

  const char* panel_at(long long panel) const {
    return packed_ + panel * kernels_.tile_columns * reduction_ * kernels_.element_bytes;
  }

  void pack_weight() {
    const long long panels = ceil_div(args_.out_channels, kernels_.tile_columns);
    packed_ = static_cast<char*>(context_.scratch.shared(
        static_cast<size_t>(panels * kernels_.tile_columns * reduction_ * kernels_.element_bytes)));
    const long long cuts = ceil_div(reduction_, kPackK);
    context_.pool.parallel_for(panels * cuts, [&](int64_t task, int) {
      const long long panel = task / cuts, k = task % cuts * kPackK;
      const long long first = panel * kernels_.tile_columns * reduction_ + k;
      const isa::ColumnSource source{
          .data = static_cast<const char*>(args_.w) + first * size_of(args_.w_dtype),
          .block_scale = nullptr,
          .row_stride = reduction_,
          .block_scale_stride = 0,
          .columns = columns_of(panel),
          .dtype = args_.w_dtype};
      const long long offset = k * kernels_.panel_width(source.columns) * kernels_.element_bytes;
      kernels_.pack_panel(source, std::min(kPackK, reduction_ - k),
                          const_cast<char*>(panel_at(panel)) + offset, nullptr);
    });
  }

  void convolve(const Block& block, int worker) const {
    const long long pixels = block.rows * block.columns;
    const size_t sums_bytes = static_cast<size_t>(pixels * kernels_.tile_columns) * sizeof(float);
    auto* input = static_cast<char*>(
        context_.scratch.of_worker(worker, static_cast<size_t>(input_bytes()) + 64 + sums_bytes));
    auto* sums = reinterpret_cast<float*>(input + (input_bytes() + 63) / 64 * 64);
    copy_input(block, input);
    const TileRegion region(kernels_);
    for (long long first = 0; first < args_.out_channels; first += kernels_.tile_columns) {
      multiply(block, input, first / kernels_.tile_columns, sums);
    }
  }

  // The input under the block, [kT, input_rows, input_columns] pixels, clamped at the borders.
  void copy_input(const Block& block, char* input) const {
    const long long rows = (block.rows - 1) * args_.stride[1] + args_.kernel[1];
    const long long columns = (block.columns - 1) * args_.stride[2] + args_.kernel[2];
    const auto& [frames, height, width] = args_.in_extent;
    const long long x = block.x * args_.stride[2] - args_.pad[2];
    for (long long i = 0; i < args_.kernel[0]; ++i) {
      const long long t = std::clamp(block.t * args_.stride[0] + i - args_.pad[0], 0LL, frames - 1);
      for (long long j = 0; j < rows; ++j) {
        const long long y =
            std::clamp(block.y * args_.stride[1] + j - args_.pad[1], 0LL, height - 1);
        char* row = input + (i * input_rows() + j) * input_columns() * pixel_stride_ *
                                kernels_.element_bytes;
        copy_row(((block.b * frames + t) * height + y) * width, x, columns, row);
      }
    }
  }

  void copy_row(long long source_row, long long x, long long columns, char* row) const {
    const long long width = args_.in_extent[2];
    const long long inner_begin = std::clamp(-x, 0LL, columns);
    const long long inner_end = std::clamp(width - x, inner_begin, columns);
    for (long long l = 0; l < inner_begin; ++l) copy_pixels(source_row, 1, row, l);
    if (pixel_stride_ == args_.in_channels) {
      copy_pixels(source_row + x + inner_begin, inner_end - inner_begin, row, inner_begin);
    } else {
      for (long long l = inner_begin; l < inner_end; ++l) {
        copy_pixels(source_row + x + l, 1, row, l);
      }
    }
    for (long long l = inner_end; l < columns; ++l) copy_pixels(source_row + width - 1, 1, row, l);
  }

  void copy_pixels(long long source, long long count, char* row, long long column) const {
    const void* from =
        static_cast<const char*>(args_.x) + source * args_.in_channels * size_of(args_.dtype);
    char* to = row + column * pixel_stride_ * kernels_.element_bytes;
    const long long elements = count * args_.in_channels;
    if (kernels_.element_bytes == sizeof(uint16_t)) {
      std::memcpy(to, from, static_cast<size_t>(elements) * sizeof(uint16_t));
    } else {
      context_.vector->widen(from, args_.dtype, reinterpret_cast<float*>(to), elements);
    }
  }

  void multiply(const Block& block, const char* input, long long panel, float* sums) const {
    const int columns = columns_of(panel), width = kernels_.panel_width(columns);
    const int tile_rows = kernels_.tile_height(block.columns);
    const auto stretches = static_cast<long long>(offsets_.size());
    for (long long s = 0; s < stretches; s += stretches_per_pass_) {
      isa::TileArgs tile{
          .a = nullptr,
          .a_row_stride = args_.stride[2] * pixel_stride_,
          .a_k_stride = 1,
          .offsets = offsets_.data() + s,
          .segments = std::min(stretches_per_pass_, stretches - s),
          .k = stretch_,
          .panel = panel_at(panel) + s * stretch_ * width * kernels_.element_bytes,
          .c = nullptr,
          .c_stride = width,
          .rows = 0,
          .width = width,
          .accumulates = s > 0,
      };
      const bool is_last = s + stretches_per_pass_ >= stretches;
      for (long long y = 0; y < block.rows; ++y) {
        const isa::Epilogue epilogue = output_.row(block.b, block.t, block.y + y, block.x);
        for (int x = 0; x < block.columns; x += tile_rows) {
          const long long pixel = y * args_.stride[1] * input_columns() + x * args_.stride[2];
          tile.a = input + pixel * pixel_stride_ * kernels_.element_bytes;
          tile.c = sums + (y * block.columns + x) * width;
          tile.rows = static_cast<int>(std::min<long long>(tile_rows, block.columns - x));
          kernels_.tile(tile);
          if (is_last) {
            context_.kernels->finish(tile.c, width, epilogue,
                                     {x, panel * kernels_.tile_columns, tile.rows, columns});
          }
        }
      }
    }
  }

  const Conv3dArgs& args_;
  const CpuContext& context_;
  const Conv3dOutput output_;
  const isa::GemmKernels& kernels_;
  long long pixel_stride_ = 0;  // elements between scratch pixels
  long long stretch_ = 0;       // elements per entry of offsets_
  long long stretches_per_pass_ = 0;
  long long reduction_ = 0;  // taps * channels
  long long block_rows_ = 0, block_columns_ = 0;
  std::vector<long long> offsets_;
  char* packed_ = nullptr;
};

// Scaled kernels win less than Winograd's method does in f32.
const isa::GemmKernels& choose_kernels(const Conv3dArgs& args, const CpuContext& context) {
  const isa::GemmKernels* bf16 = context.kernels->bf16;
  const bool is_exact = args.dtype == DType::kBf16 && args.w_dtype == DType::kBf16;
  const bool can_use_bf16 =
      bf16 && !bf16->is_scaled() && is_exact && args.in_channels % bf16->k_step == 0;
  return can_use_bf16 ? *bf16 : context.kernels->f32;
}

}  // namespace

void conv3d(const Conv3dArgs& args, const CpuContext& context) {
  if (!context.kernels) return oracle::conv3d(args);
  const isa::GemmKernels& kernels = choose_kernels(args, context);
  if (can_use_winograd(args, kernels)) return winograd_conv3d(args, kernels, context);
  Convolution(args, kernels, context).run();
}

}  // namespace framepack::cpu
