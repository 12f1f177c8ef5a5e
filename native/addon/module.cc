// Entry point of the addon.
#include <napi.h>

#include "environment.h"
#include "errors.h"
#include "exports.h"

namespace framepack::addon {

Napi::Value initialize(const Napi::CallbackInfo& info) {
  if (!info[0].IsFunction()) {
    throw Error(kErrArgument, "initialize", "errorClass expected a class, got another value");
  }
  Environment::of(info.Env()).set_error_class(info[0].As<Napi::Function>());
  return info.Env().Undefined();
}

namespace {

Napi::Object load(Napi::Env env, Napi::Object exports) {
  Environment::attach(env);
#define FRAMEPACK_EXPORT(name, function) \
  exports.Set(#name, Napi::Function::New<guarded<function>>(env, #name));
  FRAMEPACK_EXPORTS(FRAMEPACK_EXPORT)
#undef FRAMEPACK_EXPORT
  return exports;
}

NODE_API_MODULE(framepack, load)

}  // namespace
}  // namespace framepack::addon
