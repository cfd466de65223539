/** Words that most guessed passwords are made of. A password of one or two of them, however decorated, is refused. */
export const commonWords: ReadonlySet<string> = new Set(
  `password passwort motdepasse contrasena senha parola wachtwoord salasana haslo admin administrator administrateur root user guest
  login signin welcome bienvenue willkommen bonjour hello salut letmein openme opensesame sesame changeme change secret private default
  qwerty qwertz azerty qwertyuiop azertyuiop asdfgh asdfghjkl qsdfgh qsdfghjklm zxcvbn zxcvbnm wxcvbn qazwsx qweasd poiuytreza
  abcdef abcdefgh alphabet number numbers test testing tester example sample demo temp temporary system server computer internet
  google facebook linkedin microsoft windows apple samsung android iphone amazon youtube twitter instagram whatsapp snapchat netflix
  iloveyou loveyou jetaime teamo lovely love lover amour baby babygirl babyboy angel princess princesse prince queen king kingdom
  monkey dragon tiger lion eagle falcon bear wolf shark panther horse puppy kitty kitten doggy chaton lapin poisson dolphin butterfly
  football soccer baseball basketball hockey tennis rugby golf liverpool arsenal chelsea barcelona realmadrid juventus marseille paris
  london berlin madrid america canada france england germany deutschland espana italia mexico brazil portugal suisse belgique london
  summer winter autumn spring sommer printemps automne hiver january february march april june july august september october november
  december janvier fevrier mars avril juin juillet aout septembre octobre novembre decembre monday tuesday wednesday thursday friday
  saturday sunday lundi mardi mercredi jeudi vendredi samedi dimanche sunshine soleil moonlight starlight rainbow flower flowers
  chocolate chocolat coffee cookie banana orange apple cherry strawberry pepper cheese biscuit pumpkin ginger vanilla sugar honey
  superman batman spiderman ironman pokemon pikachu starwars skywalker matrix gandalf frodo hobbit harrypotter minecraft fortnite
  michael jennifer jessica ashley daniel matthew joshua andrew anthony robert william thomas charlie jordan hunter ranger buster
  nicolas camille marine julien maxime alexandre loulou doudou coucou cheval
  michelle nicole amanda samantha elizabeth stephanie alexander victoria george oliver martin maggie ginger sophie
  master mustang ferrari porsche mercedes corvette yamaha harley jaguar camaro toyota renault peugeot
  trustno blink metallica nirvana slipknot guitar music musique dance dancer player gamer gaming games winner champion
  freedom liberty liberte whatever nothing something forever friends family famille maman papa mother father sister brother
  computer access control security secure securite service support helpdesk office company business enterprise
  shadow ninja killer hacker phantom thunder lightning phoenix diamond silver golden crystal purple yellow
  jesus christ church heaven blessed faith grace genesis`
    .split(/\s+/)
    .filter((word) => word !== ''),
);

/** Rows of keyboards, and what people count in: any stretch of these is no secret. */
export const wellWornPaths: readonly string[] = [
  'abcdefghijklmnopqrstuvwxyz',
  '01234567890123456789',
  'qwertyuiopasdfghjklzxcvbnm',
  'azertyuiopqsdfghjklmwxcvbn',
  'qwertzuiopasdfghjklyxcvbnm',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p',
  'q1w2e3r4t5y6u7i8o9p0',
  '1q2w3e4r5t6y7u8i9o0p',
];
