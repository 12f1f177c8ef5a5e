// Stands in for the package sharp in a bundle: 8-bit RGB PNG files, read and written.
import { crc32, deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE_BYTES = 8;
const CHANNELS = 3;
const RGB = 2;

/** The part of sharp's interface that the pipeline calls. */
export default function sharp(input, { raw } = {}) {
  const image = {
    metadata: async () => ({ ...header(input), space: 'srgb', channels: CHANNELS }),
    toBuffer: async (options) => {
      if (raw) return encode(input, raw);
      const { width, height } = header(input);
      const data = decode(input);
      return options?.resolveWithObject ? { data, info: { width, height } } : data;
    },
  };
  for (const name of ['timeout', 'autoOrient', 'removeAlpha', 'toColourspace', 'raw', 'png']) {
    image[name] = () => image;
  }
  return image;
}

/** What `framepack doctor` shows. */
sharp.versions = { sharp: 'stand-in', vips: 'none' };

function* chunks(bytes) {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = SIGNATURE_BYTES; at < file.length; ) {
    const size = file.readUInt32BE(at);
    yield {
      type: file.toString('latin1', at + 4, at + 8),
      data: file.subarray(at + 8, at + 8 + size),
    };
    at += size + 12;
  }
}

function header(bytes) {
  const { data } = chunks(bytes).next().value;
  if (data[8] !== 8 || data[9] !== RGB || data[12] !== 0) {
    throw new Error('the stand-in for sharp reads 8-bit RGB PNG files only');
  }
  return { width: data.readUInt32BE(0), height: data.readUInt32BE(4) };
}

function decode(bytes) {
  const { width, height } = header(bytes);
  const parts = [...chunks(bytes)].filter(({ type }) => type === 'IDAT').map(({ data }) => data);
  const lines = inflateSync(Buffer.concat(parts));
  const stride = width * CHANNELS;
  const pixels = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = lines[y * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const left = x < CHANNELS ? 0 : pixels[y * stride + x - CHANNELS];
      const up = y === 0 ? 0 : pixels[(y - 1) * stride + x];
      const corner = x < CHANNELS || y === 0 ? 0 : pixels[(y - 1) * stride + x - CHANNELS];
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
      pixels[y * stride + x] = lines[y * (stride + 1) + 1 + x] + guess;
    }
  }
  return pixels;
}

function paeth(left, up, corner) {
  const guess = left + up - corner;
  const [a, b, c] = [left, up, corner].map((value) => Math.abs(guess - value));
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}

function encode(pixels, { width, height }) {
  const stride = width * CHANNELS;
  const lines = Buffer.alloc((stride + 1) * height);
  for (let y = 0; y < height; y++)
    lines.set(pixels.subarray(y * stride, (y + 1) * stride), y * (stride + 1) + 1);
  const size = Buffer.alloc(13);
  size.writeUInt32BE(width, 0);
  size.writeUInt32BE(height, 4);
  size.set([8, RGB, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', size),
    chunk('IDAT', deflateSync(lines)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(body.length + 8);
  frame.writeUInt32BE(data.length, 0);
  frame.set(body, 4);
  frame.writeUInt32BE(crc32(body), body.length + 4);
  return frame;
}
