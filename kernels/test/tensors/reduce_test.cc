#include <map>

#include "../../reduce/reduce_config.h"
#include "../../reduce/reduce_ref.h"
#include "tensor_case.h"

namespace framepack::test {
namespace {

void run_case(TensorCase& test) {
  static const std::map<std::string, ReduceOp> kOperations = {
      {"sum", ReduceOp::kSum},         {"mean", ReduceOp::kMean},
      {"absMean", ReduceOp::kAbsMean}, {"std", ReduceOp::kStd},
      {"maxAbs", ReduceOp::kMaxAbs},   {"countNonFinite", ReduceOp::kCountNonFinite},
      {"max", ReduceOp::kMax},         {"min", ReduceOp::kMin}};
  Tensor x = test.input("x"), y = test.input("minus");
  ReduceArgs args{};
  args.op = kOperations.at(test.function());
  // "axis", "axes" that lie side by side, or everything.
  std::vector<long long> axes = test.item().list("axes");
  if (axes.empty()) axes = test.item().list("axis");
  long long first = axes.empty() ? 0 : axes.front();
  long long last = axes.empty() ? x.rank() - 1 : axes.back();
  if (first < 0) first = last = x.rank() + first;
  args.outer = args.axis = args.inner = 1;
  for (long long axis = 0; axis < x.rank(); ++axis) {
    (axis < first ? args.outer : axis <= last ? args.axis : args.inner) *= x.extent(axis);
  }
  const bool is_count = args.op == ReduceOp::kCountNonFinite;
  Tensor out = test.output(test.item().dtype("outDtype", is_count ? DType::kF32 : x.dtype),
                           {args.outer, args.inner});
  args.dtype = x.dtype;
  args.out_dtype = out.dtype;
  Operand workspace = test.scratch(reduce_workspace_bytes(args));
  args.workspace = workspace.device();
  test.run({[&](const Place& at) { args.x = at(x), args.y = at(y), args.out = at(out); },
            [&] { oracle::reduce(args); },
            [&] {
              const auto launches = plan_reduce(args, test.traits());
              return std::vector<Launch>(launches.begin(), launches.end());
            },
            &args,
            {&out}});
}

}  // namespace

void test_reduce(Session& session) { for_each_case(session, "reduce", run_case); }

}  // namespace framepack::test
