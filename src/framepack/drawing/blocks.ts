import { type ArrangedPart, arrangeSchedule } from '../arrangement.ts';
import { cubicKernel, formatKernel, type PackingSchedule, type PatchKernel } from '../packing.ts';

/** Neighbouring frames of one kernel in a drawing, or a gap. */
export interface Block {
  readonly role: ArrangedPart['role'];
  /** 0 for a gap. */
  readonly numFrames: number;
  /** The plain patch for a gap too. */
  readonly kernel: PatchKernel;
}

/** A kernel of a schedule as a height. */
export interface KernelLevel {
  /** As in the notation: `k4`, `k1h2w4`. */
  readonly name: string;
  /** How often the tokens of a frame are halved: 0 for the plain patch, 3 for `k2`. */
  readonly halvings: number;
}

/** What a schedule shows, in time order. */
export function blocksOf(schedule: PackingSchedule): readonly Block[] {
  return arrangeSchedule(schedule).parts.flatMap((part): Block[] => {
    const { role } = part;
    if ('groups' in part) return part.groups.map((group) => ({ role, ...group }));
    const numFrames = part.role === 'section' ? part.numFrames : 0;
    return [{ role, numFrames, kernel: cubicKernel(1) }];
  });
}

/** The level of a kernel. */
export function levelOf(kernel: PatchKernel): KernelLevel {
  const patch = cubicKernel(1);
  const volume = ({ frames, height, width }: PatchKernel): number => frames * height * width;
  return { name: formatKernel(kernel), halvings: Math.log2(volume(kernel) / volume(patch)) };
}

/** The kernels of blocks, the finest first, each once. */
export function levelsOf(blocks: readonly Block[]): readonly KernelLevel[] {
  const levels = new Map(blocks.map(({ kernel }) => [formatKernel(kernel), levelOf(kernel)]));
  return [...levels.values()].toSorted((a, b) => a.halvings - b.halvings);
}
