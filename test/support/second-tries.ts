import type { Reporter, TestCase } from 'vitest/node';

/** Names, at the end of a run, the tests that passed at their second try only: each is a fault of the product or of its test. */
export default class SecondTries implements Reporter {
  readonly #names: string[] = [];

  onTestCaseResult(test: TestCase): void {
    if (test.diagnostic()?.flaky !== true) return;
    this.#names.push(`${test.module.relativeModuleId} > ${test.fullName}`);
    for (const { message } of test.result().errors ?? []) this.#names.push(`  ${message}`);
  }

  onTestRunEnd(): void {
    if (this.#names.length === 0) return;
    console.log(`\nPassed at the second try only, and to be looked into:\n${this.#names.join('\n')}`);
  }
}
