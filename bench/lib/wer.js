/**
 * Word error rate: words substituted, left out and put in, over the words of the reference, after both sides were
 * brought to one spelling. The normalisation is stated in docs/benchmarks.md.
 */

const SMALL =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  );
const TENS = '_ _ twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');
const ORDINALS = {
  one: 'first',
  two: 'second',
  three: 'third',
  five: 'fifth',
  eight: 'eighth',
  nine: 'ninth',
  twelve: 'twelfth',
};

const FILLERS = new Set(['um', 'uh', 'ah', 'er', 'hm', 'hmm', 'mm', 'mhm', 'erm']);

/** Different spellings of the same spoken words. Only pairs that sound alike. */
const SAME = {
  mr: 'mister',
  mrs: 'missus',
  mississ: 'missus',
  misses: 'missus',
  ms: 'miss',
  st: 'saint',
  dr: 'doctor',
  ok: 'okay',
  colour: 'color',
  colours: 'colors',
  coloured: 'colored',
  favour: 'favor',
  favourite: 'favorite',
  honour: 'honor',
  honours: 'honors',
  honourable: 'honorable',
  labour: 'labor',
  neighbour: 'neighbor',
  neighbours: 'neighbors',
  harbour: 'harbor',
  behaviour: 'behavior',
  humour: 'humor',
  grey: 'gray',
  centre: 'center',
  theatre: 'theater',
  metre: 'meter',
  metres: 'meters',
  realise: 'realize',
  realised: 'realized',
  recognise: 'recognize',
  recognised: 'recognized',
  organise: 'organize',
  organised: 'organized',
  analyse: 'analyze',
  travelling: 'traveling',
  travelled: 'traveled',
  traveller: 'traveler',
  aluminium: 'aluminum',
  fulfilment: 'fulfillment',
  fulfilments: 'fulfillments',
  defence: 'defense',
  offence: 'offense',
  programme: 'program',
  programmes: 'programs',
  catalogue: 'catalog',
  cheque: 'check',
  plough: 'plow',
  sceptical: 'skeptical',
  splendour: 'splendor',
  vapour: 'vapor',
  vigour: 'vigor',
  rumour: 'rumor',
  savour: 'savor',
  parlour: 'parlor',
  armour: 'armor',
  marvellous: 'marvelous',
  jewellery: 'jewelry',
  waggon: 'wagon',
  connexion: 'connection',
  shew: 'show',
  shewn: 'shown',
  judgement: 'judgment',
  moustache: 'mustache',
  pyjamas: 'pajamas',
  skilful: 'skillful',
  wilful: 'willful',
  ageing: 'aging',
  tyre: 'tire',
  tyres: 'tires',
  licence: 'license',
  practise: 'practice',
  whilst: 'while',
  towards: 'toward',
  axe: 'ax',
  leapt: 'leaped',
  mould: 'mold',
  sombre: 'somber',
  lustre: 'luster',
  spectre: 'specter',
  sceptre: 'scepter',
  fibre: 'fiber',
};

/** Written together or apart. */
const JOINED = {
  'some one': 'someone',
  'any one': 'anyone',
  'every one': 'everyone',
  'to day': 'today',
  'to morrow': 'tomorrow',
  'to night': 'tonight',
  'can not': 'cannot',
  'for ever': 'forever',
  'any thing': 'anything',
  'every thing': 'everything',
  'some thing': 'something',
  'may be': 'maybe',
  'good bye': 'goodbye',
  'all right': 'alright',
  'any body': 'anybody',
  'every body': 'everybody',
  'mean while': 'meanwhile',
};

/** Spoken words of a whole number below a billion. */
export function numberWords(n) {
  if (n < 20) return [SMALL[n]];
  if (n < 100) return [TENS[Math.floor(n / 10)], ...(n % 10 ? [SMALL[n % 10]] : [])];
  if (n < 1000) return [SMALL[Math.floor(n / 100)], 'hundred', ...(n % 100 ? numberWords(n % 100) : [])];
  if (n < 1e6)
    return [...numberWords(Math.floor(n / 1000)), 'thousand', ...(n % 1000 ? numberWords(n % 1000) : [])];
  return [...numberWords(Math.floor(n / 1e6)), 'million', ...(n % 1e6 ? numberWords(n % 1e6) : [])];
}

function ordinalWords(n) {
  const words = numberWords(n);
  const last = words.pop();
  words.push(ORDINALS[last] ?? (last.endsWith('y') ? `${last.slice(0, -1)}ieth` : `${last}th`));
  return words;
}

function digits(token) {
  const ordinal = /^(\d{1,9})(?:st|nd|rd|th)$/.exec(token);
  if (ordinal) return ordinalWords(Number(ordinal[1]));
  if (!/^\d{1,9}$/.test(token)) return [token];
  const n = Number(token);
  // Years are read in pairs, as people do.
  if (token.length === 4 && n >= 1100 && n < 2000 && n % 100 >= 10)
    return [...numberWords(Math.floor(n / 100)), ...numberWords(n % 100)];
  return numberWords(n);
}

/** Text as the list of spoken words that are compared. */
export function spokenWords(text) {
  let plain = text
    .toLowerCase()
    .normalize('NFKC')
    .replace(/[’‘`]/g, "'")
    .replace(/\$(\d[\d,]*)/g, '$1 dollars')
    .replace(/%/g, ' percent ')
    .replace(/&/g, ' and ');
  plain = plain
    .replace(/(\d),(\d{3})/g, '$1$2')
    .replace(/[-–—/]/g, ' ')
    .replace(/[^\p{L}\p{N}' ]/gu, ' ')
    .replace(/(^| )'+|'+( |$)/g, ' ');
  let words = plain
    .split(/\s+/)
    .filter(Boolean)
    .flatMap(digits)
    .filter((word) => !FILLERS.has(word))
    .map((word) => SAME[word] ?? word);
  words = words.filter((word, i) => !(word === 'and' && words[i - 1] === 'hundred'));
  const joined = [];
  for (const word of words) {
    const pair = `${joined.at(-1)} ${word}`;
    if (JOINED[pair]) joined[joined.length - 1] = JOINED[pair];
    else joined.push(word);
  }
  return joined;
}

/** Edit distance between two word lists, and the reference's length. */
export function wordErrors(reference, heard) {
  const a = spokenWords(reference);
  const b = spokenWords(heard);
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return { errors: row[b.length], words: a.length };
}
