#include <algorithm>

#include "../../../kernels/gather/gather_args.h"
#include "../arguments.h"
#include "../exports.h"

namespace framepack::addon {

static_assert(kIndexedMaxRank == kMaxRank);

Napi::Value embedding(const Napi::CallbackInfo& info) {
  const Arguments call("embedding", info);
  const TensorView ids = call.input("ids", 1);
  const TensorView table = call.input("table", 2);
  const TensorView out = call.output("out", 2);

  EmbeddingArgs args{};
  args.ids = reinterpret_cast<const int*>(ids.data);
  args.table = table.data;
  args.out = out.data;
  args.tokens = ids.shape[0];
  args.vocabulary = table.shape[0];
  args.width = table.shape[1];
  args.table_dtype = table.dtype;
  args.out_dtype = out.dtype;
  call.device().embedding(args);
  return info.Env().Undefined();
}

Napi::Value upsample(const Napi::CallbackInfo& info) {
  const Arguments call("upsample", info);
  const TensorView x = call.input("x", 5);
  const TensorView out = call.output("out", 5);
  const auto factor = call.triple("factor");

  UpsampleArgs args{};
  args.x = x.data;
  args.out = out.data;
  args.batch = x.shape[0];
  args.channels = x.shape[4];
  for (int axis = 0; axis < 3; ++axis) args.extent[axis] = x.shape[axis + 1];
  std::ranges::copy(factor, args.factor);
  args.dtype = x.dtype;
  call.device().upsample(args);
  return info.Env().Undefined();
}

Napi::Value indexed(const Napi::CallbackInfo& info) {
  const Arguments call("indexed", info);
  const TensorView indices = call.input("indices");
  const TensorView x = call.input("x", indices.rank);
  const TensorView out = call.output("out", indices.rank);
  const bool is_scatter = call.flag("isScatter");
  const long long axis = call.whole("axis");
  if (axis >= indices.rank) {
    throw Error(kErrArgument, "indexed", "axis expected an axis of indices, got another value");
  }
  const TensorView& chosen = is_scatter ? out : x;

  IndexedArgs args{};
  args.x = x.data;
  args.indices = reinterpret_cast<const int*>(indices.data);
  args.out = out.data;
  args.rank = indices.rank;
  std::ranges::copy(indices.shape, args.shape);
  std::ranges::copy(x.strides, args.x_stride);
  std::ranges::copy(indices.strides, args.index_stride);
  std::ranges::copy(out.strides, args.out_stride);
  args.axis = chosen.shape[axis];
  args.axis_stride = chosen.strides[axis];
  (is_scatter ? args.out_stride : args.x_stride)[axis] = 0;
  args.is_scatter = is_scatter;
  args.dtype = x.dtype;
  call.device().indexed(args);
  return info.Env().Undefined();
}

}  // namespace framepack::addon
