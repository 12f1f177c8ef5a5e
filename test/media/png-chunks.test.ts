import { deflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { encodePng } from '../../src/media/png.ts';
import {
  chunk,
  chunksOf,
  isPng,
  textChunk,
  textOf,
  withChunk,
} from '../../src/media/png-chunks.ts';
import { patternImage, pngChunk } from './sample-media.ts';

test('a chunk goes behind the header, framed as the standard wants it', async () => {
  const png = Buffer.from(await encodePng(patternImage(4, 4)));
  const added = withChunk(png, textChunk('Comment', '\u00e9'));
  expect(isPng(added)).toBe(true);
  const [header, second] = [...chunksOf(added)];
  expect(header!.type).toBe('IHDR');
  expect(textOf(second!)).toEqual({ keyword: 'Comment', text: '\u00e9' });
  const content = Buffer.from('abc');
  expect(chunk('tEXt', content)).toEqual(pngChunk('tEXt', content));
});

test('compressed text that is broken or huge is no text', () => {
  const part = (body: Buffer) => ({
    type: 'zTXt',
    content: Buffer.concat([Buffer.from('K\0\0', 'latin1'), body]),
    end: 0,
  });
  expect(textOf(part(deflateSync('text')))).toEqual({ keyword: 'K', text: 'text' });
  expect(textOf(part(Buffer.from('broken')))).toBeUndefined();
  expect(textOf(part(deflateSync(Buffer.alloc(2 ** 21))))).toBeUndefined();
});
