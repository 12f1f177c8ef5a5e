import { expect, test } from 'vitest';
import { examineMachine } from '../../../src/pipeline/inspection/doctor.ts';

test('framepack doctor describes the virtual GPU', async () => {
  const findings = await examineMachine();
  expect(findings.find(({ subject }) => subject === 'cuda')).toEqual({
    subject: 'cuda',
    status: 'ok',
    detail: 'name CUDA simulator, architecture sm_86, driver CUDA 13.0, diagnostics 0',
  });
});
