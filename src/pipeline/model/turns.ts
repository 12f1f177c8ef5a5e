import { throwIfAborted } from '../run-context.ts';

/** Lets jobs run one at a time, in the order in which they came. */
export class Turns {
  private last: Promise<void> = Promise.resolve();

  /**
   * Resolves once all jobs that came before have ended; then it is the caller's turn until it calls the result.
   *
   * @throws {@link FramePackError} `ERR_ABORTED` as soon as the signal fires; the job then leaves the queue.
   */
  async wait(signal?: AbortSignal): Promise<() => void> {
    throwIfAborted(signal);
    const before = this.last;
    let end: () => void = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    // A job that leaves the queue must not let the next one pass those before it.
    this.last = Promise.all([before, ended]).then(() => {});
    try {
      await untilAborted(before, signal);
    } catch (error) {
      end();
      throw error;
    }
    return end;
  }
}

function untilAborted(turn: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      try {
        throwIfAborted(signal);
      } catch (error) {
        reject(error);
      }
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    void turn.then(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
  });
}
