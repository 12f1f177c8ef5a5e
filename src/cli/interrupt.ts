/** Signals that ask a command to end, and what the shell expects to hear then: 128 and the signal's number. */
export const SIGNAL_EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

type EndSignal = keyof typeof SIGNAL_EXIT_CODES;

/**
 * Runs work that a closed terminal, Ctrl-C or `kill` aborts; its signal's reason then is the name of theirs. A second
 * one ends the process at once.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupt = new AbortController();
  const signals = Object.keys(SIGNAL_EXIT_CODES) as EndSignal[];
  const onSignal = (signal: NodeJS.Signals): void => interrupt.abort(signal);
  for (const signal of signals) process.once(signal, onSignal);
  try {
    return await work(interrupt.signal);
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
}

/** Keeps the process alive when its standard output or error is closed, full or gone: progress never ends a run. */
export function outliveOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}
