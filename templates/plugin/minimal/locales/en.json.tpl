{
  "name": "__name__",
  "description": "A page that greets whoever opens it.",
  "menu": "__name__",
  "greeting": "Hello, {{name}}."
}
