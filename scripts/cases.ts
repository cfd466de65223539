/** Writes docs/registration-keys/cases.md: which test holds which case of the reference. `npm run cases` */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mapOfCases } from '../test/support/cases.ts';

const ROOT = join(import.meta.dirname, '..');

writeFileSync(join(ROOT, 'docs/registration-keys/cases.md'), mapOfCases(ROOT));
