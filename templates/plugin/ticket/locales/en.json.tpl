{
  "name": "__name__",
  "description": "Keeps passwords out of tickets.",
  "hint.title": "No secrets here",
  "hint.text": "Tickets are refused that seem to hold one of these: {{words}}.",
  "settings.title": "__name__",
  "settings.words": "Words before a colon that give a secret away, separated by commas",
  "errors.__id__.secret": "Please leave out what follows “{{word}}:”. Nobody here needs it."
}
