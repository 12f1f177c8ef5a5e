/** Hands values from a running task to a `for await` loop, in order, without losing any. */
export class EventQueue<T> implements AsyncIterable<T> {
  private readonly waiting: T[] = [];
  private isClosed = false;
  private failure: { readonly reason: unknown } | null = null;
  private wake: () => void = () => {};

  /** Adds a value; ignored once closed. */
  push(value: T): void {
    if (this.isClosed) return;
    this.waiting.push(value);
    this.wake();
  }

  /** Ends the iteration after the values already pushed; with a failure, by throwing its reason. */
  close(failure: { readonly reason: unknown } | null = null): void {
    this.isClosed = true;
    this.failure = failure;
    this.wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    while (true) {
      while (this.waiting.length > 0) yield this.waiting.shift()!;
      if (this.isClosed) break;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    if (this.failure) throw this.failure.reason;
  }
}

/**
 * The events of a task, as it emits them; then its failure, if any. The task's signal fires with the given one, or when
 * the loop is left, and the iteration ends once the task has.
 */
export async function* eventsOf<T>(
  signal: AbortSignal | undefined,
  task: (signal: AbortSignal, emit: (event: T) => void) => Promise<void>,
): AsyncGenerator<T, void, undefined> {
  const queue = new EventQueue<T>();
  const left = new AbortController();
  const stop = AbortSignal.any(signal ? [signal, left.signal] : [left.signal]);
  const run = task(stop, (event) => queue.push(event)).then(
    () => queue.close(),
    (reason: unknown) => queue.close({ reason }),
  );
  try {
    yield* queue;
  } finally {
    left.abort();
    await run;
  }
}
