import {
  defineConfig,
  type TestProjectInlineConfiguration,
  type ViteUserConfig,
} from 'vitest/config';
import { NO_DRIVER, type Tier, VIRTUAL_DRIVER } from './test/tiers.ts';

const SECOND = 1000;

/** One project per tier; the tier is the middle part of the file name. */
function tier(name: Tier, timeoutMs: number, env: Record<string, string> = {}) {
  const isUnit = name === 'unit';
  return {
    test: {
      name,
      include: [isUnit ? 'test/**/*.test.ts' : `test/**/*.${name}.test.ts`],
      exclude: isUnit ? ['test/**/*.{cpu,sim,gpu}.test.ts'] : [],
      runner: './test/tier-runner.ts',
      testTimeout: timeoutMs,
      hookTimeout: timeoutMs,
      env,
    },
  } satisfies TestProjectInlineConfiguration;
}

const config: ViteUserConfig = defineConfig({
  test: {
    reporters: ['default', './test/reporter.ts'],
    projects: [
      tier('unit', 10 * SECOND),
      tier('cpu', 60 * SECOND, { FRAMEPACK_CUDA_DRIVER: NO_DRIVER }),
      tier('sim', 300 * SECOND, { FRAMEPACK_CUDA_DRIVER: VIRTUAL_DRIVER }),
      tier('gpu', 120 * SECOND),
    ],
  },
});

export default config;
