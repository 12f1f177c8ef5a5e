import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { FramePackError } from '../errors.ts';
import type { Device } from '../tensor/device.ts';
import { fromArray, type Tensor } from '../tensor/tensor.ts';
import { WeightFile } from '../weights/files/weight-file.ts';
import { saveTensors } from '../weights/tensor-file.ts';

/** Where a section stands, and what it is made from. */
export interface SectionOrigin {
  /** Counted from 0 in sampling order. */
  readonly sectionIndex: number;
  /** {@link StoredSection.sha256} of the section before, whose latents are its history; null for the first. */
  readonly before: string | null;
  /** Digests by name of everything else that it is made from. */
  readonly digests: Readonly<Record<string, string>>;
}

/** What a finished section leaves behind. */
export interface SectionCheckpoint extends SectionOrigin {
  /** Latents of the section, `[1, C, T, H, W]`. */
  readonly latents: Tensor<'f32'>;
  /** State of the noise generator behind the section's noise; see `Generator.state`. */
  readonly noiseState: Uint32Array;
}

/** What was read of a {@link SectionCheckpoint}. */
export interface StoredSection extends Pick<SectionCheckpoint, 'latents' | 'noiseState'> {
  /** SHA-256 of the checkpoint, and through {@link SectionOrigin.before} of all before it. */
  readonly sha256: string;
}

const FORMAT = 'framepack-section';
const VERSION = '2';
const INDEX_DIGITS = 4;
const RANK = 5;

const schema = z.object({
  section: z.string(),
  before: z.string(),
  digests: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/**
 * Writes the checkpoint of a section into the folder of its job. The file appears when it is complete and on the disk.
 *
 * @returns its {@link StoredSection.sha256}.
 * @throws {@link FramePackError} `ERR_OUTPUT`.
 */
export async function writeSectionCheckpoint(
  folder: string,
  checkpoint: SectionCheckpoint,
): Promise<string> {
  const { sectionIndex, latents, noiseState, before, digests } = checkpoint;
  const facts = {
    ...{ format: FORMAT, version: VERSION, before: before ?? '' },
    ...{ section: String(sectionIndex), digests: JSON.stringify(digests) },
  };
  const sha256 = digestOf(facts, bytesIn(await latents.read()), bytesIn(noiseState));
  const words = new Int32Array(noiseState);
  using noise = fromArray(latents.device, words, [words.length], 'i32');
  const file = path.join(folder, fileName(sectionIndex));
  await saveTensors(file, { latents, noise }, { ...facts, sha256 });
  return sha256;
}

/**
 * A section that was finished earlier; its latents belong to the caller or to the running `scope()`.
 *
 * @param origin - what the section would be made from now.
 * @returns null when there is no whole checkpoint of this version behind that section before: it has to be sampled.
 * @throws {@link FramePackError} `ERR_ARGUMENT` naming what differs when it was made from something else.
 */
export function readSectionCheckpoint(
  device: Device,
  folder: string,
  { sectionIndex, before, digests }: SectionOrigin,
): StoredSection | null {
  const file = path.join(folder, fileName(sectionIndex));
  if (!existsSync(file)) return null;
  const stored = readStored(file, sectionIndex);
  if (stored === null || stored.before !== (before ?? '')) return null;
  const names = [...new Set([...Object.keys(stored.digests), ...Object.keys(digests)])].sort();
  const changed = names.filter((name) => stored.digests[name] !== digests[name]);
  if (changed.length > 0) {
    throw new FramePackError(
      'ERR_ARGUMENT',
      `generate: job ${folder} expected what it was started with, got another ${changed.join(', ')}; choose another folder`,
      { folder, changed },
    );
  }
  const { shape, latents, noise, sha256 } = stored;
  return {
    latents: fromArray(device, new Float32Array(latents.slice().buffer), shape, 'f32'),
    noiseState: new Uint32Array(noise.slice().buffer),
    sha256,
  };
}

/**
 * How many sections of a job have checkpoints, from the first on; whether they are whole shows when they are read.
 *
 * @throws what the file system throws.
 */
export async function countSectionCheckpoints(folder: string): Promise<number> {
  const names = new Set(await readdir(folder));
  let count = 0;
  while (names.has(fileName(count))) count++;
  return count;
}

interface StoredBytes {
  readonly shape: readonly number[];
  readonly latents: Uint8Array;
  readonly noise: Uint8Array;
  readonly before: string;
  readonly digests: SectionOrigin['digests'];
  readonly sha256: string;
}

function fileName(sectionIndex: number): string {
  return `section-${String(sectionIndex).padStart(INDEX_DIGITS, '0')}.safetensors`;
}

function bytesIn({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The bytes are read once and checked in memory, so that what was checked is what is used; null for a damaged file. */
function readStored(file: string, sectionIndex: number): StoredBytes | null {
  try {
    const source = WeightFile.open(file);
    const { metadata, tensors } = source.header;
    const { sha256: _, ...facts }: Record<string, string> = Object.fromEntries(metadata);
    const parsed = schema.safeParse(Object.fromEntries(metadata));
    const isKnown = facts.format === FORMAT && facts.version === VERSION;
    if (!(isKnown && parsed.success) || parsed.data.section !== String(sectionIndex)) return null;
    const [latents, noise] = [tensors.get('latents'), tensors.get('noise')];
    if (latents?.storedType !== 'F32' || latents.shape.length !== RANK) return null;
    if (noise?.storedType !== 'I32') return null;
    const bytes = { latents: source.readBytes(latents), noise: source.readBytes(noise) };
    const { sha256, before, digests } = parsed.data;
    if (digestOf(facts, bytes.latents, bytes.noise) !== sha256) return null;
    return { shape: latents.shape, ...bytes, before, digests: JSON.parse(digests), sha256 };
  } catch (error) {
    if (error instanceof FramePackError && error.code === 'ERR_CHECKPOINT') return null;
    throw error;
  }
}

/** SHA-256 of the facts in the order of their names, then of the tensors. */
function digestOf(
  facts: Readonly<Record<string, string>>,
  ...tensors: readonly Uint8Array[]
): string {
  const named = Object.entries(facts).sort(([a], [b]) => (a < b ? -1 : 1));
  const hash = createHash('sha256').update(JSON.stringify(named)).update('\0');
  for (const bytes of tensors) hash.update(bytes);
  return hash.digest('hex');
}
