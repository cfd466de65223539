{
  "compilerOptions": {
    "target": "es2024",
    "lib": ["es2024", "esnext.iterator", "esnext.disposable"],
    "module": "preserve",
    "noEmit": true,
    "strict": true,
    "noUncheckedIndexedAccess": true,
    "exactOptionalPropertyTypes": true,
    "erasableSyntaxOnly": true,
    "verbatimModuleSyntax": true,
    "allowImportingTsExtensions": true,
    "resolveJsonModule": true,
    "skipLibCheck": true,
    "typeRoots": ["./node_modules/latchkey/node_modules/@types"],
    "types": ["node"],
    "paths": {
      "latchkey/*": ["./node_modules/latchkey/src/*.ts", "./node_modules/latchkey/src/*/index.ts"],
      "vitest": ["./node_modules/latchkey/node_modules/vitest"]
    }
  },
  "include": ["src", "migrations", "test"]
}
