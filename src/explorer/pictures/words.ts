const en = {
  showAs: 'Show as',
  views: { table: 'Table', week: 'Week', days: 'Days', months: 'Months' },

  /** The calendar. */
  period: 'Period',
  today: 'Today',
  wholeWeek: 'Whole week',
  allDay: 'all day',
  from: (time: string) => `from ${time}`,
  until: (time: string) => `until ${time}`,
  nothingHere: 'There is nothing in this period. Choose another one, or show all of them as a table.',
  drawn: (drawn: number, total: number, limited: boolean) =>
    `Only ${drawn} of ${limited ? 'more than ' : ''}${total.toLocaleString('en')} rows are drawn.`,
  asTable: 'All of them as a table',

  /** Sums. */
  day: 'Day',
  month: 'Month',
  rows: 'Rows',
  sum: 'Sum',
  total: 'Total so far',
  totalsOf: (amount: string, date: string) => `“${amount}”, added up by “${date}”`,
  sumsOf: (amount: string, date: string) => `“${amount}” by month of “${date}”`,
  extremes: (least: string, most: string) => `From ${least} to ${most}.`,
  noCurrency: 'without a currency',
  noDate: (date: string) => `without “${date}”`,
  cut: 'Only the latest sums are shown. Totals include the earlier rows.',
  earlier: 'Earlier',
}

type Words = typeof en

const nl: Words = {
  showAs: 'Weergave',
  views: { table: 'Tabel', week: 'Week', days: 'Dagen', months: 'Maanden' },

  period: 'Periode',
  today: 'Vandaag',
  wholeWeek: 'Hele week',
  allDay: 'hele dag',
  from: (time) => `vanaf ${time}`,
  until: (time) => `tot ${time}`,
  nothingHere: 'In deze periode is er niets. Kies een andere, of toon alles als tabel.',
  drawn: (drawn, total, limited) =>
    `Slechts ${drawn} van ${limited ? 'meer dan ' : ''}${total.toLocaleString('nl')} rijen zijn getekend.`,
  asTable: 'Allemaal als tabel',

  day: 'Dag',
  month: 'Maand',
  rows: 'Rijen',
  sum: 'Som',
  total: 'Totaal tot dan',
  totalsOf: (amount, date) => `“${amount}”, opgeteld op “${date}”`,
  sumsOf: (amount, date) => `“${amount}” per maand van “${date}”`,
  extremes: (least, most) => `Van ${least} tot ${most}.`,
  noCurrency: 'zonder valuta',
  noDate: (date) => `zonder “${date}”`,
  cut: 'Alleen de laatste sommen zijn te zien. Totalen bevatten ook de eerdere rijen.',
  earlier: 'Eerder',
}

const words: Record<string, Words> = { en, nl }

/** The words of pictures in a language of the explorer. */
export const pictureWords = (tag: string): Words => words[tag]
