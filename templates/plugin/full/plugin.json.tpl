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
  "tablePrefix": "__prefix__",
  "permissions": { "db": ["own"] },
  "rights": [{ "id": "__id__.write", "suggest": ["technician"] }],
  "settings": [{ "name": "keepDays", "type": "number", "default": 30, "min": 1, "max": 365 }],
  "menus": [{ "at": "main", "label": "menu", "icon": "message", "path": "/p/__id__", "right": "__id__.write" }],
  "jobs": [{ "id": "forget", "everyMs": 3600000 }],
  "hooks": { "uses": ["ticket.created"] }
}
