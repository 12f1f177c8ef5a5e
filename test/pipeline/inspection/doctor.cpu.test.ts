import { existsSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, test, vi } from 'vitest';
import { examine, examineMachine } from '../../../src/pipeline/inspection/doctor.ts';
import { TINY_MODEL } from '../../models/tiny-framepack.ts';

describe('examineMachine', { timeout: 60_000 }, () => {
  it('looks at everything a run needs and advises where something is missing', async () => {
    const findings = await examineMachine();
    expect(findings.map(({ subject }) => subject)).toEqual([
      'node',
      'cpu',
      'cuda',
      'memory',
      'disk',
      'cache',
      'temporary',
      'pictures',
      'video',
    ]);
    expect(findings.find(({ subject }) => subject === 'cpu')).toMatchObject({
      status: 'ok',
      detail: expect.stringMatching(/isa \w+, threads \d+/),
    });
    expect(findings.find(({ subject }) => subject === 'memory')).toMatchObject({
      status: 'ok',
      detail: expect.stringMatching(/^[\d.]+ of [\d.]+ GiB available, .* commit.*, \d+ cores$/),
    });
    for (const { status, advice } of findings) expect(status === 'ok').toBe(advice === undefined);
  });
});

describe('a cache of its own', { timeout: 60_000 }, () => {
  beforeEach(() => vi.stubEnv('HF_HUB_CACHE', '/nowhere/hub'));
  afterEach(() => vi.unstubAllEnvs());

  it('says what is not there, and makes nothing', async () => {
    const findings = await examineMachine();
    expect(findings.find(({ subject }) => subject === 'cache')).toMatchObject({
      status: 'missing',
      detail: expect.stringMatching(/FramePackI2V_HY lacks 39\.\d GiB; .*_F1_.* lacks 39\.\d GiB/),
      advice: 'framepack pull lllyasviel/FramePackI2V_HY',
    });
    expect(findings.find(({ subject }) => subject === 'disk')).toMatchObject({
      detail: expect.stringMatching(/^[\d.]+ GiB free for \/nowhere\/hub$/),
    });
    expect(existsSync('/nowhere')).toBe(false);
  });
});

describe('a model', { timeout: 60_000 }, () => {
  it('is told the GPU memory that it needs', async () => {
    const findings = await examineMachine({ model: TINY_MODEL });
    expect(findings.at(-1)).toEqual({
      subject: 'model',
      status: 'ok',
      detail: `${TINY_MODEL} needs the tier 6 GB: 0.1 GiB with tiling temporal`,
    });
  });

  it('that is none is a finding', async () => {
    const findings = await examineMachine({ model: '/nowhere' });
    expect(findings.at(-1)).toMatchObject({
      subject: 'model',
      status: 'broken',
      detail: expect.stringContaining('/nowhere'),
      advice: expect.stringContaining('framepack inspect'),
    });
  });
});

test('a temporary folder that is missing is one finding among the others', async () => {
  vi.stubEnv('TMPDIR', '/dev/null/none');
  const findings = await examineMachine();
  vi.unstubAllEnvs();
  expect(findings.find(({ subject }) => subject === 'temporary')).toMatchObject({
    status: 'missing',
    detail: expect.stringContaining('ENOTDIR'),
    advice: expect.stringContaining('TMPDIR'),
  });
  expect(findings.filter(({ status }) => status === 'broken')).toEqual([]);
}, 60_000);

test('a probe that fails is a finding, and the others go on', async () => {
  const fine = { subject: 'b', status: 'ok', detail: '' } as const;
  const findings = await examine([
    [
      'a',
      () => {
        throw new Error('what went wrong');
      },
    ],
    ['b', async () => fine],
  ]);
  expect(findings).toEqual([
    { subject: 'a', status: 'broken', detail: 'what went wrong', advice: expect.any(String) },
    fine,
  ]);
});
