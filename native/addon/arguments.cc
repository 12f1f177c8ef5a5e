#include "arguments.h"

#include <string>

#include "handles.h"

namespace framepack::addon {
namespace {

constexpr double kMaxSafeInteger = 9007199254740991.0;
constexpr int kDTypeCount = 6;

// False for anything but a whole number in [0, 2^53).
bool read_whole(Napi::Value value, long long* result) {
  double number = -1;
  if (napi_get_value_double(value.Env(), value, &number) != napi_ok) return false;
  if (!(number >= 0) || number > kMaxSafeInteger) return false;
  *result = static_cast<long long>(number);
  return static_cast<double>(*result) == number;
}

// Reads an array of at most `capacity` whole numbers; -1 when the value is no such array.
int read_list(Napi::Value value, long long* items, int capacity) {
  const Napi::Env env = value.Env();
  uint32_t length = 0;
  if (napi_get_array_length(env, value, &length) != napi_ok) return -1;
  if (length > static_cast<uint32_t>(capacity)) return -1;
  for (uint32_t i = 0; i < length; ++i) {
    napi_value item;
    if (napi_get_element(env, value, i, &item) != napi_ok) return -1;
    if (!read_whole(Napi::Value(env, item), &items[i])) return -1;
  }
  return static_cast<int>(length);
}

// Whether the elements offset + sum(index * stride) lie in [0, capacity) for every index.
bool fits(const TensorView& view, long long offset, long long capacity) {
  long long last = offset;
  for (int axis = 0; axis < view.rank; ++axis) {
    if (view.shape[axis] == 0) return true;
    long long reach;
    if (__builtin_mul_overflow(view.shape[axis] - 1, view.strides[axis], &reach)) return false;
    if (__builtin_add_overflow(last, reach, &last)) return false;
  }
  return last < capacity;
}

}  // namespace

size_t read_size(const char* op, const char* argument, Napi::Value value) {
  long long size;
  if (!read_whole(value, &size)) {
    throw Error(kErrArgument, op,
                std::string(argument) + " expected a whole number, got another value");
  }
  return static_cast<size_t>(size);
}

Arguments::Arguments(const char* op, const Napi::CallbackInfo& info)
    : op_(op), device_(unwrap_device(op, info[0])) {
  device_->check_open(op);
  if (!info[1].IsObject()) fail("arguments", "an object");
  object_ = info[1].As<Napi::Object>();
}

TensorView Arguments::input(const char* name, int rank) const {
  return read(name, property(name), rank, false);
}

std::optional<TensorView> Arguments::optional_input(const char* name, int rank) const {
  const Napi::Value value = property(name);
  if (value.IsUndefined()) return std::nullopt;
  return read(name, value, rank, false);
}

TensorView Arguments::output(const char* name, int rank) const {
  return read(name, property(name), rank, true);
}

TensorView Arguments::read(const char* name, Napi::Value value, int rank, bool is_written) const {
  if (!value.IsObject()) fail(name, "a tensor");
  const Napi::Object tensor = value.As<Napi::Object>();
  Buffer& buffer = unwrap_buffer(op_, tensor.Get("buffer"));
  if (&buffer.device() != device_.get()) fail(name, "a tensor of this device");
  if (is_written && buffer.is_read_only()) fail(name, "writable memory, not a mapped file");

  TensorView view{};
  long long dtype = 0;
  long long offset = 0;
  if (!read_whole(tensor.Get("dtype"), &dtype) || dtype >= kDTypeCount) fail(name, "a dtype code");
  if (!read_whole(tensor.Get("offset"), &offset)) fail(name, "a whole offset");
  view.dtype = static_cast<DType>(dtype);
  view.rank = read_list(tensor.Get("shape"), view.shape.data(), kMaxRank);
  const int num_strides = read_list(tensor.Get("strides"), view.strides.data(), kMaxRank);
  if (view.rank < 0 || num_strides != view.rank) fail(name, "a shape and strides");
  if (rank >= 0 && view.rank != rank) fail(name, "another number of axes");

  const long long width = size_of(view.dtype);
  if (!fits(view, offset, static_cast<long long>(buffer.bytes()) / width)) {
    fail(name, "a view inside its memory");
  }
  view.data = buffer.data() == nullptr ? nullptr : buffer.data() + offset * width;
  return view;
}

double Arguments::number(const char* name) const {
  const Napi::Value value = property(name);
  if (!value.IsNumber()) fail(name, "a number");
  return value.As<Napi::Number>().DoubleValue();
}

long long Arguments::whole(const char* name) const {
  long long result;
  if (!read_whole(property(name), &result)) fail(name, "a whole number");
  return result;
}

bool Arguments::flag(const char* name) const { return property(name).ToBoolean(); }

std::array<long long, 3> Arguments::triple(const char* name) const {
  std::array<long long, 3> result;
  if (read_list(property(name), result.data(), 3) != 3) fail(name, "three whole numbers");
  return result;
}

void Arguments::fail(const char* name, const char* expected) const {
  throw Error(kErrArgument, op_,
              std::string(name) + " expected " + expected + ", got another value");
}

}  // namespace framepack::addon
