import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { FramePackError } from '../../errors.ts';
import { removeDeadParts } from '../../files/part-file.ts';
import { writeJobFile } from '../../jobs/job-document.ts';
import { JobLog } from '../../jobs/job-log.ts';
import { countSectionCheckpoints } from '../../jobs/section-checkpoint.ts';
import { readImageFile } from '../../media/decode-image.ts';
import type { GenerateEvent } from '../events.ts';
import type { ModelParts } from '../model/locate/part-fields.ts';
import type { GenerateRequest, LoadOptions, VideoRequest } from '../request.ts';
import { JOB_FILES, type JobResult, resultDocument, storedRequest } from './job-files.ts';

/** A request for which a job is opened. */
export interface JobRequest {
  /** What the model was opened with. */
  readonly load: LoadOptions;
  /** Checked; names the folder. */
  readonly video: VideoRequest;
  /** Path of the video with its name filled in; null for none. */
  readonly out: string | null;
}

/** The folder of a job while a run works in it: the run's request, log and result. */
export class JobFolder implements Disposable {
  /** Absolute path. */
  readonly path: string;
  readonly #request: GenerateRequest;
  readonly #picture: Uint8Array | null;
  readonly #log: JobLog;

  private constructor(
    folder: string,
    request: GenerateRequest,
    picture: Uint8Array | null,
    log: JobLog,
  ) {
    this.path = folder;
    this.#request = request;
    this.#picture = picture;
    this.#log = log;
  }

  /**
   * Makes the folder if it is not there. A job of which nothing is sampled yet takes the request at once.
   *
   * @returns null when the request names none.
   * @throws {@link FramePackError} `ERR_ARGUMENT` for a drawn seed, with which nothing could go on; `ERR_OUTPUT`.
   */
  static async open({ load, video, out }: JobRequest): Promise<JobFolder | null> {
    const { job, image } = video;
    if (job === undefined) return null;
    checkSeed(video);
    const folder = path.resolve(job);
    try {
      await mkdir(folder, { recursive: true });
    } catch (cause) {
      const message = `generate: job expected the path of a folder, or of none yet, got ${job}`;
      throw new FramePackError('ERR_OUTPUT', message, { job }, cause);
    }
    await removeDeadParts(folder);
    const picture = typeof image === 'string' ? await readImageFile(image) : (image ?? null);
    const request = absolute({ ...load, ...video }, out);
    const log = JobLog.open(path.join(folder, JOB_FILES.log));
    const opened = new JobFolder(folder, request, picture, log);
    if ((await countSectionCheckpoints(folder)) === 0) await opened.keepRequest();
    return opened;
  }

  /** Keeps request and picture, so that the folder suffices to go on. */
  async keepRequest(): Promise<void> {
    const picture = this.#picture;
    const file = path.join(this.path, JOB_FILES.picture);
    if (picture !== null) {
      const before = await readFile(file).catch(() => null);
      if (!before?.equals(picture)) await writeJobFile(file, picture);
    }
    const sha256 = picture && createHash('sha256').update(picture).digest('hex');
    const document = storedRequest(this.#request, sha256);
    await writeJobFile(path.join(this.path, JOB_FILES.request), document);
  }

  /** Keeps what came of the job; a video is still to get its name then. */
  async keepResult(result: JobResult): Promise<void> {
    await writeJobFile(path.join(this.path, JOB_FILES.result), resultDocument(result));
  }

  /** A listener that logs events before it hands them on. */
  logged(emit: (event: GenerateEvent) => void): (event: GenerateEvent) => void {
    return (event) => {
      this.#log.write(event);
      emit(event);
    };
  }

  /** Logs why the run ended. */
  logFailure(error: unknown): void {
    const code = error instanceof FramePackError ? error.code : 'ERR_INTERNAL';
    const message = error instanceof Error ? error.message : String(error);
    this.#log.write({ type: 'error', code, message });
  }

  [Symbol.dispose](): void {
    this.#log[Symbol.dispose]();
  }
}

function checkSeed({ seed }: VideoRequest): void {
  if (seed !== 'random' && Number(seed) !== -1) return;
  throw new FramePackError(
    'ERR_ARGUMENT',
    `generate: seed expected a number with a job, so that the same request goes on, got ${String(seed)}`,
  );
}

/** The request with paths that mean the same from any folder. A model that is no folder is a repository's name. */
function absolute(request: GenerateRequest, out: string | null): GenerateRequest {
  const { loras, out: _, model, parts, cacheFolder, ...rest } = request;
  return {
    ...rest,
    ...(model !== undefined && { model: resolveModel(model) }),
    ...(parts && { parts: resolveParts(parts) }),
    ...(cacheFolder !== undefined && { cacheFolder: path.resolve(cacheFolder) }),
    ...(out !== null && { out: resolveOut(out) }),
    ...(loras && { loras: loras.map((lora) => ({ ...lora, file: path.resolve(lora.file) })) }),
  };
}

/** A repository in the cache is no path, and stays as it is. */
function resolveModel(model: string): string {
  return existsSync(model) ? path.resolve(model) : model;
}

function resolveParts(parts: ModelParts): ModelParts {
  const given = Object.entries(parts).filter(([, part]) => part !== undefined);
  return Object.fromEntries(given.map(([field, part]) => [field, path.resolve(part)]));
}

/** A separator at the end says that a folder of pictures is meant. */
function resolveOut(out: string): string {
  return /[/\\]$/.test(out) ? path.resolve(out) + path.sep : path.resolve(out);
}
