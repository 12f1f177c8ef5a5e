#include "tensor_case.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <sstream>
#include <stdexcept>

#include "../../../native/core/dtype.h"

namespace framepack::test {
namespace {

std::vector<std::string> words(const std::string& text, char separator) {
  std::vector<std::string> result;
  std::istringstream stream(text);
  for (std::string word; std::getline(stream, word, separator);) {
    if (!word.empty()) result.push_back(word);
  }
  return result;
}

void slice(Tensor& tensor, const std::vector<long long>& numbers) {
  const size_t axis = static_cast<size_t>(numbers.at(0));
  const long long start = numbers.at(1), step = numbers.size() > 3 ? numbers[3] : 1;
  tensor.offset += start * tensor.strides.at(axis);
  tensor.shape[axis] = ceil_div(numbers.at(2) - start, step);
  tensor.strides[axis] *= step;
}

void permute(Tensor& tensor, const std::vector<long long>& axes) {
  const Tensor& from = tensor;
  std::vector<long long> shape, strides;
  for (const long long axis : axes) {
    shape.push_back(from.extent(axis));
    strides.push_back(from.stride(axis));
  }
  tensor.shape = shape;
  tensor.strides = strides;
}

void apply_view(Tensor& tensor, const std::string& step) {
  const std::vector<std::string> parts = words(step, ' ');
  std::vector<long long> numbers;
  for (size_t i = 1; i < parts.size(); ++i) numbers.push_back(std::stoll(parts[i]));
  if (parts.at(0) == "slice") {
    slice(tensor, numbers);
  } else if (parts[0] == "permute") {
    permute(tensor, numbers);
  } else if (parts[0] == "expand") {
    tensor.strides = tensor.broadcast_strides(numbers);
    tensor.shape = numbers;
  } else {
    throw std::runtime_error("unknown view " + step);
  }
}

void make_contiguous(Tensor& tensor, const std::vector<long long>& shape) {
  tensor.shape = shape;
  tensor.strides.assign(shape.size(), 1);
  for (size_t axis = shape.size(); axis-- > 1;) {
    tensor.strides[axis - 1] = tensor.strides[axis] * shape[axis];
  }
}

bool is_equal(const unsigned char* got, const unsigned char* want, DType dtype, long long i) {
  const size_t size = static_cast<size_t>(size_of(dtype)), at = static_cast<size_t>(i) * size;
  if (std::memcmp(got + at, want + at, size) == 0) return true;
  return dtype == DType::kF32 && std::isnan(load_f32(got, dtype, i)) &&
         std::isnan(load_f32(want, dtype, i));
}

}  // namespace

long long Tensor::count() const {
  long long count = 1;
  for (const long long extent : shape) count *= extent;
  return count;
}

std::vector<long long> Tensor::broadcast_strides(const std::vector<long long>& to) const {
  std::vector<long long> result(to.size(), 0);
  const size_t skipped = to.size() - shape.size();
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    result[skipped + axis] = shape[axis] == 1 && to[skipped + axis] != 1 ? 0 : strides[axis];
  }
  return result;
}

Tensor TensorCase::input(const std::string& name) {
  Tensor tensor;
  if (!item_.is_array(name)) return tensor;
  tensor.dtype = item_.dtype(name + ".dtype", dtype_);
  make_contiguous(tensor, item_.list(name));
  const long long count = tensor.count();
  tensor.storage = Operand(session_.driver(), tensor.dtype, count);
  std::seed_seq seed(name.begin(), name.end());
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  const double mean = item_.number(name + ".mean", 0);
  const double deviation = item_.number(name + ".deviation", 1);
  const std::vector<std::string> values = words(item_.text(name + ".values"), ' ');
  const bool is_integer = tensor.dtype == DType::kI32 || tensor.dtype == DType::kU8;
  for (long long i = 0; i < count; ++i) {
    const size_t at = static_cast<size_t>(i);
    double value = normal(random) * deviation + mean;
    if (at < values.size()) value = std::strtod(values[at].c_str(), nullptr);
    if (is_integer) value = std::round(value);
    store_f32(tensor.storage.host(), tensor.dtype, i, static_cast<float>(value));
  }
  if (count > 0) tensor.storage.upload();
  for (const std::string& step : words(item_.text(name + ".view"), ',')) apply_view(tensor, step);
  return tensor;
}

