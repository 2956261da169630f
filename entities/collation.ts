/**
 * The collation, in Postgres, by which names are ordered: that of the Unicode root locale (UTS #10), where case and accents
 * matter only between names that are otherwise equal. Indexes have it, and orders and cursors name it.
 */
export const nameCollation = 'name_order'
