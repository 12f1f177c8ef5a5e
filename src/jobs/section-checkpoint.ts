import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { FramePackError } from '../errors.ts';
import type { Device } from '../tensor/device.ts';
import { fromArray, type Tensor } from '../tensor/tensor.ts';
import { SafetensorsFile } from '../weights/files/safetensors-file.ts';
import { saveTensors } from '../weights/tensor-file.ts';

/** What a finished section leaves behind. */
export interface SectionCheckpoint {
  /** Counted from 0 in sampling order. */
  readonly sectionIndex: number;
  /** Latents of the section, `[1, C, T, H, W]`. */
  readonly latents: Tensor<'f32'>;
  /** Digests by name of what the section was made from. */
  readonly digests: Readonly<Record<string, string>>;
}

const FORMAT = 'framepack-section';
const VERSION = '1';
const INDEX_DIGITS = 4;
const RANK = 5;
/** Checkpoints, and what a killed process left of one. */
const OWN_FILE = /^(?:section-\d{4,9}\.safetensors|\.framepack-[0-9a-f-]+\.part)$/;

const schema = z.object({
  section: z.string(),
  digests: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/**
 * Writes the checkpoint of a section into the folder of its job. The file appears when it is complete and on the disk.
 *
 * @throws {@link FramePackError} `ERR_OUTPUT`.
 */
export async function writeSectionCheckpoint(
  folder: string,
  checkpoint: SectionCheckpoint,
): Promise<void> {
  const { sectionIndex, latents, digests } = checkpoint;
  const facts = {
    ...{ format: FORMAT, version: VERSION },
    ...{ section: String(sectionIndex), digests: JSON.stringify(digests) },
  };
  const { buffer, byteOffset, byteLength } = await latents.read();
  const sha256 = digestOf(facts, new Uint8Array(buffer, byteOffset, byteLength));
  await saveTensors(path.join(folder, fileName(sectionIndex)), { latents }, { ...facts, sha256 });
}

/**
 * Latents of a section that was finished earlier, `[1, C, T, H, W]`; they belong to the caller or to the running
 * `scope()`.
 *
 * @param digests - of what the section would be made from now.
 * @returns null when there is no whole checkpoint of this version: the section has to be sampled.
 * @throws {@link FramePackError} `ERR_ARGUMENT` naming what differs when it was made from something else.
 */
export function readSectionCheckpoint(
  device: Device,
  folder: string,
  { sectionIndex, digests }: Omit<SectionCheckpoint, 'latents'>,
): Tensor<'f32'> | null {
  const file = path.join(folder, fileName(sectionIndex));
  if (!existsSync(file)) return null;
  const stored = readStored(file, sectionIndex);
  if (stored === null) return null;
  const names = [...new Set([...Object.keys(stored.digests), ...Object.keys(digests)])].sort();
  const changed = names.filter((name) => stored.digests[name] !== digests[name]);
  if (changed.length > 0) {
    throw new FramePackError(
      'ERR_ARGUMENT',
      `generate: job ${folder} expected what it was started with, got another ${changed.join(', ')}; choose another folder`,
      { folder, changed },
    );
  }
  const values = new Float32Array(stored.bytes.slice().buffer);
  return fromArray(device, values, stored.shape, 'f32');
}

/**
 * Removes the checkpoints of a job, and its folder when nothing else is in it.
 *
 * @throws {@link FramePackError} `ERR_OUTPUT`.
 */
export async function removeSectionCheckpoints(folder: string): Promise<void> {
  try {
    const names = await readdir(folder);
    const own = names.filter((name) => OWN_FILE.test(name));
    for (const name of own) await rm(path.join(folder, name), { force: true });
    if (own.length === names.length) await rmdir(folder);
  } catch (cause) {
    const message = `generate: job ${folder} expected a folder that can be emptied, got another`;
    throw new FramePackError('ERR_OUTPUT', message, { folder }, cause);
  }
}

interface StoredSection {
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
  readonly digests: SectionCheckpoint['digests'];
}

function fileName(sectionIndex: number): string {
  return `section-${String(sectionIndex).padStart(INDEX_DIGITS, '0')}.safetensors`;
}

/** The bytes are read once and checked in memory, so that what was checked is what is used; null for a damaged file. */
function readStored(file: string, sectionIndex: number): StoredSection | null {
  try {
    const source = SafetensorsFile.open(file);
    const { sha256: _, ...facts }: Record<string, string> = Object.fromEntries(
      source.header.metadata,
    );
    const parsed = schema.safeParse(Object.fromEntries(source.header.metadata));
    const entry = source.header.tensors.get('latents');
    const isKnown = facts.format === FORMAT && facts.version === VERSION;
    if (!(isKnown && parsed.success) || parsed.data.section !== String(sectionIndex)) return null;
    if (entry?.storedType !== 'F32' || entry.shape.length !== RANK) return null;
    const bytes = source.readBytes(entry);
    if (digestOf(facts, bytes) !== parsed.data.sha256) return null;
    return { shape: entry.shape, bytes, digests: JSON.parse(parsed.data.digests) };
  } catch (error) {
    if (error instanceof FramePackError && error.code === 'ERR_CHECKPOINT') return null;
    throw error;
  }
}

/** SHA-256 of the facts in the order of their names, then of the latents. */
function digestOf(facts: Readonly<Record<string, string>>, latents: Uint8Array): string {
  const named = Object.entries(facts).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify(named))
    .update('\0')
    .update(latents)
    .digest('hex');
}
