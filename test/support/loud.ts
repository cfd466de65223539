const WIDTH = 76;

/** Nobody should believe that something was tested which was not: a box that cannot be overlooked, or a failure. */
export function missing(what: string, remedy: string): void {
  if (process.env['LATCHKEY_TEST_REQUIRE'] === 'all') throw new Error(`${what} ${remedy}`);
  const rule = '═'.repeat(WIDTH);
  const lines = [what, remedy].map((line) => `║ ${line.padEnd(WIDTH - 2)} ║`);
  process.stderr.write(['', `╔${rule}╗`, ...lines, `╚${rule}╝`, ''].join('\n'));
}
