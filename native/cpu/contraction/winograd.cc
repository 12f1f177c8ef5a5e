// Winograd's F(2 x 2, 3 x 3): 16 matrix products over tiles of 2 x 2 outputs do the work of 36. The
// taps of the time axis stay what they are: they lengthen the reduction. A task owns a block of tiles
// of one frame. Product after product it transforms its input, multiplies, and adds the result with
// signs to its output pixels. An infinity or NaN reaches all four outputs of its tiles, as a NaN.
#include "winograd.h"

#include <algorithm>
#include <array>

#include "../rows.h"
#include "conv3d_output.h"
#include "gemm.h"

namespace framepack::cpu {

namespace {

constexpr long long kInputBytes = 512 << 10;  // transformed input of one product: half an L2 cache
constexpr long long kBlockK = 256;            // reduction per pass over the tiles
constexpr long long kTasksPerThread = 4;
// Fewer tiles do not pay for transforming the weight.
constexpr long long kMinTiles = 64;
constexpr int kProducts = 16;

// Row r of B^T is d[first] + sign d[second]; columns of B are the same.
struct InputPair {
  int first, second;
  float sign;
};
constexpr InputPair kInputPairs[] = {{0, 2, -1}, {1, 2, 1}, {2, 1, -1}, {1, 3, -1}};

// Column r of A^T: what row r of the products counts for the even and the odd output.
constexpr std::array<float, 2> kOutputSigns[] = {{1, 0}, {1, 1}, {1, -1}, {0, -1}};

class Winograd {
 public:
  Winograd(const Conv3dArgs& args, const isa::GemmKernels& kernels, const CpuContext& context)
      : args_(args),
        context_(context),
        output_(args, context),
        kernels_(kernels),
        reduction_(args.kernel[0] * args.in_channels),
        tile_rows_(ceil_div(args.out_extent[1], 2)),
        tile_columns_(ceil_div(args.out_extent[2], 2)) {
    input_stride_ = packed_row_stride(reduction_, kernels_.element_bytes);
    panels_ = ceil_div(args.out_channels, kernels_.tile_columns);
    choose_block();
  }

  void run() {
    pack_weight();
    const long long row_blocks = ceil_div(tile_rows_, block_rows_);
    const long long column_blocks = ceil_div(tile_columns_, block_columns_);
    const long long tasks = args_.batch * args_.out_extent[0] * row_blocks * column_blocks;
    context_.pool.parallel_for(tasks, [&](int64_t task, int worker) {
      Block block;
      block.column = task % column_blocks * block_columns_;
      block.row = task / column_blocks % row_blocks * block_rows_;
      block.t = task / (column_blocks * row_blocks) % args_.out_extent[0];
      block.b = task / (column_blocks * row_blocks * args_.out_extent[0]);
      block.columns = std::min(block_columns_, tile_columns_ - block.column);
      block.rows = std::min(block_rows_, tile_rows_ - block.row);
      convolve(block, worker);
    });
  }

 private:
  // Tiles of one task.
  struct Block {
    long long b, t, row, column, rows, columns;
    long long tiles() const { return rows * columns; }
  };
  // Scratch memory of one task.
  struct Room {
    const void** pixels;  // [time taps, tiles, 16]
    char* input;          // [tiles, input_stride_] of one product
    float* products;      // [tiles, width] of one panel
    float* sums;          // [panels, 2 * rows, 2 * columns, width]
  };

  void choose_block() {
    const long long frames = args_.batch * args_.out_extent[0];
    const long long wanted = context_.pool.size() == 1 ? 1 : kTasksPerThread * context_.pool.size();
    long long tiles =
        std::max<long long>(1, kInputBytes / (input_stride_ * kernels_.element_bytes));
    tiles =
        std::min(tiles, std::max<long long>(4LL * kernels_.tile_rows,
                                            ceil_div(frames * tile_rows_ * tile_columns_, wanted)));
    block_columns_ = ceil_div(tile_columns_, ceil_div(tile_columns_, tiles));
    block_rows_ = std::max<long long>(1, tiles / block_columns_);
    block_rows_ = ceil_div(tile_rows_, ceil_div(tile_rows_, block_rows_));
  }

  int columns_of(long long panel) const {
    return static_cast<int>(std::min<long long>(
        kernels_.tile_columns, args_.out_channels - panel * kernels_.tile_columns));
  }

  char* panel_at(int product, long long panel) const {
    return packed_ + (product * panels_ + panel) * panel_bytes();
  }
  long long panel_bytes() const {
    return kernels_.tile_columns * reduction_ * kernels_.element_bytes;
  }

