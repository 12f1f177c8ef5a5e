// One GPU and its primary context, which the process shares with every other user of the GPU.
//
// A fault of a kernel ruins the primary context for good. Resetting it would pull the context from
// under the other users, so it is only released: whether a later device works is the driver's choice.
#pragma once
#include <string>

#include "../../kernels/device/launch.h"
#include "driver.h"

namespace framepack::cuda {

class Context {
 public:
  // Throws ERR_CUDA_DRIVER without a usable driver and GPU, ERR_DEVICE_LOST after a fault in this
  // process, ERR_ARGUMENT for an ordinal too high.
  Context(const std::string& library, int ordinal);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // Makes the context current on this thread, and afterwards what was current before. Never throws:
  // where the driver refuses, the calls inside fail.
  class Scope {
   public:
    explicit Scope(const Context& context);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    const Driver& driver_;
    bool is_pushed_;
  };

  const Driver& driver() const { return driver_; }
  const DeviceTraits& traits() const { return traits_; }
  const std::string& name() const { return name_; }
  std::string driver_version() const;

 private:
  int attribute(int which) const;

  const Driver& driver_;
  Ordinal device_ = 0;
  std::string name_;
  DeviceTraits traits_{};
  ContextHandle handle_ = nullptr;
};

}  // namespace framepack::cuda
