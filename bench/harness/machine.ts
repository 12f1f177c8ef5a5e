import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { DeviceDescription } from '../../src/tensor/device.ts';
import type { Machine } from './document.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Describes where a run takes place, when it begins. */
export function describeMachine(
  device: DeviceDescription,
  rivals: Readonly<Record<string, string>>,
): Machine {
  const [one = 0, five = 0, fifteen = 0] = loadavg();
  const facts = [device.name, device.isa, device.architecture, device.driver];
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memory_bytes: totalmem(),
    load: [one, five, fifteen],
    system: `${type()} ${release()}`,
    node: process.version,
    commit: commit(),
    date: new Date().toISOString(),
    device: facts.filter((fact) => fact !== undefined).join(', '),
    rivals: { ...rivals },
  };
}

function commit(): string | null {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty', '--exclude', '*'], {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return null;
  }
}
