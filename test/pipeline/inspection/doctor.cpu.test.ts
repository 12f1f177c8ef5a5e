import { describe, expect, it, test, vi } from 'vitest';
import { examine, examineMachine } from '../../../src/pipeline/inspection/doctor.ts';

describe('examineMachine', { timeout: 60_000 }, () => {
  it('looks at everything a run needs and advises where something is missing', async () => {
    const findings = await examineMachine();
    expect(findings.map(({ subject }) => subject)).toEqual([
      'node',
      'cpu',
      'cuda',
      'memory',
      'temporary',
      'video',
    ]);
    expect(findings.find(({ subject }) => subject === 'cpu')).toMatchObject({
      status: 'ok',
      detail: expect.stringMatching(/isa \w+, threads \d+/),
    });
    for (const { status, advice } of findings) expect(status === 'ok').toBe(advice === undefined);
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
