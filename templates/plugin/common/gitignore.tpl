node_modules/
.latchkey/
*.tgz
*.key