  void pack_weight() {
    packed_ = static_cast<char*>(
        context_.scratch.shared(static_cast<size_t>(kProducts * panels_ * panel_bytes())));
    context_.pool.parallel_for(panels_,
                               [&](int64_t panel, int worker) { pack_panels(panel, worker); });
  }

  // The panels of all products for some output channels.
  void pack_panels(long long panel, int worker) const {
    const int columns = columns_of(panel);
    const long long taps = 9 * args_.in_channels, product_stride = columns * reduction_;
    auto* transformed = static_cast<float*>(context_.scratch.of_worker(
        worker, static_cast<size_t>(kProducts * product_stride + taps) * sizeof(float)));
    float* widened = transformed + kProducts * product_stride;
    for (long long row = 0; row < columns * args_.kernel[0]; ++row) {
      const long long first = (panel * kernels_.tile_columns * args_.kernel[0] + row) * taps;
      context_.vector->widen(element(args_.w, args_.w_dtype, first), args_.w_dtype, widened, taps);
      context_.kernels->winograd_weight(widened, args_.in_channels,
                                        transformed + row * args_.in_channels, product_stride);
    }
    for (int product = 0; product < kProducts; ++product) {
      kernels_.pack_panel({.data = transformed + product * product_stride,
                           .block_scale = nullptr,
                           .row_stride = reduction_,
                           .block_scale_stride = 0,
                           .columns = columns,
                           .dtype = DType::kF32},
                          reduction_, panel_at(product, panel), nullptr);
    }
  }

  Room room_of(int worker, const Block& block) const {
    const auto aligned = [](long long bytes) {
      return static_cast<size_t>(ceil_div(bytes, 64) * 64);
    };
    const size_t pixels =
        aligned(args_.kernel[0] * block.tiles() * 16 * static_cast<long long>(sizeof(void*)));
    const size_t input = aligned(block.tiles() * input_stride_ * kernels_.element_bytes);
    const size_t products = aligned(block.tiles() * kernels_.tile_columns * sizeof(float));
    const size_t sums = 4 * panels_ * products;
    auto* base =
        static_cast<char*>(context_.scratch.of_worker(worker, pixels + input + products + sums));
    std::fill_n(reinterpret_cast<float*>(base + pixels + input + products), sums / sizeof(float),
                0.0f);
    return {reinterpret_cast<const void**>(base), base + pixels,
            reinterpret_cast<float*>(base + pixels + input),
            reinterpret_cast<float*>(base + pixels + input + products)};
  }

  void convolve(const Block& block, int worker) const {
    const Room room = room_of(worker, block);
    list_pixels(block, room);
    for (int product = 0; product < kProducts; ++product) {
      transform_input(block, product, room);
      for (long long panel = 0; panel < panels_; ++panel) {
        multiply(block, product, panel, room);
        add_products(block, product, panel, room);
      }
    }
    finish(block, room);
  }

  // The 4 x 4 pixels under every tile, for every tap in time.
  void list_pixels(const Block& block, const Room& room) const {
    const void** pixel = room.pixels;
    for (long long i = 0; i < args_.kernel[0]; ++i) {
      const long long t = block.t * args_.stride[0] + i;
      for (long long tile = 0; tile < block.tiles(); ++tile) {
        const long long y = 2 * (block.row + tile / block.columns);
        const long long x = 2 * (block.column + tile % block.columns);
        for (int corner = 0; corner < 16; ++corner) {
          *pixel++ = input_pixel(block.b, t, y + corner / 4, x + corner % 4);
        }
      }
    }
  }

  void transform_input(const Block& block, int product, const Room& room) const {
    const InputPair& rows = kInputPairs[product / 4];
    const InputPair& columns = kInputPairs[product % 4];
    for (long long i = 0; i < args_.kernel[0]; ++i) {
      kernels_.winograd_input(
          {.pixels = room.pixels + i * block.tiles() * 16,
           .corners = {rows.first * 4 + columns.first, rows.first * 4 + columns.second,
                       rows.second * 4 + columns.first, rows.second * 4 + columns.second},
           .row_sign = rows.sign,
           .column_sign = columns.sign,
           .dtype = args_.dtype,
           .tiles = block.tiles(),
           .channels = args_.in_channels,
           .out = room.input + i * args_.in_channels * kernels_.element_bytes,
           .out_stride = input_stride_});
    }
  }

