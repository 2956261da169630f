/** The days from the closing of an organization to its deletion: enough to notice a mistake, to export the data and to pay. */
export const defaultGraceDays = 30
