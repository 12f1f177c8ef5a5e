// Runs all tests of the virtual driver, or those whose name contains the first argument.

#include <cstdio>
#include <cstring>
#include <exception>

#include "test/simulator.h"

using namespace cudasim::test;

int main(int argc, char** argv) {
  const char* filter = argc > 1 ? argv[1] : "";
  CUcontext context = nullptr;
  if (cuInit(0) || cuDevicePrimaryCtxRetain(&context, 0) || cuCtxSetCurrent(context)) return 1;
  int passed = 0, failed = 0, skipped = 0;
  for (const TestCase& test : test_cases()) {
    if (!std::strstr(test.name, filter)) continue;
    try {
      test.run();
      ++passed;
      std::printf("ok    %s\n", test.name);
    } catch (const Skip& reason) {
      ++skipped;
      std::printf("skip  %s: %s\n", test.name, reason.what());
    } catch (const std::exception& error) {
      ++failed;
      std::printf("FAIL  %s: %s\n", test.name, error.what());
      cudaSimReset();
    }
  }
  std::printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
  return failed || passed == 0 ? 1 : 0;
}
