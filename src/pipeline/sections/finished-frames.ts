import { mkdir, readdir, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { FramePackError } from '../../errors.ts';
import { newPartPath } from '../../files/part-file.ts';
import {
  checkFrameFile,
  type FrameFileFacts,
  readFrameFile,
  writeFrameFile,
} from '../../jobs/frame-file.ts';
import type { FrameSource } from '../../media/video/video-writer.ts';

/** Where the frames of a run wait for the encoder. */
export interface FramePlace {
  /** Folder of the job, in which they stay until the video is there; null for a folder of the run's own. */
  readonly job: string | null;
  /** Path of the video, beside which that folder is made. */
  readonly out: string;
  /** Bytes of one frame. */
  readonly frameBytes: number;
}

const INDEX_DIGITS = 4;
const FILE = /^frames-\d{4,9}\.rgb$/;

/**
 * The final frames of a video on the disk, a file for each section, until the video is written: a section may come before
 * the ones that it follows in the video, and memory is not to grow with length.
 */
export class FinishedFrames {
  readonly #place: FramePlace;
  /** Folders that are still to be tried, the next first. */
  readonly #candidates: string[];
  readonly #files: Map<number, { readonly file: string; readonly numFrames: number }> = new Map();
  #folders: string[] = [];

  constructor(place: FramePlace) {
    const { job, out } = place;
    this.#place = place;
    const parents = [path.dirname(path.resolve(out)), tmpdir(), homedir()];
    this.#candidates = job === null ? parents : [job];
  }

  /**
   * Finds the frames that an earlier run of the job left.
   *
   * @param origins - what the frames of each section would be made from now, from the first section on.
   * @returns of how many sections, from the first on, they are there.
   */
  async find(origins: readonly string[]): Promise<number> {
    const { job } = this.#place;
    if (job === null) return 0;
    for (const [section, origin] of origins.entries()) {
      const file = path.join(job, fileName(section));
      const numFrames = await checkFrameFile(file, this.#facts(origin));
      if (numFrames === null) return section;
      this.#files.set(section, { file, numFrames });
    }
    return origins.length;
  }

  /**
   * Puts the frames that became final with a section on the disk. A run without a job takes the temporary folder, then the
   * home folder, when the disk of the video is full.
   *
   * @throws {@link FramePackError} `ERR_OUTPUT`.
   */
  async add(section: number, frames: readonly Uint8Array[], origin: string): Promise<void> {
    while (true) {
      try {
        const file = path.join(await this.#folder(), fileName(section));
        await writeFrameFile(file, frames, this.#facts(origin));
        this.#files.set(section, { file, numFrames: frames.length });
        return;
      } catch (cause) {
        if (this.#candidates.length <= 1) throw noRoom(this.#candidates[0]!, cause);
        this.#candidates.shift();
      }
    }
  }

  /** The frames of one section. */
  async read(section: number): Promise<Uint8Array[]> {
    const frames: Uint8Array[] = [];
    for await (const frame of this.#framesOf([section])) frames.push(frame);
    return frames;
  }

  /**
   * All frames of the video in time order.
   *
   * @param isBackwards - whether the first section is the end of the video.
   * @param numTrimmed - frames at the start of the video that are left out.
   */
  inOrder(isBackwards: boolean, numTrimmed: number): FrameSource {
    const ascending = [...this.#files.keys()].sort((a, b) => a - b);
    const sections = isBackwards ? ascending.reverse() : ascending;
    const total = sections.reduce((sum, each) => sum + this.#files.get(each)!.numFrames, 0);
    const framesOf = (): AsyncIterable<Uint8Array> => this.#framesOf(sections);
    return {
      numFrames: total - numTrimmed,
      async *[Symbol.asyncIterator]() {
        let index = 0;
        for await (const frame of framesOf()) if (index++ >= numTrimmed) yield frame;
      },
    };
  }

  /** Removes all frames, those of earlier runs of the job too; they are not needed any more. */
  async remove(): Promise<void> {
    const { job } = this.#place;
    const names = job === null ? [] : (await readdir(job)).filter((name) => FILE.test(name));
    for (const name of names) await rm(path.join(job!, name), { force: true });
    for (const folder of this.#folders) await rm(folder, { recursive: true, force: true });
    this.#files.clear();
    this.#folders = [];
  }

  /** Removes what only this run can use. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#place.job === null) await this.remove();
  }

  async *#framesOf(sections: readonly number[]): AsyncGenerator<Uint8Array> {
    for (const section of sections) {
      yield* readFrameFile(this.#files.get(section)!.file, this.#place.frameBytes);
    }
  }

  #facts(origin: string): FrameFileFacts {
    return { origin, frameBytes: this.#place.frameBytes };
  }

  /** The folder to write to, made when it is first needed. */
  async #folder(): Promise<string> {
    const parent = this.#candidates[0]!;
    if (this.#place.job !== null) return parent;
    const made = this.#folders.find((folder) => path.dirname(folder) === parent);
    if (made !== undefined) return made;
    const folder = newPartPath(parent);
    await mkdir(folder);
    this.#folders.push(folder);
    return folder;
  }
}

function fileName(section: number): string {
  return `frames-${String(section).padStart(INDEX_DIGITS, '0')}.rgb`;
}

function noRoom(folder: string, cause: unknown): FramePackError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new FramePackError(
    'ERR_OUTPUT',
    `generate: out expected room for the frames of a section, got ${reason}`,
    { folder },
    cause,
  );
}
