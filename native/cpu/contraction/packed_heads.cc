#include "packed_heads.h"

#include <algorithm>
#include <cstring>

#include "../../core/dtype.h"
#include "../cpu_context.h"
#include "../isa/vector_table.h"
#include "gemm.h"

namespace framepack::cpu {

namespace {

constexpr long long round_up(long long a, long long b) { return (a + b - 1) / b * b; }

const char* row_of(const void* data, const AttentionStrides& stride, DType dtype, long long batch,
                   long long token, long long head) {
  const long long index = batch * stride.batch + token * stride.token + head * stride.head;
  return static_cast<const char*>(data) + index * size_of(dtype);
}

}  // namespace

PackedHeads::PackedHeads(const AttentionArgs& args, const CpuContext& context,
                         const isa::GemmKernels& kernels)
    : args_(args),
      context_(context),
      kernels_(kernels),
      key_end_(args.num_segments > 0 ? args.key_offsets[args.num_segments] : args.key_tokens) {
  const int step = kernels.k_step, bytes = kernels.element_bytes;
  key_stride_ = packed_row_stride(round_up(args.head_width, step), bytes);
  key_bytes_ = args.key_tokens * key_stride_ * bytes;
  if (step <= 2) {
    // [S, K], or [S / 2, K, 2] where a step of the reduction is a pair of keys.
    value_key_stride_ = key_stride_;
    value_column_stride_ = step;
    value_bytes_ = round_up(args.key_tokens, step) * key_stride_ * bytes;
  } else {
    // [K, S]: a step is a stretch of keys, and the last one may reach behind the last key.
    value_key_stride_ = 1;
    value_column_stride_ = packed_row_stride(args.key_tokens + step, bytes);
    value_bytes_ = args.head_width * value_column_stride_ * bytes;
  }
  if (kernels.is_scaled()) {
    scale_bytes_ = packed_row_stride(args.key_tokens + args.head_width, sizeof(float)) *
                   static_cast<long long>(sizeof(float));
  }
}

void PackedHeads::measure_values(long long slot, long long batch, long long head) const {
  const long long begin = args_.num_segments > 0 ? args_.key_offsets[0] : 0;
  float scale = 0;
  for (long long row = begin; row < key_end_; ++row) {
    const char* v = row_of(args_.v, args_.v_stride, args_.dtype, batch, row, head);
    scale =
        std::max(scale, kernels_.scale_of(reinterpret_cast<const uint16_t*>(v), args_.head_width));
  }
  std::fill_n(value_scale(slot), args_.head_width, begin < key_end_ ? scale : 1);
}

void PackedHeads::pack(long long slot, long long batch, long long head, long long first) const {
  const long long rows = std::min(kPackRows, args_.key_tokens - first);
  const char* k = row_of(args_.k, args_.k_stride, args_.dtype, batch, first, head);
  const char* v = row_of(args_.v, args_.v_stride, args_.dtype, batch, first, head);
  pack_rows(k, args_.k_stride.token, rows, const_cast<char*>(key(slot, first)));
  char* values = const_cast<char*>(value(slot, first, 0));
  if (kernels_.k_step == 1) {
    pack_rows(v, args_.v_stride.token, rows, values);
  } else if (kernels_.k_step == 2) {
    pack_value_pairs(v, std::min(rows, key_end_ - first), values);
  } else {
    pack_value_columns(v, rows, first + rows == args_.key_tokens, values);
  }
  if (kernels_.is_scaled()) scale(slot, first, rows);
}

// Rows of keys, and rows of pairs of values.
void PackedHeads::scale(long long slot, long long first, long long rows) const {
  for (long long row = first; row < first + rows; ++row) {
    *key_scale(slot, row) =
        scale_row(kernels_, const_cast<char*>(key(slot, row)), args_.head_width);
  }
  const float common = *value_scale(slot);
  for (long long row = first; row < std::min(first + rows, key_end_); row += kernels_.k_step) {
    kernels_.scale_row(reinterpret_cast<uint16_t*>(const_cast<char*>(value(slot, row, 0))),
                       kernels_.k_step * args_.head_width, common);
  }
}

void PackedHeads::pack_rows(const char* source, long long stride, long long rows,
                            char* packed) const {
  const long long padding = round_up(args_.head_width, kernels_.k_step) - args_.head_width;
  for (long long row = 0; row < rows; ++row) {
    const char* from = source + row * stride * size_of(args_.dtype);
    char* to = packed + row * key_stride_ * kernels_.element_bytes;
    if (kernels_.element_bytes == 2) {
      std::memcpy(to, from, static_cast<size_t>(args_.head_width) * sizeof(uint16_t));
    } else {
      context_.vector->widen(from, args_.dtype, reinterpret_cast<float*>(to), args_.head_width);
    }
    std::fill_n(to + args_.head_width * kernels_.element_bytes, padding * kernels_.element_bytes,
                char{0});
  }
}

void PackedHeads::pack_value_pairs(const char* source, long long rows, char* packed) const {
  const auto* v = reinterpret_cast<const uint16_t*>(source);
  for (long long row = 0; row < rows; row += 2) {
    const uint16_t* low = v + row * args_.v_stride.token;
    const uint16_t* high = row + 1 < rows ? low + args_.v_stride.token : nullptr;
    auto* pairs = reinterpret_cast<uint16_t*>(packed) + row * value_key_stride_;
    for (long long c = 0; c < args_.head_width; ++c) {
      pairs[2 * c] = low[c];
      pairs[2 * c + 1] = high ? high[c] : uint16_t{0};
    }
  }
}

void PackedHeads::pack_value_columns(const char* source, long long rows, bool is_last,
                                     char* packed) const {
  context_.vector->transpose(source, args_.v_stride.token, packed, value_column_stride_, rows,
                             args_.head_width, sizeof(uint16_t));
  if (!is_last) return;
  auto* first = reinterpret_cast<uint16_t*>(packed);
  for (long long c = 0; c < args_.head_width; ++c) {
    std::fill_n(first + c * value_column_stride_ + rows, kernels_.k_step, uint16_t{0});
  }
}

}  // namespace framepack::cpu
