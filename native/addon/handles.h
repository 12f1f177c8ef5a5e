// Opaque JavaScript handles of devices and buffers.
#pragma once
#include <napi.h>

#include <memory>

#include "../core/buffer.h"
#include "../core/device.h"

namespace framepack::addon {

Napi::Value wrap_device(Napi::Env env, std::shared_ptr<Device> device);
Napi::Value wrap_buffer(Napi::Env env, std::unique_ptr<Buffer> buffer);

// Throws ERR_ARGUMENT for anything but a handle of the kind.
const std::shared_ptr<Device>& unwrap_device(const char* op, Napi::Value value);

// Also throws ERR_DISPOSED for a released buffer.
Buffer& unwrap_buffer(const char* op, Napi::Value value);

// Frees the buffer; later calls do nothing.
void release_buffer(Napi::Value value);

}  // namespace framepack::addon
