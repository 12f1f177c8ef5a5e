import { describe, expect, it } from 'vitest';
import {
  warnOfCut,
  warnOfInactiveInputs,
  warnOfLeftOver,
  warnOfLora,
  warnOfMemory,
  warnOfPictures,
  warnOfSchedule,
} from '../../../src/pipeline/checks/warnings.ts';
import { ModelFolder } from '../../../src/weights/model-folder.ts';
import { TINY_MODEL } from '../../models/tiny-framepack.ts';

const MINIMAL = { model: 'folder', prompt: 'A ball.' };

/** What is warned of, as `code: message`. */
function warnings(
  use: (reporter: { warn: (code: string, text: string) => void }) => void,
): string[] {
  const found: string[] = [];
  use({ warn: (code, text) => found.push(`${code}: ${text}`) });
  return found;
}

describe('warnOfInactiveInputs', () => {
  it.each([
    [{ negativePrompt: 'blur' }, 1, ['negativePrompt has no effect: it needs cfg above 1']],
    [{ guidanceRescale: 0.5 }, 1, ['guidanceRescale has no effect: it needs cfg above 1']],
    [{ negativePrompt: 'blur', guidanceRescale: 0.5 }, 2, []],
    [{ negativePrompt: '', guidanceRescale: 0 }, 1, []],
    [{ crf: 20, encoder: 'libx264' }, 1, [/^crf .* out$/, /^encoder .* out$/]],
    [{ crf: 20, out: 'a.mp4' }, 1, []],
  ] as const)('%j at cfg %d', (change, cfg, expected) => {
    const found = warnings((reporter) =>
      warnOfInactiveInputs(reporter, { ...MINIMAL, ...change }, { cfg }),
    );
    expect(found).toEqual(
      expected.map((text) =>
        typeof text === 'string' ? `WARN_INACTIVE_INPUT: ${text}` : expect.stringContaining('out'),
      ),
    );
  });
});

describe('warnOfMemory', () => {
  it('names both budgets', () => {
    const found = warnings((reporter) => warnOfMemory(reporter, 6 * 2 ** 30, 5.5 * 2 ** 30));
    expect(found).toEqual([expect.stringMatching(/6144 MiB were planned: .* with 5632 MiB$/)]);
  });
});

describe('the other warnings', () => {
  it('name what is cut, missing or left over', () => {
    const found = warnings((reporter) => {
      warnOfCut(reporter, 0, { encoder: 'CLIP', numTokens: 77 });
      warnOfCut(reporter, 1, { encoder: 'Llama', numTokens: 256 });
      warnOfPictures(reporter);
      warnOfLeftOver(reporter, 'vae', { leftOver: [] });
      warnOfLeftOver(reporter, 'vae', { leftOver: ['a', 'b', 'c', 'd', 'e', 'f'] });
    });
    expect(found).toEqual([
      'WARN_PROMPT_CUT: prompt is cut: CLIP reads its first 77 tokens',
      'WARN_PROMPT_CUT: negativePrompt is cut: Llama reads its first 256 tokens',
      expect.stringMatching(/^WARN_PNG_FRAMES: .*ffmpeg/),
      'WARN_UNUSED_TENSORS: vae holds tensors that nothing reads: a, b, c, d and 2 more',
    ]);
  });
});

describe('warnOfSchedule', () => {
  it('names a schedule that the weights do not know', async () => {
    const { info } = await ModelFolder.open(TINY_MODEL);
    const warned = (schedule: string) =>
      warnings((reporter) => warnOfSchedule(reporter, { mode: 'f1', schedule }, info));
    expect(warned('f1k1_td_f16k4f2k2f1k1_g9')).toEqual([]);
    expect(warned('f1k1_g9')).toEqual([
      expect.stringMatching(
        /^WARN_UNTRAINED_SCHEDULE: .* schedule f1k1_g9: the video may be worse$/,
      ),
    ]);
  });
});

describe('warnOfLora', () => {
  it('names what does not fit, and says nothing when all does', () => {
    const found = warnings((reporter) => {
      warnOfLora(reporter, { file: 'a', numMatched: 2, unmatched: [] });
      warnOfLora(reporter, { file: 'b', numMatched: 2, unmatched: ['u', 'v', 'w', 'x', 'y'] });
    });
    const names = 'u, v, w, x and 1 more';
    expect(found).toEqual([
      `WARN_LORA_KEYS: lora b: 2 tensors fit the transformer, 5 do not: ${names}`,
    ]);
  });
});
