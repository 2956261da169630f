/** The first file within the encrypted part: a copy of the header, which cannot be changed without the passphrase. */
export const headerFile = 'header.txt'

/** The list of the tables, with their columns, numbers of rows, and digests. */
export const manifestFile = 'tables.json'

/** The content of DATA_DIR/secrets.key, where the server made its key by itself. */
export const secretKeyFile = 'secrets.key'

/** A part of the rows of a table, in the text format of COPY. The parts of a table follow each other. */
export function partName(table: string, number: number): string {
  return `tables/${table}/${String(number).padStart(8, '0')}`
}

/** The table of a part; undefined for other files. */
export function tableOfPart(name: string): string | undefined {
  return /^tables\/(\w+)\/\d+$/.exec(name)?.[1]
}
