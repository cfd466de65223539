{
  "name": "__name__",
  "description": "Un tableau de notes où les nouveaux tickets apparaissent d’eux-mêmes.",
  "menu": "Notes",
  "note": "Votre note",
  "say": "La laisser",
  "said": "Merci.",
  "empty": "Personne n’a encore laissé de note.",
  "rights.__id__.write": "Laisser des notes",
  "settings.title": "__name__",
  "settings.keepDays": "Jours avant qu’une note soit oubliée"
}
