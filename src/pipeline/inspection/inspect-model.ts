import { Device } from '../../tensor/device.ts';
import type { Checkpoint } from '../../weights/checkpoint.ts';
import type { CheckpointInfo } from '../../weights/checkpoint-info.ts';
import { type ModelPart, NETWORKS } from '../../weights/model-folder.ts';
import { locateModel } from '../model/locate/locate-model.ts';

/** One network of a model on disk. */
export interface PartSummary {
  readonly part: ModelPart;
  /** Its file or folder. */
  readonly path: string;
  readonly numTensors: number;
  readonly numParameters: number;
  /** Bytes of the stored tensors. */
  readonly bytes: number;
  /** Stored element types and how many parameters have them. */
  readonly storedTypes: Readonly<Record<string, number>>;
}

/** What is in a model folder. */
export interface ModelSummary {
  readonly source: string;
  readonly info: CheckpointInfo;
  readonly parts: readonly PartSummary[];
}

/**
 * Reads the headers of every network of a model; no weight is loaded.
 *
 * @param model - a path or a repository, as for `generate`.
 * @throws {@link FramePackError} `ERR_CHECKPOINT` when the folder or a file in it is not valid.
 */
export async function inspectModel(model: string): Promise<ModelSummary> {
  const folder = await locateModel({ model });
  await using device = Device.open('meta');
  const parts: PartSummary[] = [];
  for (const part of NETWORKS) {
    const weights = await folder.openWeights(device, part);
    parts.push({ part, path: folder.path(part), ...summarize(weights) });
  }
  return { source: folder.source, info: folder.info, parts };
}

function summarize(checkpoint: Checkpoint): Omit<PartSummary, 'part' | 'path'> {
  const storedTypes: Record<string, number> = {};
  let numParameters = 0;
  let bytes = 0;
  for (const entry of checkpoint.entries()) {
    const count = entry.shape.reduce((product, extent) => product * extent, 1);
    storedTypes[entry.storedType] = (storedTypes[entry.storedType] ?? 0) + count;
    numParameters += count;
    bytes += entry.byteLength;
  }
  return { numTensors: checkpoint.names().length, numParameters, bytes, storedTypes };
}
