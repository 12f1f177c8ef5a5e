import type { MemoryEstimate, MemoryPlan } from '../index.ts';

/** How a run keeps to its memory, in one line. */
export function memoryLine({ peakBytes }: MemoryEstimate, memory: MemoryPlan): string {
  const { budgetBytes, transformer, numResident, textEncoder, decoder, tiling } = memory;
  const limit = budgetBytes === null ? '' : ` of ${gibibytes(budgetBytes)}`;
  const blocks = numResident === 0 ? '' : ` but for ${numResident} parts`;
  const facts = [
    `transformer ${transformer}${transformer === 'streams' ? blocks : ''}`,
    `text encoder ${textEncoder}`,
    `decoder ${decoder}${tiling === 'full' ? ', in tiles' : ''}`,
  ];
  return `memory ${gibibytes(peakBytes)}${limit} GiB: ${facts.join(', ')}`;
}

function gibibytes(bytes: number): string {
  return (bytes / 2 ** 30).toFixed(2);
}