Tensor TensorCase::output(DType dtype, const std::vector<long long>& shape) {
  Tensor tensor;
  tensor.dtype = dtype;
  make_contiguous(tensor, shape);
  tensor.storage = Operand(session_.driver(), dtype, tensor.count());
  std::memset(tensor.storage.host(), 0xff,
              static_cast<size_t>(tensor.storage.count() * size_of(dtype)));
  if (tensor.storage.count() > 0) tensor.storage.upload();
  return tensor;
}

Tensor TensorCase::numbers(DType dtype, const std::vector<double>& values) {
  Tensor tensor = output(dtype, {static_cast<long long>(values.size())});
  for (size_t i = 0; i < values.size(); ++i) {
    store_f32(tensor.storage.host(), dtype, static_cast<long long>(i),
              static_cast<float>(values[i]));
  }
  if (!values.empty()) tensor.storage.upload();
  return tensor;
}

Operand TensorCase::scratch(long long bytes) {
  return Operand(session_.driver(), DType::kU8, bytes);
}

// The largest difference, relative to the element and the root mean square of all finite ones.
double TensorCase::compare(Tensor& output, const char* kernel, std::string& fault) const {
  const Operand& storage = output.storage;
  const std::string name = item_.text("tolerance", output.dtype == DType::kF32   ? "f32"
                                                   : output.dtype == DType::kF16 ? "f16"
                                                                                 : "bf16");
  const double tolerance = session_.tolerance(family_, name);
  const std::vector<unsigned char> got = storage.download();
  session_.hash(describe(), kernel, got);
  const auto* want = static_cast<const unsigned char*>(output.storage.host());
  double squares = 0, worst = 0;
  for (long long i = 0; i < storage.count(); ++i) {
    const double y = load_f32(want, output.dtype, i);
    if (std::isfinite(y)) squares += y * y;
  }
  const double rms = std::sqrt(squares / static_cast<double>(std::max(1LL, storage.count())));
  for (long long i = 0; i < storage.count() && fault.empty(); ++i) {
    if (is_equal(got.data(), want, output.dtype, i)) continue;
    const double x = load_f32(got.data(), output.dtype, i), y = load_f32(want, output.dtype, i);
    if (std::isnan(x) && std::isnan(y) && tolerance > 0) continue;
    const double error = x == y ? 0 : std::abs(x - y) / (std::abs(y) + rms);
    worst = std::max(worst, error);
    if (tolerance == 0 || !(error <= tolerance)) {
      fault = "element " + std::to_string(i) + " is " + std::to_string(x) + ", expected " +
              std::to_string(y);
    }
  }
  return worst;
}

void TensorCase::run(const Run& run) {
  std::string fault, kernels;
  const char* kernel = "nothing to do";
  double error = 0;
  try {
    const auto start = [](void* data, const Tensor& tensor) {
      return static_cast<char*>(data) + tensor.offset * size_of(tensor.dtype);
    };
    run.bind([&](Tensor& t) { return t.exists() ? start(t.storage.host(), t) : nullptr; });
    run.oracle();
    run.bind([&](Tensor& t) { return t.exists() ? start(t.storage.device(), t) : nullptr; });
    for (const Launch& launch : run.plan()) {
      if (launch.grid[0] == 0 || launch.grid[1] == 0 || launch.grid[2] == 0) continue;
      kernel = launch.kernel;
      session_.driver().run(launch, run.args);
    }
    for (Tensor* output : run.outputs) {
      if (output->storage.count() > 0) error = std::max(error, compare(*output, kernel, fault));
    }
  } catch (const std::exception& exception) {
    fault = exception.what();
  }
  session_.record(describe(), kernel, error, fault);
}

std::string TensorCase::describe() const {
  static constexpr const char* kNames[] = {"f32", "f16", "bf16", "f8e4m3", "i32", "u8"};
  return item_.text("function") + ": " + item_.text("name") + " " +
         kNames[static_cast<int>(dtype_)];
}

void for_each_case(Session& session, const char* family,
                   const std::function<void(TensorCase&)>& run_case) {
  for (const Case& item : session.cases(family)) {
    for (const std::string& name : words(item.text("dtypes", "f32 f16 bf16"), ' ')) {
      TensorCase tensor_case(session, family, item, dtype_of_name(name));
      run_case(tensor_case);
    }
  }
}

}  // namespace framepack::test
