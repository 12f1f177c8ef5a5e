// Streams, events and host functions.

#include "driver/context.h"

using namespace cudasim;

namespace {

constexpr unsigned kNonBlocking = 1, kDisableTiming = 2;

CUresult elapsed(float* milliseconds, const Event* start, const Event* end) {
  if (!start || !end || !start->record || !end->record) return CUDA_ERROR_INVALID_HANDLE;
  if (!start->has_timing || !end->has_timing) return CUDA_ERROR_INVALID_HANDLE;
  if (!start->record->is_done || !end->record->is_done) return CUDA_ERROR_NOT_READY;
  *milliseconds = static_cast<float>((end->record->seconds - start->record->seconds) * 1e3);
  return CUDA_SUCCESS;
}

}  // namespace

CUresult cuStreamCreate(CUstream* stream, unsigned flags) {
  if (const CUresult error = check_context()) return error;
  if (!stream || flags > kNonBlocking) return CUDA_ERROR_INVALID_VALUE;
  *stream = StreamEngine::instance().create(flags != kNonBlocking);
  return CUDA_SUCCESS;
}

CUresult cuStreamCreateWithPriority(CUstream* stream, unsigned flags, int) {
  return cuStreamCreate(stream, flags);
}

CUresult cuStreamDestroy_v2(CUstream stream) { return StreamEngine::instance().destroy(stream); }

CUresult cuStreamSynchronize(CUstream handle) {
  if (const CUresult error = check_context()) return error;
  const auto stream = StreamEngine::instance().stream(handle);
  return stream ? StreamEngine::instance().synchronise(stream) : CUDA_ERROR_INVALID_HANDLE;
}

CUresult cuStreamQuery(CUstream handle) {
  if (const CUresult error = check_context()) return error;
  const auto stream = StreamEngine::instance().stream(handle);
  return stream ? StreamEngine::instance().query(stream) : CUDA_ERROR_INVALID_HANDLE;
}

CUresult cuStreamWaitEvent(CUstream handle, CUevent event_handle, unsigned) {
  if (const CUresult error = check_context()) return error;
  const auto stream = StreamEngine::instance().stream(handle);
  const Event* event = HandleTable::instance().event(event_handle);
  if (!stream || !event) return CUDA_ERROR_INVALID_HANDLE;
  if (!event->record || event->record->position.stream == stream) return CUDA_SUCCESS;
  Operation operation;
  operation.wait_for = event->record->position;
  return StreamEngine::instance().enqueue(stream, std::move(operation));
}

CUresult cuLaunchHostFunc(CUstream handle, CUhostFn function, void* user_data) {
  if (const CUresult error = check_context()) return error;
  const auto stream = StreamEngine::instance().stream(handle);
  if (!stream) return CUDA_ERROR_INVALID_HANDLE;
  return StreamEngine::instance().enqueue_host_function(stream, function, user_data);
}

CUresult cuEventCreate(CUevent* event, unsigned flags) {
  if (const CUresult error = check_context()) return error;
  auto created = std::make_unique<Event>();
  created->has_timing = !(flags & kDisableTiming);
  const void* key = created.get();
  *event = reinterpret_cast<CUevent>(created.get());
  HandleTable& table = HandleTable::instance();
  std::lock_guard lock(table.mutex);
  table.events[key] = std::move(created);
  return CUDA_SUCCESS;
}

CUresult cuEventDestroy_v2(CUevent event) {
  HandleTable& table = HandleTable::instance();
  std::lock_guard lock(table.mutex);
  return table.events.erase(event) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

CUresult cuEventRecord(CUevent event_handle, CUstream handle) {
  if (const CUresult error = check_context()) return error;
  const auto stream = StreamEngine::instance().stream(handle);
  Event* event = HandleTable::instance().event(event_handle);
  if (!stream || !event) return CUDA_ERROR_INVALID_HANDLE;
  return StreamEngine::instance().record(*event, stream);
}

CUresult cuEventQuery(CUevent handle) {
  if (const CUresult error = check_context()) return error;
  const Event* event = HandleTable::instance().event(handle);
  return event ? StreamEngine::instance().query(event->record) : CUDA_ERROR_INVALID_HANDLE;
}

CUresult cuEventSynchronize(CUevent handle) {
  if (const CUresult error = check_context()) return error;
  const Event* event = HandleTable::instance().event(handle);
  return event ? StreamEngine::instance().wait(event->record) : CUDA_ERROR_INVALID_HANDLE;
}

CUresult cuEventElapsedTime(float* milliseconds, CUevent start, CUevent end) {
  HandleTable& table = HandleTable::instance();
  return elapsed(milliseconds, table.event(start), table.event(end));
}

CUresult cuEventElapsedTime_v2(float* milliseconds, CUevent start, CUevent end) {
  return cuEventElapsedTime(milliseconds, start, end);
}
