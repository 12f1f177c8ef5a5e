import { Command, CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import {
  checkRequired,
  modelOption,
  option,
  parseBytes,
  parseDevice,
  parseInteger,
  parseLora,
  parseNumber,
  parseSeed,
  parseStepCache,
  quietOption,
  requiredOption,
} from '../../src/cli/options.ts';

describe('option readers', () => {
  it('read numbers strictly', () => {
    expect(parseNumber('1.5')).toBe(1.5);
    expect(parseInteger('-3')).toBe(-3);
    for (const text of ['', ' ', 'x', '1x', 'NaN', 'Infinity']) {
      expect(() => parseNumber(text)).toThrow('expected a number');
    }
    for (const text of ['1.5', '1e300']) expect(() => parseInteger(text)).toThrow('whole');
  });

  it('read seeds exactly', () => {
    expect(parseSeed('7')).toBe(7);
    expect(parseSeed('-1')).toBe(-1);
    expect(parseSeed('18446744073709551615')).toBe(2n ** 64n - 1n);
    expect(parseSeed('random')).toBe('random');
    for (const text of ['', '1.5', '1e3', 'seven']) expect(() => parseSeed(text)).toThrow('whole');
  });

  it.each([
    ['1024', 1024],
    ['6GiB', 6 * 2 ** 30],
    ['512MB', 512e6],
    ['1.5 KiB', 1536],
    ['8B', 8],
  ])('read %s as %d bytes', (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  it.each(['', '-1', '6 apples', '6iB', '1e3'])('refuse %j as bytes', (text) => {
    expect(() => parseBytes(text)).toThrow('expected bytes');
  });
});

describe('parseDevice', () => {
  it.each([
    ['auto', 'auto'],
    ['cpu', 'cpu'],
    ['cuda', 'cuda'],
    ['cuda:1', 'cuda:1'],
    ['2', 2],
  ])('reads %s', (text, choice) => {
    expect(parseDevice(text)).toBe(choice);
  });

  it.each(['', 'gpu', 'meta', 'cuda:', 'cuda:x', 'cpu:0', '-1', '1.5'])('refuses %j', (text) => {
    expect(() => parseDevice(text)).toThrow('expected auto, cpu, cuda');
  });
});

describe('parseStepCache', () => {
  it.each([
    ['tea', 'tea', undefined],
    ['0.15', undefined, 0.15],
    ['mag:0.24', 'mag', 0.24],
    ['first-block:0', 'first-block', 0],
  ])('reads %s', (text, kind, threshold) => {
    expect(parseStepCache(text)).toEqual({ kind, threshold });
  });

  it.each(['', 'teo', 'tea:', 'tea:x', '0.1.5', '-1'])('refuses %j', (text) => {
    expect(() => parseStepCache(text)).toThrow('expected');
  });
});

describe('options', () => {
  it('say their default, have choices, and read their text', () => {
    const made = option('--n <number>', 'how many', { default: 'all', parse: parseInteger });
    expect(made).toMatchObject({ description: 'how many (default: all)', long: '--n' });
    expect(made.defaultValue).toBeUndefined();
    expect(made.parseArg?.('3', undefined)).toBe(3);
    expect(option('--c <kind>', 'kind', { choices: ['a', 'b'] }).argChoices).toEqual(['a', 'b']);
    expect(option('--flag', 'a switch').description).toBe('a switch');
    expect(quietOption().long).toBe('--quiet');
  });

  it('that are required are asked for', () => {
    const command = new Command('c').exitOverride().configureOutput({ outputError: () => {} });
    command.addOption(requiredOption('--model <folder>', 'model')).option('--other <x>', 'other');
    expect(command.options[0]?.description).toBe('model (required)');
    expect(() => checkRequired(command)).toThrow(CommanderError);
    expect(() => checkRequired(command)).toThrow("required option '--model <folder>'");
    command.setOptionValue('model', 'm');
    expect(() => checkRequired(command)).not.toThrow();
  });

  it('that are required may have a substitute', () => {
    const command = new Command('c').exitOverride().configureOutput({ outputError: () => {} });
    command.addOption(modelOption('transformer')).option('--transformer <path>', 'other');
    expect(command.options[0]?.description).toMatch(/\(required unless --transformer is given\)$/);
    expect(() => checkRequired(command)).toThrow("required option '--model <path>'");
    command.setOptionValue('transformer', 't');
    expect(() => checkRequired(command)).not.toThrow();
  });
});

describe('parseLora', () => {
  it.each([
    ['a.safetensors', 'a.safetensors', undefined],
    ['a.safetensors:0.8', 'a.safetensors', 0.8],
    ['dir:1/a.safetensors:-1', 'dir:1/a.safetensors', -1],
    ['C:\\a.safetensors', 'C:\\a.safetensors', undefined],
    ['C:\\a.safetensors:0', 'C:\\a.safetensors', 0],
    ['adapter:2', 'adapter', 2],
  ])('reads %s', (text, file, scale) => {
    expect(parseLora(text)).toEqual(scale === undefined ? { file } : { file, scale });
  });

  it.each(['a.safetensors:', 'a.safetensors:much'])('refuses %s', (text) => {
    expect(() => parseLora(text)).toThrow('expected a number');
  });

  it('gathers what is given several times', () => {
    const command = new Command().addOption(
      option('--lora <file>', 'x', { parse: parseLora, repeats: true }),
    );
    command.parse(['--lora', 'a.safetensors', '--lora', 'b.safetensors:2'], { from: 'user' });
    const expected = [{ file: 'a.safetensors' }, { file: 'b.safetensors', scale: 2 }];
    expect(command.opts()).toEqual({ lora: expected });
  });
});
