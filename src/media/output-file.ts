import { randomUUID } from 'node:crypto';
import { link, lstat, mkdir, open, rename, rm, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { FramePackError } from '../errors.ts';

/**
 * A file or folder that appears under its name only when it is complete, and never in place of something
 * that is there already. Until then it has a temporary name in the same folder.
 */
export class OutputFile {
  /** Absolute path of the result. */
  readonly path: string;
  /** Absolute path to write to, already created empty. */
  readonly temporaryPath: string;
  readonly #isFolder: boolean;

  private constructor(target: string, temporaryPath: string, isFolder: boolean) {
    this.path = target;
    this.temporaryPath = temporaryPath;
    this.#isFolder = isFolder;
  }

  /**
   * Reserves a file.
   *
   * @throws {@link FramePackError} `ERR_OUTPUT` when the name is taken, or its folder is missing or not writable.
   */
  static reserveFile(target: string): Promise<OutputFile> {
    return OutputFile.#reserve(target, false);
  }

  /** Reserves a folder; otherwise like {@link OutputFile.reserveFile}. */
  static reserveFolder(target: string): Promise<OutputFile> {
    return OutputFile.#reserve(target, true);
  }

  static async #reserve(target: string, isFolder: boolean): Promise<OutputFile> {
    const absolute = path.resolve(target);
    const parent = path.dirname(absolute);
    const isParentFolder = await stat(parent).then(
      (info) => info.isDirectory(),
      () => false,
    );
    if (!isParentFolder) {
      throw outputError(absolute, `an existing folder "${parent}"`, 'none; create it first');
    }
    if (await exists(absolute)) throw taken(absolute);
    const temporary = path.join(parent, `.framepack-${randomUUID()}.part`);
    try {
      if (isFolder) await mkdir(temporary);
      else await (await open(temporary, 'wx')).close();
    } catch (cause) {
      throw outputError(absolute, `a writable folder "${parent}"`, reason(cause), cause);
    }
    return new OutputFile(absolute, temporary, isFolder);
  }

  /**
   * Gives the result its name, atomically.
   *
   * @throws {@link FramePackError} `ERR_OUTPUT` when the name was taken in the meantime. The finished result then
   *   stays under its temporary name, which the message tells.
   */
  async publish(): Promise<void> {
    try {
      if (this.#isFolder) await this.#publishFolder();
      else await this.#publishFile();
    } catch (cause) {
      const problem = errorCode(cause) === 'EEXIST' ? 'a name taken meanwhile' : reason(cause);
      throw outputError(
        this.path,
        'to be created',
        `${problem}; the result is kept as ${this.temporaryPath}`,
        cause,
      );
    }
  }

  /** Removes what was written so far. */
  async discard(): Promise<void> {
    await rm(this.temporaryPath, { recursive: true, force: true });
  }

  /** A hard link fails if the name exists, where a rename would overwrite. */
  async #publishFile(): Promise<void> {
    try {
      await link(this.temporaryPath, this.path);
    } catch (cause) {
      if (errorCode(cause) === 'EEXIST') throw cause;
      // This file system has no hard links: an empty file takes the name, then the result replaces it.
      await (await open(this.path, 'wx')).close();
      await rename(this.temporaryPath, this.path);
      return;
    }
    await unlink(this.temporaryPath);
  }

  async #publishFolder(): Promise<void> {
    await mkdir(this.path);
    await rename(this.temporaryPath, this.path);
  }
}

/** The error for a write that failed: the cause itself if it is ours, else `ERR_OUTPUT` about it. */
export function writeError(file: string, cause: unknown): FramePackError {
  if (cause instanceof FramePackError) return cause;
  return outputError(file, 'to be written', reason(cause), cause);
}

async function exists(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return true;
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return false;
    throw outputError(file, 'a usable file name', reason(cause), cause);
  }
}

function errorCode(cause: unknown): string | undefined {
  return cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined;
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function taken(file: string): FramePackError {
  return outputError(file, 'a new file name', 'an existing one; choose another name or remove it');
}

function outputError(file: string, expected: string, got: string, cause?: unknown): FramePackError {
  return new FramePackError(
    'ERR_OUTPUT',
    `output: ${file} expected ${expected}, got ${got}`,
    { path: file },
    cause,
  );
}
