#include "attention_ref.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "../../native/core/dtype.h"

namespace framepack::oracle {

namespace {

// Rows of q and of k and v that belong together: a segment, or everything.
struct Rows {
  long long query_begin, query_end, key_begin, key_end;
};

// Every mask shows a query a prefix of the keys; `i` counts from the first row of the segment.
long long visible_keys(const AttentionArgs& args, const Rows& rows, long long i) {
  const long long keys = rows.key_end - rows.key_begin;
  switch (args.mask) {
    case AttentionMask::kNone: return keys;
    case AttentionMask::kCausal:
      return std::clamp(i + 1 + keys - (rows.query_end - rows.query_begin), 0LL, keys);
    case AttentionMask::kFrameCausal:
      return std::min((i / args.frame_tokens + 1) * args.frame_tokens, keys);
  }
  return keys;
}

void attend_row(const AttentionArgs& args, const Rows& rows, long long b, long long h,
                long long i) {
  const long long width = args.head_width;
  const long long kv_head = h / (args.heads / args.kv_heads);
  const long long q_row = b * args.q_stride.batch + (rows.query_begin + i) * args.q_stride.token +
                          h * args.q_stride.head;
  const auto row_of = [&](const AttentionStrides& stride, long long j) {
    return b * stride.batch + (rows.key_begin + j) * stride.token + kv_head * stride.head;
  };
  std::vector<double> weights(static_cast<size_t>(visible_keys(args, rows, i)));
  double maximum = -INFINITY;
  for (size_t j = 0; j < weights.size(); ++j) {
    double score = 0;
    for (long long c = 0; c < width; ++c) {
      score += static_cast<double>(load_f32(args.q, args.dtype, q_row + c)) *
               load_f32(args.k, args.dtype, row_of(args.k_stride, static_cast<long long>(j)) + c);
    }
    weights[j] = score * args.scale;
    maximum = std::max(maximum, weights[j]);
  }
  double total = 0;
  for (double& weight : weights) total += weight = std::exp(weight - maximum);
  const long long out_row = b * args.out_stride.batch +
                            (rows.query_begin + i) * args.out_stride.token +
                            h * args.out_stride.head;
  for (long long c = 0; c < width; ++c) {
    double sum = 0;
    for (size_t j = 0; j < weights.size(); ++j) {
      sum += weights[j] *
             load_f32(args.v, args.dtype, row_of(args.v_stride, static_cast<long long>(j)) + c);
    }
    store_f32(args.out, args.dtype, out_row + c,
              weights.empty() ? 0.0f : static_cast<float>(sum / total));
  }
}

void attend(const AttentionArgs& args, const Rows& rows) {
  for (long long b = 0; b < args.batch; ++b) {
    for (long long h = 0; h < args.heads; ++h) {
      for (long long i = 0; i < rows.query_end - rows.query_begin; ++i) {
        attend_row(args, rows, b, h, i);
      }
    }
  }
}

}  // namespace

void attention(const AttentionArgs& args) {
  if (args.num_segments == 0) {
    attend(args, {0, args.query_tokens, 0, args.key_tokens});
    return;
  }
  // A range without keys gives zeros: first everything, then the segments over it.
  attend(args, {0, args.query_tokens, 0, 0});
  for (long long g = 0; g < args.num_segments; ++g) {
    attend(args, {args.query_offsets[g], args.query_offsets[g + 1], args.key_offsets[g],
                  args.key_offsets[g + 1]});
  }
}

}  // namespace framepack::oracle
