#include "../../../kernels/attention/attention_args.h"
#include "../arguments.h"
#include "../exports.h"

namespace framepack::addon {
namespace {

AttentionStrides strides_of(const TensorView& view) {
  return {view.strides[0], view.strides[1], view.strides[2]};
}

}  // namespace

Napi::Value attention(const Napi::CallbackInfo& info) {
  const Arguments call("attention", info);
  const TensorView q = call.input("q", 4);
  const TensorView k = call.input("k", 4);
  const TensorView v = call.input("v", 4);
  const TensorView out = call.output("out", 4);
  const auto query_offsets = call.optional_input("queryOffsets", 1);
  const auto key_offsets = call.optional_input("keyOffsets", 1);

  AttentionArgs args{};
  args.q = q.data;
  args.k = k.data;
  args.v = v.data;
  args.out = out.data;
  args.query_offsets = static_cast<const int*>(data_of(query_offsets));
  args.key_offsets = static_cast<const int*>(data_of(key_offsets));
  args.num_segments = query_offsets ? query_offsets->shape[0] - 1 : 0;
  args.batch = q.shape[0];
  args.query_tokens = q.shape[1];
  args.key_tokens = k.shape[1];
  args.heads = q.shape[2];
  args.kv_heads = k.shape[2];
  args.head_width = q.shape[3];
  args.q_stride = strides_of(q);
  args.k_stride = strides_of(k);
  args.v_stride = strides_of(v);
  args.out_stride = strides_of(out);
  args.frame_tokens = call.whole("frameTokens");
  args.scale = static_cast<float>(call.number("scale"));
  args.mask = static_cast<AttentionMask>(call.whole("mask"));
  args.dtype = q.dtype;
  call.device().attention(args);
  return info.Env().Undefined();
}

}  // namespace framepack::addon
