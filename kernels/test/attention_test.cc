#include <cmath>
#include <stdexcept>

#include "../attention/attention_config.h"
#include "../attention/attention_ref.h"
#include "session.h"

namespace framepack::test {
namespace {

// Probabilities are rounded to the element type before they meet v, which the oracle does not do.
constexpr double kProbabilityRounding = 4;

AttentionMask mask_of(const Case& item) {
  const std::string name = item.text("mask", "none");
  if (name == "causal") return AttentionMask::kCausal;
  if (name == "frame-causal") return AttentionMask::kFrameCausal;
  if (name == "none") return AttentionMask::kNone;
  throw std::runtime_error("unknown mask " + name);
}

// Tokens of all heads are adjacent: [B, tokens, heads, width], with `pad` elements after every token.
AttentionStrides strides_of(long long tokens, long long heads, long long width, long long pad) {
  const long long token = heads * width + pad;
  return {tokens * token, token, width};
}

Operand rows_of(Session& session, DType dtype, const AttentionArgs& args, long long tokens,
                long long heads, const AttentionStrides& stride, double low, double high) {
  return session.matrix(dtype, args.batch * tokens, heads * args.head_width, stride.token, low,
                        high);
}

void run_case(Session& session, const Case& item) {
  AttentionArgs args{};
  args.batch = item.integer("batch", 1);
  args.query_tokens = item.integer("l"), args.key_tokens = item.integer("s");
  args.heads = item.integer("heads", 1), args.kv_heads = item.integer("kvHeads", args.heads);
  args.head_width = item.integer("width");
  args.dtype = item.dtype("dtype", DType::kBf16);
  args.mask = mask_of(item);
  args.frame_tokens = item.integer("frameTokens");
  args.scale = static_cast<float>(item.number("scale", 1 / std::sqrt(args.head_width)));
  const long long pad = item.integer("pad");
  args.q_stride = args.out_stride = strides_of(args.query_tokens, args.heads, args.head_width, pad);
  args.k_stride = args.v_stride = strides_of(args.key_tokens, args.kv_heads, args.head_width, pad);

  // Negative logits: a masked or missing key that leaks in as zeros would win the softmax.
  const bool is_adversarial = item.flag("adversarial");
  const double q_low = is_adversarial ? 0.5 : -2, k_high = is_adversarial ? -0.5 : 2;
  Operand q =
      rows_of(session, args.dtype, args, args.query_tokens, args.heads, args.q_stride, q_low, 2);
  Operand k =
      rows_of(session, args.dtype, args, args.key_tokens, args.kv_heads, args.k_stride, -2, k_high);
  Operand v = rows_of(session, args.dtype, args, args.key_tokens, args.kv_heads, args.v_stride, -1,
                      is_adversarial ? 3 : 1);
  const std::vector<long long> query_offsets = item.list("queryOffsets");
  const std::vector<long long> key_offsets = item.list("keyOffsets");
  args.num_segments = query_offsets.empty() ? 0 : static_cast<long long>(query_offsets.size()) - 1;
  Operand query_segments = session.integers(query_offsets);
  Operand key_segments = session.integers(key_offsets);
  Operand out(session.driver(), args.dtype, q.count());
  const std::vector<unsigned char> untouched(static_cast<size_t>(out.count() * size_of(args.dtype)),
                                             0xff);

  const auto bind = [&](auto pointer) {
    args.q = pointer(q), args.k = pointer(k), args.v = pointer(v), args.out = pointer(out);
    args.query_offsets = static_cast<const int*>(pointer(query_segments));
    args.key_offsets = static_cast<const int*>(pointer(key_segments));
  };
  std::copy(untouched.begin(), untouched.end(), static_cast<unsigned char*>(out.host()));
  bind([](Operand& operand) { return operand.count() == 0 ? nullptr : operand.host(); });
  oracle::attention(args);
  bind([](Operand& operand) { return operand.device(); });
  std::string last;
  for (const DeviceTraits& traits : trait_variants(session.driver().traits())) {
    const Launch launch = plan_attention(args, traits);
    if (launch.kernel == last) continue;
    last = launch.kernel;
    session.compare(item.describe(), launch, &args, out, untouched,
                    kProbabilityRounding * tolerance_of(args.dtype));
  }
}

}  // namespace

void test_attention(Session& session) {
  for (const Case& item : session.cases("attention")) run_case(session, item);
}

}  // namespace framepack::test
