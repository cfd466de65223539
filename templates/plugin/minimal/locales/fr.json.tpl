{
  "name": "__name__",
  "description": "Une page qui salue ceux qui l’ouvrent.",
  "menu": "__name__",
  "greeting": "Bonjour, {{name}}."
}
