/**
 * `npm run golden -- <folder> [--device cpu|cuda] [--dtype f32|f16|bf16]`: compares this library with the reference
 * values of a folder and exits with 1 when one is beyond its gate.
 */
import { parseArgs } from 'node:util';
import { Device, type DeviceKind } from '../../src/tensor/device.ts';
import type { FloatDType } from '../../src/tensor/dtype.ts';
import { formatComparison, Report } from './report.ts';
import { runGoldenFolder } from './run-folder.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    device: { type: 'string', default: 'cpu' },
    dtype: { type: 'string', default: 'f32' },
  },
});
const [folder] = positionals;
if (folder === undefined) {
  process.stderr.write('usage: npm run golden -- <folder> [--device cpu|cuda] [--dtype f32]\n');
  process.exit(2);
}
const report = new Report();
await using device = Device.open(values.device as DeviceKind);
await runGoldenFolder({ folder, device, dtype: values.dtype as FloatDType, report });
for (const comparison of report.comparisons) {
  process.stdout.write(`${formatComparison(comparison)}\n`);
}
const numFailed = report.failures.length;
process.stdout.write(
  `${report.comparisons.length - numFailed} within their gates, ${numFailed} not\n`,
);
process.exitCode = numFailed === 0 && report.comparisons.length > 0 ? 0 : 1;
