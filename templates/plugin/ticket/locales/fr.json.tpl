{
  "name": "__name__",
  "description": "Tient les mots de passe hors des tickets.",
  "hint.title": "Pas de secrets ici",
  "hint.text": "Les tickets qui semblent en contenir un sont refusés : {{words}}.",
  "settings.title": "__name__",
  "settings.words": "Mots devant un deux-points qui trahissent un secret, séparés par des virgules",
  "errors.__id__.secret": "Veuillez retirer ce qui suit « {{word}}: ». Personne ici n’en a besoin."
}
