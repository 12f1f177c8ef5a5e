import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import type { RgbImage } from './decode-image.ts';
import { OutputFile, writeError } from './output-file.ts';
import type { EncoderSettings, FrameEncoder } from './video/video-writer.ts';

/** A picture as the bytes of an 8-bit RGB PNG file. */
export function encodePng(image: RgbImage): Promise<Uint8Array> {
  const raw = { width: image.width, height: image.height, channels: 3 } as const;
  return sharp(image.data, { raw }).png().toBuffer();
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

/** Writes frames as `frame-00000.png` onwards into a folder, the metadata as `metadata.txt`. */
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
    const { width, height } = this.#settings;
    const name = `frame-${String(this.#numFrames++).padStart(5, '0')}.png`;
    await writeFile(path.join(this.#folder, name), await encodePng({ width, height, data: rgb }));
  }

  async finish(): Promise<void> {
    const { metadata } = this.#settings;
    if (metadata !== undefined) await writeFile(path.join(this.#folder, 'metadata.txt'), metadata);
  }

  async abort(): Promise<void> {}
}
