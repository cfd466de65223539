import type { Config } from 'prettier';

export default { printWidth: 110, singleQuote: true, trailingComma: 'all' } satisfies Config;
