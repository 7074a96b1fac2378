// The one way in which times are shown: the time of day, the day, or both, as the reader's language has it; and
// the whole moment for who points at it.
import { set, text } from './dom.js';

const format = (/** @type {Intl.DateTimeFormatOptions} */ o) => {
  const f = new Intl.DateTimeFormat([], o);
  return (/** @type {Date} */ d) => f.format(d);
};
const timeOfDay = format({ hour: '2-digit', minute: '2-digit' });
const toTheSecond = format({ timeStyle: 'medium' });
const ofThisYear = format({ day: 'numeric', month: 'short' });
const ofAnyYear = format({ day: 'numeric', month: 'short', year: 'numeric' });
const weekday = format({ weekday: 'long', day: 'numeric', month: 'long' });
const weekdayOfYear = format({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
const whole = format({ dateStyle: 'medium', timeStyle: 'medium' });

/** @param {Date} a @param {Date} b */
const sameDay = (a, b) => a.getDate() === b.getDate() && a.getMonth() === b.getMonth() && a.getFullYear() === b.getFullYear();
/** @param {Date} d */
const thisYear = (d) => d.getFullYear() === new Date().getFullYear();

/** The time of day. @param {string | number} t */
export const clock = (t) => timeOfDay(new Date(t));

/** The time of day, to the second. @param {string} t */
export const second = (t) => toTheSecond(new Date(t));

/** The day, as a heading. @param {string} t */
export function dayOf(t) {
  const d = new Date(t);
  if (sameDay(d, new Date())) return 'Today';
  return thisYear(d) ? weekday(d) : weekdayOfYear(d);
}

/** The time of today, else the day. @param {string} t */
export function recent(t) {
  const d = new Date(t);
  if (sameDay(d, new Date())) return timeOfDay(d);
  return thisYear(d) ? ofThisYear(d) : ofAnyYear(d);
}

/** Day and time. @param {string | null | undefined} t */
export const moment = (t) => (t ? whole(new Date(t)) : 'never');

/** Makes a time element show a time. @param {Element} e @param {string | null | undefined} t @param {(t: string) => string} form */
export function showTime(e, t, form) {
  text(e, t ? form(t) : '');
  set(e, 'datetime', t || null);
  set(e, 'title', t ? moment(t) : null);
}
