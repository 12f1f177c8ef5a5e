import path from 'node:path';
import type { LocatedTensor } from '../../weights/files/checkpoint-files.ts';
import type { LoraReport } from '../inputs/loras.ts';
import { packageVersion, storedLora } from '../metadata/video-metadata.ts';
import type { ConversionChoice } from './conversion-plan.ts';

const KEY = 'framepack_node';
/** The name of a model, in the ModelSpec standard. */
const TITLE = 'modelspec.title';
/** A file in a Hugging Face cache, with the name of its repository. */
const IN_CACHE = /models--[^/\\]+?--([^/\\]+)[/\\]snapshots[/\\]/;

/**
 * The metadata of a converted file: that of its source, and `framepack_node`, a JSON list of what was done to it, the
 * last conversion last. Files are named without their folders. Weights from a Hugging Face cache keep the name of their
 * repository as `modelspec.title`: nothing else tells those of I2V from those of F1.
 */
export function conversionMetadata(
  located: ReadonlyMap<string, LocatedTensor>,
  { loras, ...choice }: ConversionChoice & { readonly loras: readonly LoraReport[] },
): Readonly<Record<string, string>> {
  const files = [...new Set([...located.values()].map(({ file }) => file))];
  const before = Object.fromEntries(files.flatMap(({ header }) => [...header.metadata]));
  const [, repository] = IN_CACHE.exec(files[0]?.path ?? '') ?? [];
  const conversion = {
    version: packageVersion(),
    source: files.map((file) => path.basename(file.path)),
    ...choice,
    loras: loras.map(storedLora),
  };
  const done = JSON.stringify([...earlier(before[KEY]), conversion]);
  const title = repository === undefined ? {} : { [TITLE]: repository };
  return { format: 'pt', ...title, ...before, [KEY]: done };
}

function earlier(text: string | undefined): unknown[] {
  try {
    const list: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(list) ? list : [];
  } catch {
    return [];
  }
}
