import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { loadSharp, type RgbImage } from './decode-image.ts';
import { COMMENT_KEYWORD } from './file-comment.ts';
import { OutputFile, writeError } from './output-file.ts';
import { textChunk, withChunk } from './png-chunks.ts';
import type { EncoderSettings, FrameEncoder } from './video/video-writer.ts';

/**
 * A picture as the bytes of an 8-bit RGB PNG file.
 *
 * @param comment - text to keep in the file, as UTF-8.
 * @throws {@link FramePackError} `ERR_NATIVE_LOAD` when the package `sharp` is not whole.
 */
export async function encodePng(image: RgbImage, comment?: string): Promise<Uint8Array> {
  const sharp = await loadSharp('encodePng');
  const raw = { width: image.width, height: image.height, channels: 3 } as const;
  const png = await sharp(image.data, { raw }).png().toBuffer();
  return comment === undefined ? png : withChunk(png, textChunk(COMMENT_KEYWORD, comment));
}

/**
 * Writes a picture as a PNG file.
 *
 * @throws {@link FramePackError} `ERR_OUTPUT` when the file exists already or cannot be written.
 */
export async function writePng(file: string, image: RgbImage): Promise<void> {
  const output = await OutputFile.reserveFile(file);
  try {
    await writeFile(output.temporaryPath, await encodePng(image));
  } catch (cause) {
    await output.discard();
    throw writeError(output.path, cause);
  }
  await output.publish();
}

/** Name of the first frame in a folder of numbered pictures. */
export const FIRST_PICTURE: string = pictureName(0);

function pictureName(index: number): string {
  return `frame-${String(index).padStart(5, '0')}.png`;
}

/** Writes frames as `frame-00000.png` onwards into a folder, each with the metadata as its comment. */
export class PngSequenceEncoder implements FrameEncoder {
  readonly #folder: string;
  readonly #settings: EncoderSettings;
  #numFrames = 0;

  /** @param folder - Folder that exists and is empty. */
  constructor(folder: string, settings: EncoderSettings) {
    this.#folder = folder;
    this.#settings = settings;
  }

  async encode(rgb: Uint8Array): Promise<void> {
    const { width, height, metadata } = this.#settings;
    const name = pictureName(this.#numFrames++);
    const png = await encodePng({ width, height, data: rgb }, metadata);
    await writeFile(path.join(this.#folder, name), png);
  }

  async finish(): Promise<void> {}

  async abort(): Promise<void> {}
}
