import { realpath } from 'node:fs/promises';
import { basename } from 'node:path';
import { digestOfFile } from '../../hub/download/digest.ts';
import { openCheckpointFiles } from '../../weights/files/checkpoint-files.ts';
import { type ModelFolder, NETWORKS } from '../../weights/model-folder.ts';

/** The Hugging Face cache names the files that its snapshots link to by their SHA-256. */
const BLOB_NAME = /^[0-9a-f]{64}$/;

/** Digests by folder, so that a model that makes several videos is read once. */
const known = new WeakMap<ModelFolder, Record<string, string>>();

/**
 * SHA-256 of every weights file that a model reads by `part/file`. Files in the Hugging Face cache have theirs
 * in their names; others are read whole.
 *
 * @throws whatever reading throws, and the reason of the signal.
 */
export async function checkpointDigests(
  folder: ModelFolder,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const before = known.get(folder);
  if (before !== undefined) return before;
  const digests: Record<string, string> = {};
  for (const part of NETWORKS.filter((candidate) => folder.has(candidate))) {
    const tensors = openCheckpointFiles(folder.path(part), folder.files).values();
    const paths = new Set([...tensors].map(({ file }) => file.path));
    for (const path of [...paths].sort()) {
      const target = await realpath(path);
      const blob = basename(target);
      digests[`${part}/${basename(path)}`] = BLOB_NAME.test(blob)
        ? blob
        : await digestOfFile(target, 'sha256', signal);
    }
  }
  known.set(folder, digests);
  return digests;
}
