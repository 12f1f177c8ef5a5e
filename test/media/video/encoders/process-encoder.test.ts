import { expect, test } from 'vitest';
import { ProcessEncoder } from '../../../../src/media/video/encoders/process-encoder.ts';
import { gradientFrame } from '../../sample-media.ts';

const settings = { width: 96, height: 64, fps: 12, quality: 16 };
const frame = gradientFrame(96, 64, 0);

/** An encoder that is a script of the shell. */
function script(text: string): ProcessEncoder {
  return new ProcessEncoder(['/bin/sh', '-c', text], 'script', settings);
}

test('hands over every byte of every frame', async () => {
  const encoder = script(`test $(wc -c) = ${3 * 96 * 64 * 1.5}`);
  for (let t = 0; t < 3; t++) await encoder.encode(frame);
  await encoder.finish();
});

test('tells the message of a program that fails, and waits for no program that reads nothing', async () => {
  const encoder = script('echo what went wrong >&2; exit 3');
  const encode = async (): Promise<void> => {
    for (let t = 0; t < 1000; t++) await encoder.encode(frame);
    await encoder.finish();
  };
  await expect(encode()).rejects.toMatchObject({
    code: 'ERR_OUTPUT',
    message: 'script: video expected to be encoded, got exit status 3: what went wrong',
  });
});

test('a program that ends well on a full disk did not', async () => {
  const encoder = script('cat >/dev/null; echo av_write: No space left on device >&2');
  await encoder.encode(frame);
  await expect(encoder.finish()).rejects.toMatchObject({
    code: 'ERR_OUTPUT',
    message: expect.stringContaining('No space left'),
  });
});

test('a program that is not there is told', async () => {
  const encoder = new ProcessEncoder(['/no/such/program'], 'script', settings);
  await expect(encoder.finish()).rejects.toMatchObject({
    code: 'ERR_OUTPUT',
    message: expect.stringContaining('cannot be started'),
  });
});

test('is ended by abort', async () => {
  const encoder = script('sleep 60');
  await encoder.encode(frame);
  await encoder.abort();
  await expect(encoder.encode(frame)).rejects.toMatchObject({
    message: expect.stringContaining('SIGKILL'),
  });
});
