// The few driver calls that a kernel test needs, from the library named on the command line: a real
// libcuda.so.1 or the virtual driver. No CUDA headers.
#pragma once
#include <cstddef>
#include <stdexcept>
#include <string>

#include "../device/launch.h"

namespace framepack::test {

// There is no driver library, or it finds no device: nothing to test. Every other failure is a fault.
struct NoDevice : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Driver {
 public:
  // Throws NoDevice, and std::runtime_error when a symbol, the device or the module cannot be loaded.
  Driver(const std::string& library, const std::string& module_file);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  const std::string& name() const { return name_; }
  const DeviceTraits& traits() const { return traits_; }

  void* allocate(size_t bytes);
  void release(void* pointer);
  void upload(void* device, const void* host, size_t bytes);
  void download(void* host, const void* device, size_t bytes);

  // Runs one kernel to its end. `args` is the argument struct of its family.
  void run(const Launch& launch, const void* args);

 private:
  struct Api;
  void check(int result, const char* what) const;

  Api* api_;
  void* context_ = nullptr;
  void* module_ = nullptr;
  std::string name_;
  DeviceTraits traits_{};
};

}  // namespace framepack::test
