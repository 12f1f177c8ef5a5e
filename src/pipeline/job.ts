import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { FramePackError } from '../errors.ts';
import {
  readSectionCheckpoint,
  removeSectionCheckpoints,
  type SectionCheckpoint,
  writeSectionCheckpoint,
} from '../jobs/section-checkpoint.ts';
import { scope } from '../tensor/scope.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { NETWORKS } from '../weights/model-folder.ts';
import { packageVersion } from './metadata/video-metadata.ts';
import type { Run } from './open-run.ts';
import type { VideoRequest } from './request.ts';
import { weightBytesOf } from './residency.ts';
import type { VideoConditions } from './sample-video.ts';

/**
 * Makes the folder in which a run keeps its finished sections.
 *
 * @returns its path, null when the request names none.
 * @throws {@link FramePackError} `ERR_ARGUMENT` for a drawn seed, with which nothing could go on; `ERR_OUTPUT`.
 */
export async function openJobFolder({ job, seed }: VideoRequest): Promise<string | null> {
  if (job === undefined) return null;
  if (seed === 'random' || Number(seed) === -1) {
    throw new FramePackError(
      'ERR_ARGUMENT',
      `generate: seed expected a number with a job, so that the same request goes on, got ${String(seed)}`,
    );
  }
  try {
    await mkdir(job, { recursive: true });
    return job;
  } catch (cause) {
    const message = `generate: job expected the path of a folder, or of none yet, got ${job}`;
    throw new FramePackError('ERR_OUTPUT', message, { job }, cause);
  }
}

/**
 * The sections that a job has finished. A run that goes on takes their latents in place of sampling them; everything
 * else (noise, history, decoding) is made again, so that the video is that of an uninterrupted run, bit for bit.
 */
export class JobSections {
  private readonly run: Run;
  private readonly folder: string;
  private readonly digests: SectionCheckpoint['digests'];
  private isGap = false;

  private constructor(run: Run, folder: string, digests: SectionCheckpoint['digests']) {
    this.run = run;
    this.folder = folder;
    this.digests = digests;
  }

  /** Null when the run keeps nothing. */
  static async open(run: Run, conditions: VideoConditions): Promise<JobSections | null> {
    const { job } = run;
    return job === null ? null : new JobSections(run, job, await originOf(run, conditions));
  }

  /**
   * Whether all sections of the video are there, so that nothing is left to sample.
   *
   * @throws {@link FramePackError} As {@link JobSections.take}.
   */
  async isComplete(numSections: number): Promise<boolean> {
    const { folder, digests } = this;
    const { device } = this.run.context;
    for (let sectionIndex = 0; sectionIndex < numSections; sectionIndex++) {
      const isThere = await scope(
        async () => readSectionCheckpoint(device, folder, { sectionIndex, digests }) !== null,
      );
      if (!isThere) return false;
    }
    return true;
  }

  /**
   * Latents of a section that was finished earlier, `[1, C, T, H, W]`; null when it has to be sampled, and then for all
   * later ones too, because they follow from it.
   *
   * @throws {@link FramePackError} `ERR_ARGUMENT` when the job was started with something else.
   */
  take(sectionIndex: number): Tensor<'f32'> | null {
    if (this.isGap) return null;
    const { folder, digests } = this;
    const { device } = this.run.context;
    const latents = readSectionCheckpoint(device, folder, { sectionIndex, digests });
    this.isGap = latents === null;
    return latents;
  }

  /** Keeps the latents of a section that was sampled. */
  async keep(sectionIndex: number, latents: Tensor<'f32'>): Promise<void> {
    await writeSectionCheckpoint(this.folder, { sectionIndex, latents, digests: this.digests });
  }
}

/** Removes what a job has kept, now that its video is there. */
export async function finishJob({ job }: Run): Promise<void> {
  if (job !== null) await removeSectionCheckpoints(job);
}

/** Digests of all that decides the latents of a run, under names that a user knows. */
async function originOf(run: Run, conditions: VideoConditions): Promise<Record<string, string>> {
  const { context, plan, settings } = run;
  const { device, dtype, folder, info, loras } = context;
  const {
    tiling: _,
    prompt: _prompt,
    negativePrompt: _negative,
    start: _start,
    ...sampler
  } = settings;
  const parts = NETWORKS.filter((part) => folder.has(part));
  const model = parts.map((part) => [
    part,
    folder.readJson(part),
    weightBytesOf(folder.path(part)),
  ]);
  const facts = {
    ...sampler,
    ...{ width: plan.width, height: plan.height, device: device.kind, dtype },
    loras: loras.variant,
    ...{ version: packageVersion(), model: [info, model] },
  };
  const digests = Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [name, digestOfJson(value)]),
  );
  const { text, image } = conditions;
  return {
    ...digests,
    prompt: await digestOfTensors(text.flatMap(({ text: states, pooled }) => [states, pooled])),
    picture: await digestOfTensors([image.image, image.startLatent]),
  };
}

function digestOfJson(value: unknown): string {
  const text = JSON.stringify(value, (_, field: unknown) =>
    typeof field === 'bigint' ? String(field) : field,
  );
  return createHash('sha256').update(text).digest('hex');
}

async function digestOfTensors(tensors: readonly Tensor[]): Promise<string> {
  const hash = createHash('sha256');
  for (const tensor of tensors) {
    const { buffer, byteOffset, byteLength } = await tensor.read();
    hash
      .update(JSON.stringify(tensor.shape))
      .update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest('hex');
}
