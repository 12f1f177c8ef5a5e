import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  readonly elapsedMs: number;
}

/** Runs a program of this folder in its own Node; a crash or a hang cannot take the tests with it. */
function run(program: string, args: readonly string[]): Promise<Outcome> {
  const file = fileURLToPath(new URL(`programs/${program}.ts`, import.meta.url));
  const start = performance.now();
  const child = spawn(process.execPath, ['--import', 'tsx', '--expose-gc', file, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 50_000,
    killSignal: 'SIGKILL',
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      resolve({ code, signal, output, elapsedMs: performance.now() - start });
    });
  });
}

/** Ends of processes, threads and tensors in the middle of work. */
export function lifetime(kind: 'cpu' | 'cuda'): void {
  describe('leaving in the middle of work', () => {
    test.each([
      { way: 'exit', code: 7 },
      { way: 'exit while waiting', code: 7 },
      { way: 'throw', code: 1 },
      { way: 'end', code: 0 },
    ])('$way', async ({ way, code }) => {
      expect(await run('exit', [way, kind])).toMatchObject({ code, signal: null });
    });
  });

  test('workers have devices of their own and may be terminated in the middle of work', async () => {
    const { code, signal, output } = await run('workers', [kind]);
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    expect(JSON.parse(output)).toEqual([51, 51, 51, 51, 51]);
  });

  test('the garbage collector frees tensors that nobody disposed', async () => {
    const { code, output } = await run('collect', [kind]);
    expect(code).toBe(0);
    const { dropped, leftBytes, leftTensors } = JSON.parse(output) as Record<string, number>;
    expect(dropped).toBe(100 * (4096 + 4096));
    expect({ leftBytes, leftTensors }).toEqual({ leftBytes: 0, leftTensors: 0 });
  });
}
