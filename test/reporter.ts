import type { Reporter, SerializedError, TestModule, TestResult } from 'vitest/node';
import { tierObstacle } from './tiers.ts';

/**
 * Ends a run with one plain line, `N passed, N failed, N skipped`, and above it why anything was skipped.
 * A file that does not load, an error outside any test and a run without tests are failures. The line is
 * written at exit because the runner still prints after its last reporter.
 */
export default class CountReporter implements Reporter {
  onTestRunEnd(
    modules: readonly TestModule[],
    unhandledErrors: readonly SerializedError[] = [],
  ): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    const reasons = new Map<string, number>();
    for (const module of modules) {
      count.failed += countBrokenSuites(module);
      for (const test of module.children.allTests()) {
        const { state, reason } = outcome(module, test.result());
        count[state] += 1;
        if (reason) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      }
    }
    if (count.passed + count.failed + count.skipped === 0) {
      count.failed = 1;
      process.stdout.write('no test was found\n');
    }
    if (count.failed > 0) process.exitCode = 1;
    for (const [reason, tests] of reasons) process.stdout.write(`skipped ${tests}: ${reason}\n`);
    const { passed, failed, skipped } = count;
    const closing = `${passed} passed, ${failed} failed, ${skipped} skipped\n`;
    process.once('exit', () => process.stdout.write(closing));
  }
}

/** A test that never ran is a failure, unless its whole tier cannot run here. */
function outcome(
  module: TestModule,
  result: TestResult,
): { state: 'passed' | 'failed' | 'skipped'; reason?: string } {
  if (result.state === 'passed' || result.state === 'failed') return { state: result.state };
  const obstacle = tierObstacle(module.project.name);
  if (obstacle) return { state: 'skipped', reason: `${module.project.name} tier: ${obstacle}` };
  if (result.state === 'pending') return { state: 'failed' };
  return { state: 'skipped', reason: result.note ?? 'no reason given' };
}

/** Load errors and failed hooks; the tests below them are reported as skipped by the runner. */
function countBrokenSuites(module: TestModule): number {
  let broken = module.errors().length > 0 ? 1 : 0;
  for (const suite of module.children.allSuites()) broken += suite.errors().length > 0 ? 1 : 0;
  return broken;
}
