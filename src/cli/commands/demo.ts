import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { freeName } from '../free-name.ts';
import { quietOption } from '../options.ts';
import { reporterFor } from '../progress.ts';
import { runGenerate } from './generate.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Seconds of the demo: four sections. */
const DEMO_SECONDS = 4.8;

/** `framepack demo`: the tiny checkpoint of the repository on one of its pictures. */
export function addDemoCommand(program: Command): void {
  program
    .command('demo')
    .description('generate a short video with the small model of the repository')
    .addOption(quietOption())
    .action(async ({ quiet }: { quiet?: boolean }) => {
      const folder = join(ROOT, 'out');
      mkdirSync(folder, { recursive: true });
      const request = {
        model: join(ROOT, 'models', 'tiny-framepack'),
        image: join(ROOT, 'assets', 'picture-1.png'),
        prompt: 'A yellow ring grows and shrinks over a snowy field.',
        seconds: DEMO_SECONDS,
        out: freeName(folder, 'demo'),
      };
      if (!quiet) console.error(`"${request.prompt}"`);
      await runGenerate(request, reporterFor({ quiet }));
    });
}
