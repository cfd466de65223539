{
  "name": "__name__",
  "description": "A board for notes, on which new tickets appear by themselves.",
  "menu": "Notes",
  "note": "Your note",
  "say": "Leave it",
  "said": "Thank you.",
  "empty": "Nobody has left a note yet.",
  "rights.__id__.write": "Leave notes",
  "settings.title": "__name__",
  "settings.keepDays": "Days until a note is forgotten"
}
