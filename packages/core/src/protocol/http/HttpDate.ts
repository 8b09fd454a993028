/**
 * Dates in fields: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
 *
 * @since 0.1.0
 */

/**
 * The IMF-fixdate of a time, in milliseconds since 1970; from the year 1 to 9999.
 * The text of the last second is kept: a busy server asks for the same one
 * thousands of times.
 *
 * @category formatting
 */
export const format = (epochMillis: number): string => {
  const second = Math.floor(epochMillis / 1000)
  if (second !== formattedSecond) {
    formatted = new Date(second * 1000).toUTCString()
    formattedSecond = second
  }
  return formatted
}

let formattedSecond = Number.NaN
let formatted = ""

/**
 * A time in milliseconds since 1970 from any of the three formats, which a
 * recipient MUST accept; `undefined` for anything else. A year of two digits
 * is not more than 50 years after `nowEpochMillis`.
 *
 * @category parsing
 */
export const parse = (text: string, nowEpochMillis: number): number | undefined => {
  const imf = imfFixdate.exec(text)
  if (imf !== null) return fromParts(imf[1]!, imf[2]!, Number(imf[3]), imf[4]!, imf[5]!, imf[6]!)
  const ansi = asctime.exec(text)
  if (ansi !== null) return fromParts(ansi[2]!.trim(), ansi[1]!, Number(ansi[6]), ansi[3]!, ansi[4]!, ansi[5]!)
  const old = rfc850.exec(text)
  if (old === null) return undefined
  const nowYear = new Date(nowEpochMillis).getUTCFullYear()
  const year = Math.floor(nowYear / 100) * 100 + Number(old[3])
  // RFC 9110 §5.6.7: more than 50 years in the future is "the most recent year in the past".
  const shift = year > nowYear + 50 ? -100 : 0
  return fromParts(old[1]!, old[2]!, year + shift, old[4]!, old[5]!, old[6]!)
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
const month = `(${months.join("|")})`
const time = String.raw`(\d\d):(\d\d):(\d\d)`
const imfFixdate = new RegExp(String.raw`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) ${month} (\d{4}) ${time} GMT$`)
const rfc850 = new RegExp(String.raw`^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\d\d)-${month}-(\d\d) ${time} GMT$`)
const asctime = new RegExp(String.raw`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ${month} ([ \d]\d) ${time} (\d{4})$`)

const fromParts = (
  day: string,
  monthName: string,
  year: number,
  hour: string,
  minute: string,
  second: string
): number | undefined => {
  const dayNumber = Number(day)
  // A leap second, 60, is allowed by the grammar; it is the second after.
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined
  const date = new Date(0)
  date.setUTCFullYear(year, months.indexOf(monthName), dayNumber)
  if (date.getUTCDate() !== dayNumber) return undefined
  return date.setUTCHours(Number(hour), Number(minute), Number(second))
}
