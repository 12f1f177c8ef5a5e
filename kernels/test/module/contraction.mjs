// Looks for roundings that exist in the PTX and not in the machine code: ptxas, and the driver that compiles PTX, may turn
// a multiply and an add without rounding modifiers into one fused instruction. Then the virtual driver has run something
// else than what ships, and sums that count on the rounding of a product are wrong in their last bits. A kernel says what
// it means: `fmaf`, or `__fmul_rn`, which is never fused.
//
//   node kernels/test/module/contraction.mjs <framepack.fatbin>
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { imagesOf, machineCode, ptxBodies } from './fatbin.mjs';

const INSTRUCTION = /^\s*(?:@!?%p\d+\s+)?([a-z][\w.]*)\s+(%\w+), ?([^;]*);/gm;
const PRODUCT = /^mul\.(ftz\.)?f32$/;
const SUM = /^(add|sub)\.(ftz\.)?f32$/;
/** PTX that becomes fused multiply-adds by its meaning: quotients and roots are refined with them. */
const MADE_OF_FUSED = /\b(fma|div|sqrt|rcp)\.\w+(\.\w+)*\.?f32\b|\b(fma|div|sqrt|rcp)\.rn\.f64\b/;

/**
 * Sums of one kernel's PTX of which a product is a part that may be fused. A register that several branches write is
 * none: its value may also be something else.
 */
export function fusibleSums(body) {
  const definitions = new Map();
  const instructions = [...body.matchAll(INSTRUCTION)];
  for (const [, operation, result] of instructions) {
    definitions.set(result, [...(definitions.get(result) ?? []), operation]);
  }
  const isProduct = (register) => {
    const [operation, ...others] = definitions.get(register) ?? [];
    return operation !== undefined && others.length === 0 && PRODUCT.test(operation);
  };
  return instructions
    .filter(([, operation, , terms]) => SUM.test(operation) && terms.split(/, ?/).some(isProduct))
    .map(([text]) => text.trim());
}

/** How many instructions of machine code are FFMA, of 16 bytes each: 0x23 below the bits that tell where operands lie. */
export function numFused(code) {
  let count = 0;
  for (let at = 0; at < code.length; at += 16) {
    if ((code.readUInt16LE(at) & 0x1ff) === 0x23) count++;
  }
  return count;
}

/** Everything of a module that is fused, or could be, without its source saying so. */
export function contractionFaults(images) {
  const ptx = images.find(({ name }) => name === 'ptx').payload.toString('latin1');
  const faults = [];
  const bodies = ptxBodies(ptx);
  if (bodies.size === 0) faults.push('the module has no PTX of kernels');
  for (const [kernel, body] of bodies) {
    const sums = fusibleSums(body);
    if (sums.length > 0) faults.push(`${kernel}: ${sums.length} sums such as "${sums[0]}"`);
  }
  for (const { name, payload } of images.filter((image) => image.name !== 'ptx')) {
    for (const [kernel, code] of machineCode(payload)) {
      const count = MADE_OF_FUSED.test(bodies.get(kernel)) ? 0 : numFused(code);
      if (count > 0) faults.push(`${kernel} on ${name}: ${count} FFMA, none in its PTX`);
    }
  }
  return faults;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const fault of contractionFaults(imagesOf(readFileSync(process.argv[2])))) {
    console.error(fault);
    process.exitCode = 1;
  }
}
