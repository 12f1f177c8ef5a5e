import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { FramePackError } from '../../errors.ts';
import { digestOfFile } from '../../hub/download/digest.ts';
import { readJobFile } from '../../jobs/job-document.ts';
import { countSectionCheckpoints } from '../../jobs/section-checkpoint.ts';
import type { GenerateRequest } from '../request.ts';
import { JOB_FILES, type JobResult, parseResult, parseStoredRequest } from './job-files.ts';

/** A job as it lies on the disk. */
export interface Job {
  /** Absolute path of its folder. */
  readonly folder: string;
  /** What it makes. Its `image` is the copy in the folder, and `job` the folder. */
  readonly request: GenerateRequest;
  /** Sections that are finished, whatever their state. */
  readonly numSections: number;
  /** What came of it; null while the video is not there, or no longer. */
  readonly result: JobResult | null;
}

/**
 * Reads the folder that a request with `job` left.
 *
 * @throws {@link FramePackError} `ERR_ARGUMENT` when it is none, was damaged or is of another version, or its picture is not
 *   the one it was started with.
 */
export async function readJob(folder: string): Promise<Job> {
  const absolute = path.resolve(folder);
  const stored = parseStoredRequest(await readJobFile(path.join(absolute, JOB_FILES.request)));
  if (stored === null) {
    throw jobError(absolute, `a folder with ${JOB_FILES.request} of this version`, 'none in it');
  }
  const image = path.join(absolute, JOB_FILES.picture);
  if (stored.picture !== null) {
    const sha256 = await digestOfFile(image, 'sha256').catch(() => null);
    if (sha256 !== stored.picture) {
      const got = sha256 === null ? 'none' : 'another one';
      throw jobError(absolute, `its start picture as ${JOB_FILES.picture}`, got);
    }
  }
  return {
    folder: absolute,
    request: { ...stored.request, ...(stored.picture !== null && { image }), job: absolute },
    numSections: await countSectionCheckpoints(absolute),
    result: await existingResult(absolute),
  };
}

/** SHA-256 of a video, or of a folder's pictures one after the other in the order of their names. */
export async function digestOfVideo(file: string): Promise<string> {
  if (!(await stat(file)).isDirectory()) return digestOfFile(file, 'sha256');
  const hash = createHash('sha256');
  for (const name of (await readdir(file)).sort()) {
    hash.update(await digestOfFile(path.join(file, name), 'sha256'));
  }
  return hash.digest('hex');
}

/** A result is kept before the video gets its name, so that a kill in between does not make it another's. */
async function existingResult(folder: string): Promise<JobResult | null> {
  const result = parseResult(await readJobFile(path.join(folder, JOB_FILES.result)));
  if (result === null || result.file === null) return result;
  const sha256 = await digestOfVideo(result.file).catch(() => null);
  return sha256 === result.sha256 ? result : null;
}

function jobError(folder: string, expected: string, got: string): FramePackError {
  return new FramePackError(
    'ERR_ARGUMENT',
    `job: ${folder} expected ${expected}, got ${got}; give the command that began it again`,
    { folder },
  );
}
