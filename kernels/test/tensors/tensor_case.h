// Cases whose operands are tensors by name: "x": [2, 3] is a shape; "x.dtype", "x.mean", "x.deviation",
// "x.values" and "x.view" say more about it, as test/ops/operation-cases.ts reads them. Every case runs
// for each of its "dtypes".
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "../session.h"

namespace framepack::test {

// A view of an array that lives on both sides.
struct Tensor {
  Operand storage;
  DType dtype = DType::kF32;
  std::vector<long long> shape, strides;
  long long offset = 0;

  bool exists() const { return !shape.empty(); }
  long long rank() const { return static_cast<long long>(shape.size()); }
  long long count() const;
  long long extent(long long axis) const { return shape[static_cast<size_t>(axis)]; }
  long long stride(long long axis) const { return strides[static_cast<size_t>(axis)]; }
  // The strides that broadcast this tensor to a shape of at least its rank.
  std::vector<long long> broadcast_strides(const std::vector<long long>& to) const;
};

// Where a tensor begins, on the host for the oracle and on the device for the kernel; null for one that
// is not there.
using Place = std::function<void*(Tensor&)>;

class TensorCase {
 public:
  TensorCase(Session& session, const char* family, const Case& item, DType dtype)
      : session_(session), family_(family), item_(item), dtype_(dtype) {}

  const Case& item() const { return item_; }
  DType dtype() const { return dtype_; }
  std::string function() const { return item_.text("function"); }
  DeviceTraits traits() const { return session_.driver().traits(); }

  // A tensor of the case; one without a shape where the case has none of that name.
  Tensor input(const std::string& name);
  Tensor output(DType dtype, const std::vector<long long>& shape);
  Tensor numbers(DType dtype, const std::vector<double>& values);
  // Device memory that nobody wrote.
  Operand scratch(long long bytes);

  // Binds the arguments to the host and runs the oracle, binds them to the device and runs the
  // launches, then compares every output with the tolerance of the case.
  struct Run {
    std::function<void(const Place&)> bind;
    std::function<void()> oracle;
    std::function<std::vector<Launch>()> plan;
    const void* args;
    std::vector<Tensor*> outputs;
  };
  void run(const Run& run);

 private:
  double compare(Tensor& output, const char* kernel, std::string& fault) const;
  std::string describe() const;

  Session& session_;
  const char* family_;
  const Case& item_;
  DType dtype_;
};

// Calls run_case for each case of a family and each of its dtypes.
void for_each_case(Session& session, const char* family,
                   const std::function<void(TensorCase&)>& run_case);

}  // namespace framepack::test
