import { readFile } from 'node:fs/promises';
import { freemem, totalmem } from 'node:os';

/** Memory of the computer, or of the container in it. */
export interface HostMemory {
  readonly totalBytes: number;
  /** What programs can still have without swapping. */
  readonly availableBytes: number;
  /** What may still be promised to programs where the system promises no more than it has; null where it does. */
  readonly commitBytes: number | null;
}

const KIB = 1024;
/** `vm.overcommit_memory` of a system that never promises more than it has. */
const STRICT = '2';

/** Where the system tells about itself; the places are those of Linux. */
export interface SystemFiles {
  readonly meminfo: string;
  readonly overcommit: string;
  /** Folder of the control group's `memory.max` and `memory.current`. */
  readonly cgroup: string;
}

const LINUX: SystemFiles = {
  meminfo: '/proc/meminfo',
  overcommit: '/proc/sys/vm/overcommit_memory',
  cgroup: '/sys/fs/cgroup',
};

/** Reads it from the system; what a system does not tell comes from Node, or is unlimited. */
export async function hostMemory(files: SystemFiles = LINUX): Promise<HostMemory> {
  const meminfo = fieldsOf(await textOf(files.meminfo));
  const limit = Number(await textOf(`${files.cgroup}/memory.max`));
  const used = Number(await textOf(`${files.cgroup}/memory.current`));
  const total = meminfo.get('MemTotal') ?? totalmem();
  const available = meminfo.get('MemAvailable') ?? freemem();
  // An empty file and "max" are no limit.
  const isLimited = limit > 0 && limit < total;
  const isStrict = (await textOf(files.overcommit)).trim() === STRICT;
  const [commitLimit, committed] = [meminfo.get('CommitLimit'), meminfo.get('Committed_AS')];
  const isTold = commitLimit !== undefined && committed !== undefined;
  return {
    totalBytes: isLimited ? limit : total,
    availableBytes: isLimited ? Math.min(available, Math.max(0, limit - used)) : available,
    commitBytes: isStrict && isTold ? Math.max(0, commitLimit - committed) : null,
  };
}

async function textOf(file: string): Promise<string> {
  return await readFile(file, 'utf8').catch(() => '');
}

/** Lines such as `MemTotal:  24684092 kB`, in bytes. */
function fieldsOf(text: string): ReadonlyMap<string, number> {
  const lines = [...text.matchAll(/^(\w+): +(\d+) kB$/gm)];
  return new Map(lines.map(([, name, kib]) => [name!, Number(kib) * KIB]));
}
