// Which kinds of devices there are, and how their options reach them.
#pragma once
#include <memory>
#include <string>

#include "../core/device.h"

namespace framepack::addon {

struct DeviceOptions {
  int threads = 0;  // 0: the device decides
  std::string isa;  // empty: the best
  size_t budget_bytes = Allocator::kNoBudget;
  int ordinal = 0;
  std::string driver;  // CUDA driver library; empty: the system's
  bool is_synchronous = false;
};

// Throws ERR_ARGUMENT, ERR_UNSUPPORTED or ERR_CUDA_DRIVER.
std::shared_ptr<Device> create_device(const std::string& kind, const DeviceOptions& options);

}  // namespace framepack::addon
