import path from 'node:path';
import type { LocatedTensor } from '../../weights/files/checkpoint-files.ts';
import type { LoraReport } from '../inputs/loras.ts';
import { packageVersion, storedLora } from '../metadata/video-metadata.ts';
import type { ConversionChoice } from './conversion-plan.ts';

const KEY = 'framepack_node';

/**
 * The metadata of a converted file: that of its source, and `framepack_node`, a JSON list of what was done to it, the
 * last conversion last. Files are named without their folders.
 */
export function conversionMetadata(
  located: ReadonlyMap<string, LocatedTensor>,
  { loras, ...choice }: ConversionChoice & { readonly loras: readonly LoraReport[] },
): Readonly<Record<string, string>> {
  const files = [...new Set([...located.values()].map(({ file }) => file))];
  const before = Object.fromEntries(files.flatMap(({ header }) => [...header.metadata]));
  const conversion = {
    version: packageVersion(),
    source: files.map((file) => path.basename(file.path)),
    ...choice,
    loras: loras.map(storedLora),
  };
  const done = JSON.stringify([...earlier(before[KEY]), conversion]);
  return { format: 'pt', ...before, [KEY]: done };
}

function earlier(text: string | undefined): unknown[] {
  try {
    const list: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(list) ? list : [];
  } catch {
    return [];
  }
}
