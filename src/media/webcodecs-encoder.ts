import { EventEmitter, once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  BufferTarget,
  EncodedPacket,
  EncodedVideoPacketSource,
  Mp4OutputFormat,
  Output,
} from 'mediabunny';
import { FramePackError } from '../errors.ts';
import { rgbToI420 } from './colour.ts';
import type { EncoderSettings, FrameEncoder } from './video-writer.ts';

type WebCodecs = typeof import('node-webcodecs');

/** Constrained baseline: what openh264 makes; the level in the stream is the encoder's own choice. */
const CODEC = 'avc1.42E01F';
const COLOUR = {
  primaries: 'bt709',
  transfer: 'bt709',
  matrix: 'bt709',
  fullRange: false,
} as const;
const MAX_FRAMES_IN_FLIGHT = 8;
const STALL_MS = 20_000;
const SETTLE_MS = 50;
/** openh264 refuses anything smaller. */
const MIN_SIDE = 16;

/**
 * H.264 by `node-webcodecs` (openh264), put into an MP4 file by `mediabunny`.
 *
 * Packets are kept until the end, so that the index can go in front of them. The codec writes a few lines
 * to the process's standard error that no setting turns off.
 */
export class WebcodecsEncoder implements FrameEncoder {
  readonly #file: string;
  readonly #settings: EncoderSettings;
  readonly #codecs: WebCodecs;
  readonly #encoder: InstanceType<WebCodecs['VideoEncoder']>;
  readonly #packets: EncodedPacket[] = [];
  readonly #events = new EventEmitter();
  #numSubmitted = 0;
  #failure: Error | undefined;

  private constructor(file: string, settings: EncoderSettings, codecs: WebCodecs) {
    this.#file = file;
    this.#settings = settings;
    this.#codecs = codecs;
    this.#encoder = new codecs.VideoEncoder({
      output: (chunk) => this.#keep(chunk),
      error: (error) => {
        this.#failure = error;
        this.#events.emit('progress');
      },
    });
    this.#encoder.configure({
      codec: CODEC,
      width: settings.width,
      height: settings.height,
      framerate: settings.fps,
      bitrate: bitrateForQuality(settings),
      // Hardware encoders differ from driver to driver.
      hardwareAcceleration: 'prefer-software',
      colorSpace: COLOUR,
    });
  }

  /**
   * @param file - MP4 file to write, existing and empty.
   * @returns Nothing when the optional package is not installed or cannot encode this.
   */
  static async create(
    file: string,
    settings: EncoderSettings,
  ): Promise<WebcodecsEncoder | undefined> {
    if (Math.min(settings.width, settings.height) < MIN_SIDE) return undefined;
    try {
      return new WebcodecsEncoder(file, settings, await import('node-webcodecs'));
    } catch {
      return undefined;
    }
  }

  async encode(rgb: Uint8Array): Promise<void> {
    const { width, height, fps } = this.#settings;
    const frame = new this.#codecs.VideoFrame(rgbToI420(rgb, width, height), {
      format: 'I420',
      codedWidth: width,
      codedHeight: height,
      timestamp: Math.round((this.#numSubmitted * 1e6) / fps),
      colorSpace: COLOUR,
    });
    const isSecondStart = this.#numSubmitted % fps === 0;
    this.#encoder.encode(frame, { keyFrame: isSecondStart });
    frame.close();
    this.#numSubmitted++;
    await this.#waitForPackets(this.#numSubmitted - MAX_FRAMES_IN_FLIGHT);
  }

  async finish(): Promise<void> {
    await this.#encoder.flush();
    await this.#waitForPackets(this.#numSubmitted);
    await this.#close();
    await writeFile(this.#file, await this.#mux());
  }

  async abort(): Promise<void> {
    await this.#close();
  }

  /**
   * The library's `close` joins its thread and never returns when that is just about to sleep and misses the call to
   * wake up (1.3.0: one of some hundred calls right after the start). So it is given time to fall asleep.
   */
  async #close(): Promise<void> {
    await sleep(SETTLE_MS);
    this.#encoder.close();
  }

  #keep(chunk: InstanceType<WebCodecs['EncodedVideoChunk']>): void {
    const data = new Uint8Array(chunk.byteLength);
    chunk.copyTo(data);
    const { fps } = this.#settings;
    // There are no B-frames: packets come in the order of the frames.
    const timestamp = this.#packets.length / fps;
    this.#packets.push(new EncodedPacket(data, chunk.type, timestamp, 1 / fps));
    this.#events.emit('progress');
  }

  /**
   * The library's own queue length says nothing about the encoder, so packets are counted. It may also lose
   * an error, so there is a limit to waiting; that timer keeps the process alive on purpose.
   */
  async #waitForPackets(numWanted: number): Promise<void> {
    while (this.#failure === undefined && this.#packets.length < numWanted) {
      const stall = new AbortController();
      const timer = setTimeout(() => stall.abort(), STALL_MS);
      try {
        await once(this.#events, 'progress', { signal: stall.signal });
      } catch (cause) {
        throw encodingError(`no packet for ${STALL_MS / 1000} s`, cause);
      } finally {
        clearTimeout(timer);
      }
    }
    if (this.#failure !== undefined) throw encodingError(this.#failure.message, this.#failure);
  }

  async #mux(): Promise<Uint8Array> {
    const { width, height, fps, metadata } = this.#settings;
    const target = new BufferTarget();
    const output = new Output({ format: new Mp4OutputFormat({ fastStart: 'in-memory' }), target });
    const track = new EncodedVideoPacketSource('avc');
    output.addVideoTrack(track, { frameRate: fps });
    if (metadata !== undefined) output.setMetadataTags({ comment: metadata });
    await output.start();
    const decoderConfig = {
      codec: CODEC,
      codedWidth: width,
      codedHeight: height,
      colorSpace: COLOUR,
    };
    for (const packet of this.#packets) await track.add(packet, { decoderConfig });
    await output.finalize();
    if (target.buffer === null) throw encodingError('no file from the muxer');
    return new Uint8Array(target.buffer);
  }
}

/**
 * Bits per second for a quality on x264's scale, since openh264 has no constant quality here. On detailed
 * moving pictures 0.5 bits per pixel gave 40 dB, which x264 reaches near 20; five and a half steps double it.
 */
export function bitrateForQuality(settings: EncoderSettings): number {
  const bitsPerPixel = 0.5 * 2 ** ((16 - settings.quality) / 5.5);
  const bitrate = bitsPerPixel * settings.width * settings.height * settings.fps;
  return Math.round(Math.min(Math.max(bitrate, 300_000), 100_000_000));
}

function encodingError(problem: string, cause?: unknown): FramePackError {
  return new FramePackError(
    'ERR_OUTPUT',
    `webcodecs: video expected to be encoded, got ${problem}`,
    {},
    cause,
  );
}
