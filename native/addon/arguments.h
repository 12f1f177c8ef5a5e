// Reads the arguments of one operation call. Whatever JavaScript passes, a view that leaves its
// buffer or writes to a mapped file is refused here; shapes are the business of src/ops.
#pragma once
#include <napi.h>

#include <array>
#include <optional>

#include "../core/device.h"

namespace framepack::addon {

constexpr int kMaxRank = 6;

// A strided view of device memory; `data` points at its first element.
struct TensorView {
  std::byte* data;
  DType dtype;
  int rank;
  std::array<long long, kMaxRank> shape;
  std::array<long long, kMaxRank> strides;  // elements
};

// A non-negative whole number below 2^53. Throws ERR_ARGUMENT naming `argument`.
size_t read_size(const char* op, const char* argument, Napi::Value value);

class Arguments {
 public:
  // `info` holds a device and one object with everything else.
  Arguments(const char* op, const Napi::CallbackInfo& info);

  Device& device() const { return *device_; }

  // Any view of `rank` axes; -1 accepts every rank.
  TensorView input(const char* name, int rank = -1) const;
  std::optional<TensorView> optional_input(const char* name, int rank = -1) const;
  // The same for memory that the operation writes.
  TensorView output(const char* name, int rank = -1) const;

  double number(const char* name) const;
  long long whole(const char* name) const;
  bool flag(const char* name) const;
  std::array<long long, 3> triple(const char* name) const;

 private:
  Napi::Value property(const char* name) const { return object_.Get(name); }
  TensorView read(const char* name, Napi::Value value, int rank, bool is_written) const;
  [[noreturn]] void fail(const char* name, const char* expected) const;

  const char* op_;
  std::shared_ptr<Device> device_;
  Napi::Object object_;
};

// The pointer of an optional tensor, or null.
inline const void* data_of(const std::optional<TensorView>& view) {
  return view ? view->data : nullptr;
}

// The type of an optional tensor; f32 where there is none and nobody reads it.
inline DType dtype_of(const std::optional<TensorView>& view) {
  return view ? view->dtype : DType::kF32;
}

}  // namespace framepack::addon
