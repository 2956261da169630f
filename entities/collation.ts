/**
 * The Postgres collation that names are sorted by: the Unicode root locale (UTS #10). Case and accents matter only between names
 * that are otherwise equal. Indexes, sort orders and cursors use it.
 */
export const nameCollation = 'name_order'
