// The instruction-set dependent part of matmul, attention, conv3d and patchify: function pointers
// over raw pointers, one table per level. Blocking, threads and masks live above.
//
// Every product has the form c[row, column] (+)= sum_k a[row, k] * b[k, column] with k ascending
// and f32 sums. `a` is read in place through strides. `b` is packed in panels: a panel holds up to
// tile_columns columns, padded with zeros to panel_width(columns), as [k / k_step, width, k_step];
// the AMX panel orders the numbers of one k_step for its tiles.
#pragma once
#include "../../../kernels/matmul/matmul_args.h"

namespace framepack::cpu::isa {

// One tile of c. The reduction runs over `segments` stretches of k elements, k a multiple of
// k_step; stretch s of row i starts at a[offsets[s] + i * a_row_stride].
struct TileArgs {
  const void* a;
  long long a_row_stride, a_k_stride;  // elements; a_k_stride is 1 where k_step is not
  const long long* offsets;            // [segments], elements
  long long segments, k;
  const void* panel;  // [segments * k, width]
  float* c;           // [rows, width]: whole vectors are written
  long long c_stride;
  int rows, width;
  bool accumulates;  // c is added to instead of overwritten
  // Of scaled kernels: numbers of a row of a, and of a column of the panel, times these are the operands.
  const float* row_scale = nullptr;     // [rows]
  const float* column_scale = nullptr;  // [width]
};

// Rows of a weight [N, K] that become the columns of one panel.
struct ColumnSource {
  const void* data;
  const float* block_scale;  // one factor per kScaleBlock consecutive k of a row, or null
  long long row_stride, block_scale_stride;
  int columns;
  DType dtype;
};

// Most of a product that one task cuts at a time: `rows` share a packed panel of b and hide its
// packing, the sums of rows x columns stay in L2 between stretches of k, as a panel does.
struct GemmBlock {
  long long rows, columns, k;
};

// The left operand of one of the 16 products of Winograd's F(2 x 2, 3 x 3), see
// contraction/winograd.h: for every tile, of the pixels p under it, p[corners[0]] + column_sign
// p[corners[1]] + row_sign (p[corners[2]] + column_sign p[corners[3]]).
struct WinogradInput {
  const void* const* pixels;  // [tiles, 16]
  int corners[4];
  float row_sign, column_sign;
  DType dtype;
  long long tiles, channels;
  void* out;  // [tiles, channels]
  long long out_stride;
};

// Kernels for one element type of a and b.
struct GemmKernels {
  int tile_rows;
  int row_step;  // tiles are best a multiple of this high
  int tile_columns;
  int lanes;  // columns of one vector: panels of at most so many columns are one vector wide
  int k_step;
  int element_bytes;
  GemmBlock block;  // k is a multiple of kScaleBlock
  // k elements of every column, zero-padded to k_step. k may only be cut at multiples of
  // kScaleBlock. Scaled kernels set column_scale [width].
  void (*pack_panel)(const ColumnSource& source, long long k, void* panel, float* column_scale);
  // Rounds numbers [k, width] from 0 to 1 to a panel; null where they are one already.
  void (*round_panel)(const float* numbers, long long k, int width, void* panel,
                      float* column_scale);
  void (*tile)(const TileArgs& args);
  // Null where convolutions are better multiplied directly.
  void (*winograd_input)(const WinogradInput& args);
  int winograd_channels;  // harmonic mean of input and output channels from which it pays
  // Scaled kernels only, else null: the row_scale that suits k bf16 numbers, and what replaces these by
  // elements of a. Sums are not as exact as f32.
  float (*scale_of)(const unsigned short* row, long long k) = nullptr;
  void (*scale_row)(unsigned short* row, long long k, float scale) = nullptr;
  // Around the tiles of one task, on its thread; null where nothing is to be done.
  void (*open)() = nullptr;
  void (*close)() = nullptr;

  bool is_scaled() const { return scale_of != nullptr; }
  int panel_width(int columns) const { return columns <= lanes ? lanes : tile_columns; }
  // Height of equal tiles over `rows` rows.
  int tile_height(long long rows) const {
    const long long tiles = (rows + tile_rows - 1) / tile_rows;
    return static_cast<int>((rows + tiles * row_step - 1) / (tiles * row_step) * row_step);
  }
};

// What happens to a finished sum: out = residual + gate * act(sum * scale + bias), rounded once.
struct Epilogue {
  const float* scale;    // [N] or null
  const float* bias;     // [N] or null
  const void* gate;      // [M / gate_rows, N] or null
  const void* residual;  // [M, N] or null
  void* out;             // [M, N]
  long long gate_rows, gate_stride, residual_stride, out_stride;
  DType gate_dtype, out_dtype;
  Activation activation;
};

// Where the sums of one tile belong.
struct Placement {
  long long row, column;
  int rows, columns;
};

// One chunk of keys for `width` queries, one query per column: scores[key * width + query].
struct SoftmaxArgs {
  float* scores;         // becomes exp(scale * score - maximum), 0 where masked
  const float* visible;  // [width] how many of these keys each query sees, or null for all
  float* maximum;        // [width] running maximum of scale * score; -FLT_MAX before the first
  float* sum;            // [width] running sum of the exponentials
  float* correction;     // [width] out: what sums and outputs of earlier chunks were multiplied by
  long long keys;
  int width;  // a multiple of the lanes
  float scale;
};

struct KernelTable {
  GemmKernels f32;
  const GemmKernels* bf16;  // for operands that are exact in bf16; null without such kernels
  // c[row * c_stride + column] = a[row, :] . w[column, :], for at most kMaxDotRows rows.
  void (*dot)(const float* a, long long a_stride, int rows, const ColumnSource& w, long long k,
              float* c, long long c_stride);
  void (*finish)(const float* c, long long c_stride, const Epilogue& epilogue,
                 const Placement& place);
  // Returns whether any correction differs from 1.
  bool (*softmax)(const SoftmaxArgs& args);
  // x[row * width + column] *= factor[column]
  void (*scale_columns)(float* x, long long rows, int width, const float* factor);
  // From taps [9, channels] to the weights of the 16 products, out[product * out_stride + channel].
  void (*winograd_weight)(const float* taps, long long channels, float* out, long long out_stride);
  // Adds products [tiles, width] to output row `out` [2 tiles, width]: even_sign times to the left
  // pixel of each tile, odd_sign times to the right one.
  void (*winograd_output)(const float* products, long long tiles, int width, float even_sign,
                          float odd_sign, float* out);
};

constexpr int kMaxDotRows = 16;
constexpr int kScaleBlock = 64;

const KernelTable* kernel_table_neon();
const KernelTable* kernel_table_avx2();
const KernelTable* kernel_table_avx512();
const KernelTable* kernel_table_avx512_bf16();  // the same with vdpbf16ps for bf16 operands
// bf16 kernels to go with kernel_table_avx512(); null where the compiler does not know the instructions
const GemmKernels* gemm_table_avx512_fp16();
const GemmKernels* gemm_table_amx();

}  // namespace framepack::cpu::isa
