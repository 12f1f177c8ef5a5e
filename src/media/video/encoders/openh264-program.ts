/**
 * A program of its own: reads I420 frames from standard input until it ends and writes an MP4 file with openh264.
 * Called without a file it only tells by its exit status whether that is possible.
 *
 *     node openh264-program.js [file settings]
 */
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
import type { EncoderSettings } from '../video-writer.ts';
import { bitrateForQuality } from './bitrate.ts';
import { clearTimes } from './mp4-times.ts';

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

/**
 * H.264 by `node-webcodecs` (openh264), put into an MP4 file by `mediabunny`. Packets are kept until the end, so that
 * the index can go in front of them.
 */
class Openh264Encoder {
  readonly #file: string;
  readonly #settings: EncoderSettings;
  readonly #codecs: WebCodecs;
  readonly #encoder: InstanceType<WebCodecs['VideoEncoder']>;
  readonly #packets: EncodedPacket[] = [];
  readonly #events = new EventEmitter();
  #numSubmitted = 0;
  #failure: Error | undefined;

  constructor(file: string, settings: EncoderSettings, codecs: WebCodecs) {
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

  /** @param planes - one frame, Y'CbCr 4:2:0. */
  async encode(planes: Uint8Array): Promise<void> {
    const { width, height, fps } = this.#settings;
    const frame = new this.#codecs.VideoFrame(planes, {
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
        throw new Error(`no packet for ${STALL_MS / 1000} s`, { cause });
      } finally {
        clearTimeout(timer);
      }
    }
    if (this.#failure !== undefined) throw this.#failure;
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
    if (target.buffer === null) throw new Error('no file from the muxer');
    const file = new Uint8Array(target.buffer);
    clearTimes(file);
    return file;
  }
}

async function main(file: string | undefined, settingsJson: string | undefined): Promise<void> {
  const codecs = await import('node-webcodecs');
  if (file === undefined || settingsJson === undefined) return;
  const settings = JSON.parse(settingsJson) as EncoderSettings;
  const encoder = new Openh264Encoder(file, settings, codecs);
  for await (const planes of framesOf(process.stdin, (settings.width * settings.height * 3) / 2)) {
    await encoder.encode(planes);
  }
  await encoder.finish();
}

/** Cuts a stream into frames of a size; a rest that is no whole frame is an error. */
async function* framesOf(
  stream: AsyncIterable<Buffer>,
  size: number,
): AsyncGenerator<Uint8Array, void> {
  let frame = new Uint8Array(size);
  let filled = 0;
  for await (const chunk of stream) {
    for (let offset = 0; offset < chunk.length; ) {
      const count = Math.min(size - filled, chunk.length - offset);
      frame.set(chunk.subarray(offset, offset + count), filled);
      offset += count;
      filled += count;
      if (filled < size) continue;
      yield frame;
      frame = new Uint8Array(size);
      filled = 0;
    }
  }
  if (filled > 0) throw new Error(`the last frame ends after ${filled} of ${size} bytes`);
}

await main(process.argv[2], process.argv[3]);
