import { createHash } from 'node:crypto';
import {
  readSectionCheckpoint,
  type SectionOrigin,
  writeSectionCheckpoint,
} from '../../jobs/section-checkpoint.ts';
import { Generator } from '../../tensor/generator.ts';
import { scope } from '../../tensor/scope.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { NETWORKS } from '../../weights/model-folder.ts';
import { packageVersion } from '../metadata/video-metadata.ts';
import type { Run } from '../open-run.ts';
import type { VideoConditions } from '../sample-video.ts';

/** A section that an earlier run finished. */
export interface KeptSection {
  /** `[1, C, T, H, W]`. */
  readonly latents: Tensor<'f32'>;
  /** Draws the noise of what follows. */
  readonly noise: Generator;
}

/**
 * The sections that a job has finished. A run that goes on takes their latents in place of sampling them; everything
 * else (history, decoding) is made again, so that the video is that of an uninterrupted run, bit for bit. Sections are
 * taken and kept in the order in which they are sampled.
 */
export class JobSections {
  private readonly run: Run;
  private readonly folder: string;
  private readonly digests: SectionOrigin['digests'];
  private before: string | null = null;

  private constructor(run: Run, folder: string, digests: SectionOrigin['digests']) {
    this.run = run;
    this.folder = folder;
    this.digests = digests;
  }

  /**
   * Null when the run keeps nothing. The job takes over the request of the run unless it was started with something else.
   *
   * @throws {@link FramePackError} As {@link JobSections.take}.
   */
  static async open(run: Run, conditions: VideoConditions): Promise<JobSections | null> {
    const { job } = run;
    if (job === null) return null;
    const sections = new JobSections(run, job.path, await originOf(run, conditions));
    scope(() => void sections.read(0, null));
    await job.keepRequest();
    return sections;
  }

  /**
   * What the frames of the leading sections that are there would be decoded from; as many as all sections of the video when
   * nothing is left to sample.
   *
   * @throws {@link FramePackError} As {@link JobSections.take}.
   */
  finished(numSections: number): string[] {
    const origins: string[] = [];
    let before: string | null = null;
    while (origins.length < numSections) {
      before = scope(() => this.read(origins.length, before)?.sha256 ?? null);
      if (before === null) break;
      origins.push(this.frameOriginOf(before));
    }
    return origins;
  }

  /** Digest of all that the frames of the section are decoded from that was taken or kept last. */
  get frameOrigin(): string {
    return this.frameOriginOf(this.before);
  }

  /**
   * A section that was finished earlier, behind the one that was taken or kept last; null when it has to be sampled.
   *
   * @throws {@link FramePackError} `ERR_ARGUMENT` when the job was started with something else.
   */
  take(sectionIndex: number): KeptSection | null {
    const stored = this.read(sectionIndex, this.before);
    if (stored === null) return null;
    this.before = stored.sha256;
    return { latents: stored.latents, noise: Generator.fromState(stored.noiseState) };
  }

  /** Keeps a section that was sampled. */
  async keep(sectionIndex: number, { latents, noise }: KeptSection): Promise<void> {
    const { before, digests } = this;
    const origin = { sectionIndex, before, digests };
    const section = { ...origin, latents, noiseState: noise.state };
    this.before = await writeSectionCheckpoint(this.folder, section);
  }

  /** Its latents stand for those before it, and for all that they were made from. */
  private frameOriginOf(sha256: string | null): string {
    return digestOfJson([sha256, this.run.tiling]);
  }

  private read(
    sectionIndex: number,
    before: string | null,
  ): ReturnType<typeof readSectionCheckpoint> {
    const { folder, digests } = this;
    const { device } = this.run.context;
    return readSectionCheckpoint(device, folder, { sectionIndex, before, digests });
  }
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
  const model = parts.map((part) => [part, folder.readConfig(part), folder.weightBytes(part)]);
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
