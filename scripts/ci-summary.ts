/** The closing line of `.ci/run`: `N passed, N failed`, checks counted as one; fails when anything did. */
import { readFileSync } from 'node:fs';

interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numFailedTestSuites: number;
  numPendingTests: number;
}

const [file = '', checkCode = '1', testCode = '1'] = process.argv.slice(2);
const report = readReport(file);
const checkFailed = checkCode === '0' ? 0 : 1;
// A file that cannot be loaded has no failed test, and the run fails all the same.
const unexplained =
  testCode !== '0' && report.numFailedTests === 0 ? Math.max(1, report.numFailedTestSuites) : 0;
const passed = report.numPassedTests + (1 - checkFailed);
const failed = report.numFailedTests + unexplained + checkFailed;
const skipped = report.numPendingTests === 0 ? '' : `, ${String(report.numPendingTests)} skipped`;
console.log(`${String(passed)} passed, ${String(failed)} failed${skipped}`);
process.exitCode = failed === 0 ? 0 : 1;

function readReport(path: string): Report {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Report;
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, numFailedTestSuites: 0, numPendingTests: 0 };
  }
}
