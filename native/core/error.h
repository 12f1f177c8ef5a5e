// The one exception of the native side. The addon turns it into the FramePackError class of
// JavaScript.
#pragma once
#include <exception>
#include <string>
#include <utility>

namespace framepack {

class Error : public std::exception {
 public:
  // `code` is one of the ErrorCode strings of src/errors.ts and must have static lifetime.
  Error(const char* code, std::string op, std::string detail)
      : code_(code), op_(std::move(op)), detail_(std::move(detail)), what_(op_ + ": " + detail_) {}

  const char* code() const { return code_; }
  const std::string& op() const { return op_; }
  const std::string& detail() const { return detail_; }
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  const char* code_;
  std::string op_;
  std::string detail_;
  std::string what_;
};

inline constexpr const char* kErrDevice = "ERR_DEVICE";
inline constexpr const char* kErrArgument = "ERR_ARGUMENT";
inline constexpr const char* kErrUnsupported = "ERR_UNSUPPORTED";
inline constexpr const char* kErrOutOfMemory = "ERR_OUT_OF_MEMORY";
inline constexpr const char* kErrDisposed = "ERR_DISPOSED";
inline constexpr const char* kErrAborted = "ERR_ABORTED";
inline constexpr const char* kErrNativeLoad = "ERR_NATIVE_LOAD";
inline constexpr const char* kErrCudaDriver = "ERR_CUDA_DRIVER";
inline constexpr const char* kErrDeviceLost = "ERR_DEVICE_LOST";
inline constexpr const char* kErrInternal = "ERR_INTERNAL";

}  // namespace framepack
