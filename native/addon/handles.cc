#include "handles.h"

#include <string>
#include <utility>

#include "environment.h"

namespace framepack::addon {
namespace {

enum class HandleKind { kDevice, kBuffer };

struct Handle {
  HandleKind kind;
};

struct DeviceHandle : Handle {
  std::shared_ptr<Device> device;
};

struct BufferHandle : Handle {
  std::unique_ptr<Buffer> buffer;
  // Outlives the environment when its last handles go.
  std::shared_ptr<ExternalMemory> memory;
  size_t counted_bytes = 0;  // in `memory`
};

Handle& unwrap(const char* op, Napi::Value value, HandleKind kind, const char* name) {
  void* data = nullptr;
  napi_valuetype type = napi_undefined;
  napi_typeof(value.Env(), value, &type);
  if (type == napi_external) napi_get_value_external(value.Env(), value, &data);
  auto* handle = static_cast<Handle*>(data);
  if (handle == nullptr || handle->kind != kind) {
    throw Error(kErrArgument, op,
                std::string(name) + " expected a native handle, got another value");
  }
  return *handle;
}

void release(BufferHandle& handle) {
  handle.buffer.reset();
  handle.memory->remove(std::exchange(handle.counted_bytes, 0));
}

}  // namespace

Napi::Value wrap_device(Napi::Env env, std::shared_ptr<Device> device) {
  auto handle = std::make_unique<DeviceHandle>();
  handle->kind = HandleKind::kDevice;
  handle->device = std::move(device);
  return Napi::External<DeviceHandle>::New(
      env, handle.release(), [](Napi::Env, DeviceHandle* dropped) { delete dropped; });
}

Napi::Value wrap_buffer(Napi::Env env, std::unique_ptr<Buffer> buffer) {
  auto handle = std::make_unique<BufferHandle>();
  handle->kind = HandleKind::kBuffer;
  handle->buffer = std::move(buffer);
  handle->memory = Environment::of(env).external_memory();
  const Buffer& held = *handle->buffer;
  if (held.data() != nullptr && !held.is_read_only()) {
    handle->counted_bytes = held.bytes();
    handle->memory->add(env, held.bytes());
  }
  return Napi::External<BufferHandle>::New(env, handle.release(),
                                           [](Napi::Env, BufferHandle* dropped) {
                                             release(*dropped);
                                             delete dropped;
                                           });
}

const std::shared_ptr<Device>& unwrap_device(const char* op, Napi::Value value) {
  return static_cast<DeviceHandle&>(unwrap(op, value, HandleKind::kDevice, "device")).device;
}

Buffer& unwrap_buffer(const char* op, Napi::Value value) {
  auto& handle = static_cast<BufferHandle&>(unwrap(op, value, HandleKind::kBuffer, "buffer"));
  if (!handle.buffer)
    throw Error(kErrDisposed, op, "buffer expected a live one, got a released one");
  return *handle.buffer;
}

void release_buffer(Napi::Value value) {
  auto& handle =
      static_cast<BufferHandle&>(unwrap("release", value, HandleKind::kBuffer, "buffer"));
  release(handle);
}

}  // namespace framepack::addon
