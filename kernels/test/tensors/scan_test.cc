#include "../../scan/scan_config.h"
#include "../../scan/scan_ref.h"
#include "tensor_case.h"

namespace framepack::test {
namespace {

// The extents before, of and behind the "axis" of the case.
template <class Args>
void set_extents(Args& args, const TensorCase& test, const Tensor& x) {
  long long axis = test.item().list("axis").front();
  if (axis < 0) axis += x.rank();
  args.outer = args.axis = args.inner = 1;
  for (long long i = 0; i < x.rank(); ++i) {
    (i < axis ? args.outer : i == axis ? args.axis : args.inner) *= x.extent(i);
  }
}

void run_cumsum(TensorCase& test) {
  Tensor x = test.input("x");
  CumsumArgs args{};
  set_extents(args, test, x);
  args.dtype = x.dtype;
  args.out_dtype = test.item().dtype("outDtype", x.dtype);
  Tensor out = test.output(args.out_dtype, x.shape);
  test.run({[&](const Place& at) { args.x = at(x), args.out = at(out); },
            [&] { oracle::cumsum(args); },
            [&] { return std::vector{plan_cumsum(args, test.traits())}; },
            &args,
            {&out}});
}

void run_top_k(TensorCase& test) {
  Tensor x = test.input("x");
  TopKArgs args{};
  set_extents(args, test, x);
  args.k = test.item().integer("k");
  args.is_largest = test.item().text("order") != "smallest";
  args.dtype = x.dtype;
  Tensor values = test.output(x.dtype, {args.outer, args.k, args.inner});
  Tensor indices = test.output(DType::kI32, {args.outer, args.k, args.inner});
  test.run({[&](const Place& at) {
              args.x = at(x), args.values = at(values);
              args.indices = static_cast<int*>(at(indices));
            },
            [&] { oracle::top_k(args); },
            [&] { return std::vector{plan_top_k(args, test.traits())}; },
            &args,
            {&values, &indices}});
}

}  // namespace

void test_scan(Session& session) {
  for_each_case(session, "scan", [](TensorCase& test) {
    test.function() == "cumsum" ? run_cumsum(test) : run_top_k(test);
  });
}

}  // namespace framepack::test
