{
  "$schema": "./node_modules/latchkey/docs/plugin.schema.json",
  "manifest": 1,
  "id": "__id__",
  "name": "t:name",
  "description": "t:description",
  "version": "0.1.0",
  "publisher": "you",
  "license": "MIT",
  "engines": { "latchkey": ">=__version__ <1.0.0" },
  "main": "src/index.ts",
  "slots": ["ticket.sidebar"],
  "settings": [{ "name": "words", "type": "string", "default": "password" }],
  "hooks": { "uses": ["ticket.may-create"] }
}