  // Coordinates count from the padding's first pixel.
  const void* input_pixel(long long b, long long t, long long y, long long x) const {
    const auto& [frames, height, width] = args_.in_extent;
    t = std::clamp(t - args_.pad[0], 0LL, frames - 1);
    y = std::clamp(y - args_.pad[1], 0LL, height - 1);
    x = std::clamp(x - args_.pad[2], 0LL, width - 1);
    return element(args_.x, args_.dtype,
                   (((b * frames + t) * height + y) * width + x) * args_.in_channels);
  }

  void multiply(const Block& block, int product, long long panel, const Room& room) const {
    constexpr long long offset = 0;
    const int width = kernels_.panel_width(columns_of(panel));
    const int height = kernels_.tile_height(block.tiles());
    for (long long k = 0; k < reduction_; k += kBlockK) {
      const long long k_bytes = k * kernels_.element_bytes;
      for (long long tile = 0; tile < block.tiles(); tile += height) {
        kernels_.tile({.a = room.input + tile * input_stride_ * kernels_.element_bytes + k_bytes,
                       .a_row_stride = input_stride_,
                       .a_k_stride = 1,
                       .offsets = &offset,
                       .segments = 1,
                       .k = std::min(kBlockK, reduction_ - k),
                       .panel = panel_at(product, panel) + k_bytes * width,
                       .c = room.products + tile * width,
                       .c_stride = width,
                       .rows = static_cast<int>(std::min<long long>(height, block.tiles() - tile)),
                       .width = width,
                       .accumulates = k > 0});
      }
    }
  }

  // Sums of output row `row` of the block, counted in pixels.
  float* sums_at(const Block& block, long long panel, long long row, const Room& room) const {
    return room.sums + (panel * 2 * block.rows + row) * 2 * block.columns * kernels_.tile_columns;
  }

  void add_products(const Block& block, int product, long long panel, const Room& room) const {
    const auto& row_signs = kOutputSigns[product / 4];
    const auto& column_signs = kOutputSigns[product % 4];
    const int width = kernels_.panel_width(columns_of(panel));
    for (long long row = 0; row < 2 * block.rows; ++row) {
      const float sign = row_signs[static_cast<size_t>(row % 2)];
      if (sign == 0) continue;
      context_.kernels->winograd_output(room.products + row / 2 * block.columns * width,
                                        block.columns, width, sign * column_signs[0],
                                        sign * column_signs[1], sums_at(block, panel, row, room));
    }
  }

  void finish(const Block& block, const Room& room) const {
    const long long x = 2 * block.column;
    const int pixels = static_cast<int>(std::min(2 * block.columns, args_.out_extent[2] - x));
    const long long rows = std::min(2 * block.rows, args_.out_extent[1] - 2 * block.row);
    for (long long row = 0; row < rows; ++row) {
      const isa::Epilogue epilogue = output_.row(block.b, block.t, 2 * block.row + row, x);
      for (long long panel = 0; panel < panels_; ++panel) {
        const int columns = columns_of(panel);
        context_.kernels->finish(sums_at(block, panel, row, room), kernels_.panel_width(columns),
                                 epilogue, {0, panel * kernels_.tile_columns, pixels, columns});
      }
    }
  }

  const Conv3dArgs& args_;
  const CpuContext& context_;
  const Conv3dOutput output_;
  const isa::GemmKernels& kernels_;
  const long long reduction_;                 // time taps * channels
  const long long tile_rows_, tile_columns_;  // of a frame
  long long input_stride_ = 0, panels_ = 0;
  long long block_rows_ = 0, block_columns_ = 0;
  char* packed_ = nullptr;
};

}  // namespace

bool can_use_winograd(const Conv3dArgs& args, const isa::GemmKernels& kernels) {
  if (!kernels.winograd_input || args.kernel[1] != 3 || args.kernel[2] != 3) return false;
  if (args.stride[1] != 1 || args.stride[2] != 1) return false;
  const auto [frames, height, width] = args.out_extent;
  const long long tiles_of_frame = ceil_div(height, 2) * ceil_div(width, 2);
  // Transforms cost as much as in + out channels, products save as much as in * out.
  const long long in = args.in_channels, out = args.out_channels;
  const bool is_wide = 2 * in * out >= kernels.winograd_channels * (in + out);
  const bool is_filled = 2 * 4 * tiles_of_frame <= 3 * height * width;
  return is_wide && is_filled && args.batch * frames * tiles_of_frame >= kMinTiles;
}

void winograd_conv3d(const Conv3dArgs& args, const isa::GemmKernels& kernels,
                     const CpuContext& context) {
  Winograd(args, kernels, context).run();
}

}  // namespace framepack::cpu
