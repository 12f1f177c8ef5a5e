import { CommanderError } from 'commander';
import { FramePackError } from '../index.ts';
import { SIGNAL_EXIT_CODES } from './interrupt.ts';

/** Conventions of the shell: 2 for a wrong command line, 128 and its number for a signal, 1 for everything else. */
const USAGE = 2;
const FAILURE = 1;

/** The exit codes, for help. */
export const EXIT_CODE_HELP: string = `
Exit codes:
  ${'0'.padEnd(15)}success
  ${String(FAILURE).padEnd(15)}failure; one sentence on stderr says why and what to do
  ${String(USAGE).padEnd(15)}wrong command line or argument
  ${Object.values(SIGNAL_EXIT_CODES).join(', ').padEnd(15)}ended by ${Object.keys(SIGNAL_EXIT_CODES).join(', ')}`;

/** Exit code for whatever a command threw. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
  if (!(error instanceof FramePackError)) return FAILURE;
  if (error.code === 'ERR_ARGUMENT') return USAGE;
  if (error.code !== 'ERR_ABORTED') return FAILURE;
  const known = Object.entries(SIGNAL_EXIT_CODES).find(([signal]) => signal === error.cause);
  return known?.[1] ?? SIGNAL_EXIT_CODES.SIGINT;
}

/**
 * One sentence on stderr for failures that have a code, the whole stack for those that are our own mistakes; with
 * `json` one JSON line on stdout instead.
 */
export function reportFailure(error: unknown, json: boolean): void {
  if (json) {
    console.log(failureLine(error));
    return;
  }
  if (error instanceof FramePackError) {
    console.error(`framepack: ${error.message} (${error.code})`);
    return;
  }
  console.error(error);
}

/** A failure as the last line of `--json`: `{"type":"error","code":...,"message":...}`. */
function failureLine(error: unknown): string {
  const code = error instanceof FramePackError ? error.code : 'ERR_INTERNAL';
  const message = error instanceof Error ? error.message : String(error);
  return JSON.stringify({ type: 'error', code, message });
}
