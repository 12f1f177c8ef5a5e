#include "open_device.h"

#include "../core/meta_device.h"
#include "../cpu/cpu_device.h"
#include "../cuda/cuda_device.h"

namespace framepack::addon {

std::shared_ptr<Device> create_device(const std::string& kind, const DeviceOptions& options) {
  if (kind == "meta") return std::make_shared<MetaDevice>(options.budget_bytes);
  if (kind == "cpu") {
    return std::make_shared<cpu::CpuDevice>(cpu::CpuDeviceOptions{
        options.threads, options.isa, options.budget_bytes, options.is_synchronous});
  }
  if (kind == "cuda") {
    return std::make_shared<cuda::CudaDevice>(cuda::CudaDeviceOptions{
        options.driver, options.ordinal, options.budget_bytes, options.is_synchronous});
  }
  throw Error(kErrUnsupported, "Device.open", "kind expected cpu, cuda or meta, got " + kind);
}

}  // namespace framepack::addon
