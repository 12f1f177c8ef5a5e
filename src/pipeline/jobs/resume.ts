import { FramePackError } from '../../errors.ts';
import type { GenerateEvent } from '../events.ts';
import { generate } from '../generate.ts';
import type { LoadOptions, VideoRequest } from '../request.ts';
import { readJob } from './read-job.ts';

/** What may change while a job goes on: where its model lies, what it may take, and all that only concerns decoding and the file. */
export interface ResumeOptions
  extends Partial<Omit<LoadOptions, 'device' | 'dtype'>>,
    Pick<
      VideoRequest,
      'tiling' | 'out' | 'overwrite' | 'crf' | 'encoder' | 'fps' | 'metadata' | 'preview' | 'signal'
    > {}

/**
 * Goes on with a job from its folder alone, behind the last section that is whole; see `generate`. On the same device the
 * video is that of an uninterrupted run, bit for bit. The folder may have been moved.
 *
 * @param options - in place of what the job was started with.
 * @throws {@link FramePackError} as `readJob` and `generate`; `ERR_ARGUMENT` when the video is there already, unless `out`
 *   names another one.
 * @example
 * for await (const event of resume('jobs/ball')) if (event.type === 'done') console.log(event.file);
 */
export async function* resume(
  folder: string,
  options: ResumeOptions = {},
): AsyncGenerator<GenerateEvent, void, undefined> {
  const { request, result } = await readJob(folder);
  if (result?.file != null && options.out === undefined) {
    throw new FramePackError(
      'ERR_ARGUMENT',
      `resume: job ${folder} expected to be unfinished, got one whose video is ${result.file}; name another with out (--out)`,
      { folder, file: result.file },
    );
  }
  const changes = Object.entries(options).filter(([, value]) => value !== undefined);
  yield* generate({ ...request, ...Object.fromEntries(changes) });
}
