import type { RunnerTask, RunnerTestFile } from 'vitest';
import { TestRunner } from 'vitest';
import { tierObstacle } from './tiers.ts';

/**
 * Collects the tests of a tier this machine cannot run and skips every one of them, hooks included, so
 * that they are counted and explained instead of silently left out.
 */
export default class TierRunner extends TestRunner {
  onCollected(files: RunnerTestFile[]): void {
    if (tierObstacle(this.config.name) !== undefined) files.forEach(skipAll);
  }
}

function skipAll(task: RunnerTask): void {
  task.mode = 'skip';
  if (task.type === 'suite') task.tasks.forEach(skipAll);
}
