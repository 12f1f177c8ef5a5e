import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';

/** Place, process, its start in clock ticks of the system, and something that no other part has. */
const PART = /^\.framepack-([0-9a-f]{8})-(\d+)-(\d+)-[0-9a-f-]{36}\.part$/;
/** Start time in `/proc/PID/stat`, counted behind the name of the program, which may hold anything. */
const START_FIELD = 19;

/** A new name in a folder for what is not complete yet; {@link removeDeadParts} knows whose it is. */
export function newPartPath(folder: string): string {
  const owner = `${placeOf()}-${process.pid}-${startOf(process.pid) ?? 0}`;
  return path.join(folder, `.framepack-${owner}-${randomUUID()}.part`);
}

/**
 * Removes what processes of this computer, or of this container, left incomplete in a folder when they were killed. Those
 * of others stay, because nothing tells whether they live.
 */
export async function removeDeadParts(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const [, place, pid, start] = PART.exec(name) ?? [];
    if (place !== placeOf() || startOf(Number(pid)) === Number(start)) continue;
    await rm(path.join(folder, name), { recursive: true, force: true }).catch(() => {});
  }
}

/** Computers and containers that share a folder count their processes each for itself. */
function placeOf(): string {
  let namespace = '';
  try {
    namespace = readlinkSync('/proc/self/ns/pid');
  } catch {
    // Without it the computer is the place.
  }
  return createHash('sha256').update(`${hostname()} ${namespace}`).digest('hex').slice(0, 8);
}

/** When a process began, so that a later one with its number is not taken for it; null when there is none. */
function startOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[START_FIELD]);
  } catch {
    return null;
  }
}
