#include <algorithm>

#include "../../gather/gather_config.h"
#include "../../gather/gather_ref.h"
#include "tensor_case.h"

namespace framepack::test {
namespace {

void run_embedding(TensorCase& test) {
  const std::vector<long long> tokens = test.item().list("ids");
  Tensor ids = test.numbers(DType::kI32, {tokens.begin(), tokens.end()});
  Tensor table = test.input("table");
  EmbeddingArgs args{};
  args.tokens = ids.count();
  args.vocabulary = table.extent(0);
  args.width = table.extent(1);
  args.table_dtype = table.dtype;
  args.out_dtype = test.item().dtype("outDtype", table.dtype);
  Tensor out = test.output(args.out_dtype, {args.tokens, args.width});
  test.run({[&](const Place& at) {
              args.ids = static_cast<const int*>(at(ids)), args.table = at(table);
              args.out = at(out);
            },
            [&] { oracle::embedding(args); },
            [&] { return std::vector{plan_embedding(args, test.traits())}; },
            &args,
            {&out}});
}

void run_upsample(TensorCase& test) {
  Tensor x = test.input("x");
  const std::vector<long long> factor = test.item().list("factor");
  UpsampleArgs args{};
  args.batch = x.extent(0);
  args.channels = x.extent(4);
  std::copy_n(x.shape.begin() + 1, 3, args.extent);
  std::copy_n(factor.begin(), 3, args.factor);
  args.dtype = x.dtype;
  const long long frames =
      args.factor[0] == 2 ? std::max(0LL, 2 * args.extent[0] - 1) : args.extent[0];
  Tensor out = test.output(x.dtype, {args.batch, frames, args.extent[1] * args.factor[1],
                                     args.extent[2] * args.factor[2], args.channels});
  test.run({[&](const Place& at) { args.x = at(x), args.out = at(out); },
            [&] { oracle::upsample(args); },
            [&] { return std::vector{plan_upsample(args, test.traits())}; },
            &args,
            {&out}});
}

void run_indexed(TensorCase& test) {
  IndexedArgs args{};
  args.is_scatter = test.function() == "scatter";
  Tensor indices = test.input("indices");
  Tensor x = test.input(args.is_scatter ? "source" : "x");
  Tensor target = args.is_scatter ? test.input("x") : Tensor{};
  Tensor out =
      args.is_scatter ? test.output(x.dtype, target.shape) : test.output(x.dtype, indices.shape);
  long long axis = test.item().list("axis").front();
  if (axis < 0) axis += x.rank();
  const Tensor& chosen = args.is_scatter ? out : x;
  args.axis = chosen.extent(axis), args.axis_stride = chosen.stride(axis);
  args.rank = indices.rank();
  std::copy(indices.shape.begin(), indices.shape.end(), args.shape);
  std::copy(x.strides.begin(), x.strides.end(), args.x_stride);
  std::copy(indices.strides.begin(), indices.strides.end(), args.index_stride);
  std::copy(out.strides.begin(), out.strides.end(), args.out_stride);
  (args.is_scatter ? args.out_stride : args.x_stride)[axis] = 0;
  args.dtype = x.dtype;
  test.run({[&](const Place& at) {
              args.x = at(x), args.out = at(out);
              args.indices = static_cast<const int*>(at(indices));
            },
            [&] { oracle::indexed(args); },
            [&] { return std::vector{plan_indexed(args, test.traits())}; },
            &args,
            {&out}});
}

}  // namespace

void test_gather(Session& session) {
  for_each_case(session, "gather", [](TensorCase& test) {
    const std::string function = test.function();
    if (function == "embedding") return run_embedding(test);
    function == "upsampleNearest" ? run_upsample(test) : run_indexed(test);
  });
}

}  // namespace framepack::test
