#include "errors.h"

#include "environment.h"

namespace framepack::addon {

Napi::Value to_javascript(Napi::Env env, const Error& error) {
  const Napi::FunctionReference& error_class = Environment::of(env).error_class();
  if (error_class.IsEmpty()) return Napi::Error::New(env, error.what()).Value();
  const Napi::Object details = Napi::Object::New(env);
  details.Set("operation", error.op());
  return error_class.New(
      {Napi::String::New(env, error.code()), Napi::String::New(env, error.what()), details});
}

void throw_current(Napi::Env env) {
  const auto raise = [env](const Error& error) { napi_throw(env, to_javascript(env, error)); };
  try {
    throw;
  } catch (const Napi::Error& error) {
    error.ThrowAsJavaScriptException();
  } catch (const Error& error) {
    raise(error);
  } catch (const std::bad_alloc&) {
    raise(Error(kErrOutOfMemory, "addon", "host memory expected, got none"));
  } catch (const std::exception& error) {
    raise(Error(kErrInternal, "addon", error.what()));
  }
}

}  // namespace framepack::addon
