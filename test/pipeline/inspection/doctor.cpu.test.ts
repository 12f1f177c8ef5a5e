import { describe, expect, it } from 'vitest';
import { examineMachine } from '../../../src/pipeline/inspection/doctor.ts';

describe('examineMachine', { timeout: 60_000 }, () => {
  it('looks at everything a run needs and advises where something is missing', async () => {
    const findings = await examineMachine();
    expect(findings.map(({ subject }) => subject)).toEqual([
      'node',
      'cpu',
      'cuda',
      'memory',
      'video',
    ]);
    expect(findings.find(({ subject }) => subject === 'cpu')).toMatchObject({
      status: 'ok',
      detail: expect.stringMatching(/isa \w+, threads \d+/),
    });
    for (const { status, advice } of findings) expect(status === 'ok').toBe(advice === undefined);
  });
});
