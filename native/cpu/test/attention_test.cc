#include "../attention.h"

#include "oracle_check.h"

namespace {

using namespace framepack;       // NOLINT(google-build-using-namespace): one test program
using namespace framepack::cpu;  // NOLINT(google-build-using-namespace)

struct Case {
  long long queries, keys, head_width;
  long long heads = 1, kv_heads = 1, batch = 1;
  AttentionMask mask = AttentionMask::kNone;
  long long frame_tokens = 0;
  DType dtype = DType::kF32;
  std::vector<int> query_offsets = {}, key_offsets = {};
  // Queries near +1 and keys near -1: a masked key that leaks, scored 0, would take all the weight.
  bool is_adversarial = false;
};

AttentionStrides strides_of(long long tokens, long long heads, long long width) {
  return {tokens * heads * width + 8, heads * width, width};
}

test::Data make(const Case& c, long long tokens, long long heads, float shift, uint32_t seed) {
  const long long count = c.batch * (tokens * heads * c.head_width + 8);
  test::Data data(count, c.dtype, c.is_adversarial ? 0.1f : 1.0f, seed);
  if (c.is_adversarial) {
    for (long long i = 0; i < count; ++i) {
      store_f32(data.data(), c.dtype, i, load_f32(data.data(), c.dtype, i) + shift);
    }
  }
  return data;
}

void check_case(const Case& c, uint32_t seed) {
  test::Data q = make(c, c.queries, c.heads, 1, seed),
             k = make(c, c.keys, c.kv_heads, -1, seed + 1),
             v = make(c, c.keys, c.kv_heads, 0, seed + 2);
  if (!c.key_offsets.empty()) {
    // Nobody sees what lies behind the last segment.
    const auto garbage = [&](long long i) {
      return i / (c.kv_heads * c.head_width) >= c.key_offsets.back() ? 30000.0f : 1.0f;
    };
    k.multiply(garbage);
    v.multiply(garbage);
  }
  AttentionArgs args{};
  args.q = q.data();
  args.k = k.data();
  args.v = v.data();
  args.query_offsets = c.query_offsets.empty() ? nullptr : c.query_offsets.data();
  args.key_offsets = c.key_offsets.empty() ? nullptr : c.key_offsets.data();
  args.num_segments =
      c.query_offsets.empty() ? 0 : static_cast<long long>(c.query_offsets.size()) - 1;
  args.batch = c.batch;
  args.query_tokens = c.queries;
  args.key_tokens = c.keys;
  args.heads = c.heads;
  args.kv_heads = c.kv_heads;
  args.head_width = c.head_width;
  args.q_stride = args.out_stride = strides_of(c.queries, c.heads, c.head_width);
  args.k_stride = args.v_stride = strides_of(c.keys, c.kv_heads, c.head_width);
  args.frame_tokens = c.frame_tokens;
  args.scale = 1 / std::sqrt(static_cast<float>(c.head_width));
  args.mask = c.mask;
  args.dtype = c.dtype;
  const test::Data initial(c.batch * (c.queries * c.heads * c.head_width + 8), c.dtype, 0, 0);
  const std::string name = "attention L" + std::to_string(c.queries) + " S" +
                           std::to_string(c.keys) + " K" + std::to_string(c.head_width) + " mask" +
                           std::to_string(int(c.mask)) + " dtype" + std::to_string(int(c.dtype)) +
                           " segments" + std::to_string(args.num_segments);
  test::check(name, initial, test::tolerance_of(c.dtype) * (c.dtype == DType::kBf16 ? 1.5 : 1),
              [&](void* out, const CpuContext& context) {
                args.out = out;
                attention(args, context);
              });
}

}  // namespace

int main() {
  uint32_t seed = 1;
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kBf16}) {
    for (const long long width : {1, 2, 16, 32, 64, 72, 128, 512}) {
      check_case({.queries = 37,
                  .keys = 45,
                  .head_width = width,
                  .heads = 2,
                  .kv_heads = 1,
                  .dtype = dtype},
                 ++seed);
    }
    for (const long long queries : {1, 2, 31, 32, 33, 130, 300}) {
      for (const long long keys : {1, 2, 13, 14, 255, 256, 257, 600}) {
        for (const auto mask :
             {AttentionMask::kNone, AttentionMask::kCausal, AttentionMask::kFrameCausal}) {
          check_case({.queries = queries,
                      .keys = keys,
                      .head_width = 16,
                      .heads = 2,
                      .kv_heads = 2,
                      .batch = 2,
                      .mask = mask,
                      .frame_tokens = 24,
                      .dtype = dtype,
                      .is_adversarial = seed % 2 == 0},
                     ++seed);
        }
      }
    }
    for (const auto mask :
         {AttentionMask::kNone, AttentionMask::kCausal, AttentionMask::kFrameCausal}) {
      check_case({.queries = 100,
                  .keys = 120,
                  .head_width = 64,
                  .heads = 4,
                  .kv_heads = 2,
                  .mask = mask,
                  .frame_tokens = 7,
                  .dtype = dtype,
                  .query_offsets = {0, 20, 20, 70, 95},
                  .key_offsets = {0, 33, 40, 40, 120},
                  .is_adversarial = true},
                 ++seed);
      check_case({.queries = 100,
                  .keys = 120,
                  .head_width = 64,
                  .heads = 4,
                  .kv_heads = 4,
                  .mask = mask,
                  .frame_tokens = 7,
                  .dtype = dtype,
                  .query_offsets = {3, 43, 100},
                  .key_offsets = {0, 50, 119}},
                 ++seed);
    }
  }
  return test::report("attention");
}
