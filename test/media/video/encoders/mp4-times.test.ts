import { expect, test } from 'vitest';
import { clearTimes } from '../../../../src/media/video/encoders/mp4-times.ts';

function box(type: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(parts);
  const header = Buffer.alloc(8);
  header.writeUInt32BE(8 + body.length);
  header.write(type, 4, 'latin1');
  return Buffer.concat([header, body]);
}

/** Version, flags, times of 4 or 8 bytes each and 5 bytes that must stay. */
function timed(type: string, version: 0 | 1, time: number): Uint8Array {
  const times = Buffer.alloc(version === 1 ? 16 : 8, time);
  return box(type, Buffer.from([version, 0, 0, 3]), times, Buffer.from([1, 2, 3, 4, 5]));
}

function movie(version: 0 | 1, time: number, data: Uint8Array): Uint8Array {
  const media = box('mdia', timed('mdhd', version, time), box('hdlr', data));
  const track = box('trak', timed('tkhd', version, time), media);
  return Buffer.concat([
    box('ftyp', Buffer.from('isom')),
    box('moov', timed('mvhd', version, time), track, track),
    box('mdat', data),
  ]);
}

// Pictures that happen to look like a box with times.
const PICTURES = timed('mvhd', 0, 9);

test.each([0, 1] as const)('times of version %i become 0 and nothing else changes', (version) => {
  const file = movie(version, 0x7b, PICTURES);
  clearTimes(file);
  expect(file).toEqual(movie(version, 0, PICTURES));
});

test('a box of 64-bit size and one to the end of the file are stepped over', () => {
  const wide = Buffer.concat([
    Buffer.from([0, 0, 0, 1]),
    Buffer.from('mdat'),
    Buffer.alloc(8),
    PICTURES,
  ]);
  wide.writeBigUInt64BE(BigInt(wide.length), 8);
  const rest = Buffer.concat([Buffer.alloc(4), Buffer.from('mdat'), PICTURES]);
  const fileAt = (time: number): Uint8Array =>
    Buffer.concat([wide, box('moov', timed('mvhd', 0, time)), rest]);
  const file = fileAt(7);
  clearTimes(file);
  expect(file).toEqual(fileAt(0));
});
