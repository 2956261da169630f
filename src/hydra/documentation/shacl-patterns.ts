/** Patterns for SHACL, in the common subset of XPath and JavaScript regular expressions. */

const year = '([0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)'
const fourth = '0[48]|[2468][048]|[13579][26]'
const leapDay = `([0-9]{2}(${fourth})|(${fourth})00)-02-29`
const otherDay = `${year}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))`
const clock = '([01][0-9]|2[0-3]):[0-5][0-9]'

/** An existing day in the years 0001 to 9999. */
export const day = `^(${otherDay}|${leapDay})$`

const offset = `([Zz]|[+-]${clock})`

/** A date-time of RFC 3339 with any number of decimals, without leap seconds. The offset is optional, and then the seconds too. */
export const instant = `^(${otherDay}|${leapDay})[Tt]${clock}(:[0-5][0-9](\\.[0-9]+)?${offset}?)?$`

/** A date-time with an offset, and one without. */
export const zoned = `${offset}$`
export const local = '[Tt][0-9:.]+$'

/** A whole number in any spelling but that of a double. */
export const whole = '^[+-]?[0-9]+(\\.0*)?$'
