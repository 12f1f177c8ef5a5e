import { link, lstat, mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { FramePackError } from '../errors.ts';
import { newPartPath, removeDeadParts } from '../files/part-file.ts';

/**
 * A file or folder that appears under its name only when it is complete, and in place of something that is there
 * already only when it was told to. Until then it has a temporary name in the same folder.
 */
export class OutputFile {
  /** Absolute path of the result. */
  readonly path: string;
  /** Absolute path to write to, already created empty. */
  readonly temporaryPath: string;
  readonly #isFolder: boolean;
  readonly #overwrites: boolean;

  private constructor(
    target: string,
    temporaryPath: string,
    kind: { readonly isFolder: boolean; readonly overwrites: boolean },
  ) {
    this.path = target;
    this.temporaryPath = temporaryPath;
    this.#isFolder = kind.isFolder;
    this.#overwrites = kind.overwrites;
  }

  /**
   * Reserves a file.
   *
   * @param overwrites - whether it may take the place of a file.
   * @throws {@link FramePackError} `ERR_OUTPUT` when the name is taken, or its folder is missing or not writable.
   */
  static reserveFile(target: string, overwrites = false): Promise<OutputFile> {
    return OutputFile.#reserve(target, { isFolder: false, overwrites });
  }

  /**
   * Reserves a folder; otherwise like {@link OutputFile.reserveFile}. It only ever takes the place of a folder that holds
   * nothing but numbered pictures.
   */
  static reserveFolder(target: string, overwrites = false): Promise<OutputFile> {
    return OutputFile.#reserve(target, { isFolder: true, overwrites });
  }

  static async #reserve(
    target: string,
    kind: { readonly isFolder: boolean; readonly overwrites: boolean },
  ): Promise<OutputFile> {
    const absolute = path.resolve(target);
    const parent = path.dirname(absolute);
    const isParentFolder = await stat(parent).then(
      (info) => info.isDirectory(),
      () => false,
    );
    if (!isParentFolder) {
      throw outputError(absolute, `an existing folder "${parent}"`, 'none; create it first');
    }
    if (await exists(absolute)) {
      if (!kind.overwrites) throw taken(absolute);
      await checkReplaceable(absolute, kind.isFolder);
    }
    await removeDeadParts(parent);
    const temporary = newPartPath(parent);
    try {
      if (kind.isFolder) await mkdir(temporary);
      else await (await open(temporary, 'wx')).close();
    } catch (cause) {
      throw outputError(absolute, `a writable folder "${parent}"`, reason(cause), cause);
    }
    return new OutputFile(absolute, temporary, kind);
  }

  /**
   * Gives the result its name, atomically.
   *
   * @throws {@link FramePackError} `ERR_OUTPUT` when the name was taken in the meantime. The finished result then
   *   stays under a name that the message tells.
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
        `${problem}; the result is kept as ${await this.#keep()}`,
        cause,
      );
    }
  }

  /** Removes what was written so far. */
  async discard(): Promise<void> {
    await rm(this.temporaryPath, { recursive: true, force: true });
  }

  /** Gives a finished result a name that is not removed when this process is gone. */
  async #keep(): Promise<string> {
    const kept = this.temporaryPath.replace(/\.part$/, '.kept');
    return rename(this.temporaryPath, kept).then(
      () => kept,
      () => this.temporaryPath,
    );
  }

  /** A hard link fails if the name exists, where a rename would overwrite. */
  async #publishFile(): Promise<void> {
    if (this.#overwrites) {
      await rename(this.temporaryPath, this.path);
      return;
    }
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
    const replaced = `${this.temporaryPath}.old`;
    const isReplaced = this.#overwrites && (await exists(this.path));
    if (isReplaced) await rename(this.path, replaced);
    await mkdir(this.path);
    await rename(this.temporaryPath, this.path);
    if (isReplaced) await rm(replaced, { recursive: true });
  }
}

/** The error for a write that failed: the cause itself if it is ours, else `ERR_OUTPUT` about it. */
export function writeError(file: string, cause: unknown): FramePackError {
  if (cause instanceof FramePackError) return cause;
  return outputError(file, 'to be written', reason(cause), cause);
}

const NUMBERED_PICTURE = /^frame-\d{5,}\.png$/;

/** Nothing is overwritten but a file, or a folder of pictures that a run of ours wrote. */
async function checkReplaceable(target: string, isFolder: boolean): Promise<void> {
  const info = await lstat(target);
  if (!isFolder && !info.isFile() && !info.isSymbolicLink()) {
    throw outputError(target, 'a file to overwrite', 'something else');
  }
  if (!isFolder) return;
  const names = info.isDirectory() ? await readdir(target) : [''];
  const other = names.find((name) => !NUMBERED_PICTURE.test(name));
  if (other === undefined) return;
  const got = other === '' ? 'something else' : `one with "${other}"`;
  throw outputError(target, 'a folder of nothing but numbered pictures to overwrite', got);
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
  return outputError(
    file,
    'a new file name',
    'an existing one; choose another name, or overwrite it (--force)',
  );
}

function outputError(file: string, expected: string, got: string, cause?: unknown): FramePackError {
  return new FramePackError(
    'ERR_OUTPUT',
    `output: ${file} expected ${expected}, got ${got}`,
    { path: file },
    cause,
  );
}
